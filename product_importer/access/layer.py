"""Check each request before anything else sees it, and add headers to each answer."""

from collections.abc import Iterable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from product_importer.access import headers, hosts, origins, proxies
from product_importer.access.bodies import Body
from product_importer.access.open_requests import OpenRequests
from product_importer.core.cidr import parse_networks
from product_importer.core.errors import DomainError, NotFound
from product_importer.core.problems import problem_of
from product_importer.core.settings import Settings

# The types of the first messages of answers.
START_TYPES = {"http.response.start", "websocket.http.response.start", "websocket.accept"}


class AccessLayer:
    """An ASGI application in front of another: checks hosts, origins and limits, and sets headers.

    It also covers what Reflex serves: its upload route, its websocket and its CORS answers.
    """

    def __init__(self, app: ASGIApp, given: Settings, script_hashes: Iterable[str]):
        self._app = app
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
                message = headers.add_headers(message, resolved, self._policy)
            await send(message)

        await self._check(scope, resolved, receive, complete)

    async def _check(self, scope: Scope, resolved: Scope, receive: Receive, send: Send) -> None:
        try:
            _reject_line_breaks(scope)
            # Both hosts: a proxy that forwards `Host` may pass on an `X-Forwarded-Host` that the client invented.
            hosts.require_allowed_host(scope, self._hosts)
            hosts.require_allowed_host(resolved, self._hosts)
            origins.reject_cross_site(resolved)
            origins.reject_webhooks(resolved)
            with self._open_requests.counted(resolved):
                await self._pass_on(resolved, receive, send)
        except DomainError as error:
            await _send_error(error, resolved, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        body = Body(scope, receive)
        await body.prepare()
        answer = _Answer(body, send)
        try:
            await self._app(scope, body.receive, answer)
        except ClientDisconnect:
            # The application got a disconnect because the body stopped arriving.
            if body.error is None:
                raise
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
