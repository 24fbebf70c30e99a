"""Check each request before anything else sees it, and add headers to each answer."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from product_importer.access import principal
from product_importer.access.gate import (
    authentication,
    handover,
    headers,
    hosts,
    open_sessions,
    origins,
    proxies,
    refusals,
)
from product_importer.access.gate.bodies import Body
from product_importer.access.gate.open_requests import OpenRequests
from product_importer.access.gate.open_sessions import Farewell, OpenSessions
from product_importer.access.principal import SIGN_IN_FIRST, Principal, PrincipalKind
from product_importer.core.cidr import parse_networks
from product_importer.core.errors import DomainError, NotFound, Unauthenticated
from product_importer.core.problems import problem_of
from product_importer.core.settings import Settings

# The types of the first messages of answers.
START_TYPES = {"http.response.start", "websocket.http.response.start", "websocket.accept"}
# What strangers get, beside the sign-in: health, and the icon of the sign-in's page.
STRANGERS_PATHS = hosts.OPEN_PATHS | {"/favicon.svg"}
# The end of a session as a websocket's close code: those from 4000 on are an application's own (RFC 6455).
SESSION_ENDED = 4401


class AccessLayer:
    """An ASGI application in front of another: checks hosts, origins, people and limits, and sets headers.

    It also covers what Reflex serves: its upload route, its websocket and its CORS answers. `sign_in` answers the
    paths `sign_in_paths`, which strangers reach, too. `farewell` tells tabs whose sessions have ended to leave.
    """

    def __init__(
        self,
        app: ASGIApp,
        given: Settings,
        script_hashes: Iterable[str],
        *,
        sign_in: ASGIApp | None = None,
        sign_in_paths: frozenset[str] = frozenset(),
        farewell: Farewell = open_sessions.no_farewell,
    ):
        self._app = app
        self._settings = given
        self._sign_in = sign_in or app
        self._sign_in_paths = sign_in_paths
        self._open_sessions = OpenSessions(farewell)
        self._hosts = hosts.allowed_hosts(given)
        self._proxies = parse_networks(given.trusted_proxies or "")
        self._open_requests = OpenRequests(given.max_requests_per_address)
        self._policy = headers.page_policy(script_hashes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        resolved = proxies.resolve_forwarded(scope, self._proxies)

        async def complete(message: Message) -> None:
            if message["type"] in START_TYPES:
                refusals.log_answer(message, resolved)
                secure = authentication.is_secure(resolved, self._settings)
                message = headers.add_headers(message, resolved, self._policy, secure=secure)
            await send(message)

        await self._check(scope, resolved, receive, complete)

    async def _check(self, scope: Scope, resolved: Scope, receive: Receive, send: Send) -> None:
        try:
            _reject_line_breaks(scope)
            # Prometheus uses the address of a machine as host. A page that is rebound to us knows no token.
            if not authentication.is_scrape(resolved, self._settings):
                # Both hosts: a proxy that forwards `Host` may pass on an `X-Forwarded-Host` that the client invented.
                hosts.require_allowed_host(scope, self._hosts)
                hosts.require_allowed_host(resolved, self._hosts)
            # No page of another site knows a token, and none can send one unasked.
            if not authentication.has_token(resolved):
                origins.reject_cross_site(resolved)
            origins.reject_webhooks(resolved)
            with self._open_requests.counted(resolved):
                await self._admit(resolved, receive, send)
        except DomainError as error:
            await _send_error(error, resolved, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell who it is, and let those in who may enter."""
        who = await authentication.authenticate(scope, self._settings)
        is_open = scope["path"] in STRANGERS_PATHS or scope["path"] in self._sign_in_paths
        if who.kind == PrincipalKind.STRANGER and not is_open:
            if authentication.is_page(scope):
                await RedirectResponse(authentication.sign_in_address(scope), 303)(scope, receive, send)
                return
            raise Unauthenticated(SIGN_IN_FIRST)
        with principal.acting_as(who):
            await self._pass_on(scope, receive, send, who)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, who: Principal) -> None:
        if scope["path"] in self._sign_in_paths:
            app = self._sign_in
        else:
            app, scope = self._app, handover.without_secrets(scope, who)
        with self._open_sessions.watched(who) as ended:
            if scope["type"] == "websocket":
                await _hold(app, scope, receive, send, ended)
            elif scope["method"] in origins.SAFE_METHODS:
                stoppable = open_sessions.until_ended(receive, ended, {"type": "http.disconnect"})
                await _answer(app, scope, stoppable, send)
            else:
                await _answer(app, scope, receive, send)


async def _hold(app: ASGIApp, scope: Scope, receive: Receive, send: Send, ended: asyncio.Event) -> None:
    """Let the application hold a websocket until it closes it or the session ends."""
    is_closed = False

    async def noticed(message: Message) -> None:
        nonlocal is_closed
        is_closed = is_closed or message["type"] == "websocket.close"
        await send(message)

    disconnect: Message = {"type": "websocket.disconnect", "code": SESSION_ENDED}
    try:
        await app(scope, open_sessions.until_ended(receive, ended, disconnect), noticed)
    finally:
        if ended.is_set() and not is_closed:
            await send({"type": "websocket.close", "code": SESSION_ENDED})


async def _answer(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the application answer, and answer ourselves where the body stops arriving."""
    body = Body(scope, receive)
    await body.prepare()
    answer = _Answer(body, send)
    # The body stopped arriving, which is answered below, or the client has gone: then there is nobody to answer, and
    # anybody could fill the log with tracebacks.
    with suppress(ClientDisconnect):
        await app(scope, body.receive, answer)
    if body.error is not None and not answer.has_begun:
        raise body.error


class _Answer:
    """Passes an answer on, unless the body stopped arriving before it began: then the error is the answer."""

    def __init__(self, body: Body, send: Send):
        self.has_begun = False
        self._body = body
        self._send = send

    async def __call__(self, message: Message) -> None:
        if self._body.error is None or self.has_begun:
            self.has_begun = True
            await self._send(message)


def _reject_line_breaks(scope: Scope) -> None:
    """Reject paths with line breaks: the patterns of routes would ignore one at the end.

    Raises:
        NotFound: the path has a line break.
    """
    if "\n" in scope["path"]:
        raise NotFound(f"There is no route {scope['path']!r}: a path has no line breaks.")


async def _send_error(error: DomainError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the error and close the connection, since the rest of the request is not read."""
    answer = problem_of(error)
    if scope.get("http_version", "1.1").startswith("1"):
        answer.headers["Connection"] = "close"
    await answer(scope, receive, send)
