"""The layer around everything: it judges each request before anything else sees it, and completes each answer."""

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

# The messages that begin an answer.
STARTS = {"http.response.start", "websocket.http.response.start", "websocket.accept"}


class AccessLayer:
    """An ASGI application in front of another: hosts, origins, limits and headers.

    Around all that Reflex serves too: its upload endpoint, its websocket and its CORS answers.
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
            if message["type"] in STARTS:
                message = headers.add_headers(message, resolved, self._policy)
            await send(message)

        await self._judge(scope, resolved, receive, complete)

    async def _judge(self, scope: Scope, resolved: Scope, receive: Receive, send: Send) -> None:
        try:
            _refuse_line_breaks(scope)
            # Both names: a proxy that forwards `Host` may hand on an `X-Forwarded-Host` that its client made up.
            hosts.require_allowed_host(scope, self._hosts)
            hosts.require_allowed_host(resolved, self._hosts)
            origins.refuse_cross_site(resolved)
            origins.refuse_webhooks(resolved)
            with self._open_requests.counted(resolved):
                await self._pass_on(resolved, receive, send)
        except DomainError as error:
            await _refuse(error, resolved, receive, send)

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
            # What the application behind is told of a body that was given up.
            if body.error is None:
                raise
        if body.error is not None and not answer.has_begun:
            raise body.error


class _Answer:
    """Sends an answer on, unless the body was given up before it began: then the refusal is the answer."""

    def __init__(self, body: Body, send: Send):
        self.has_begun = False
        self._body = body
        self._send = send

    async def __call__(self, message: Message) -> None:
        if self._body.error is None or self.has_begun:
            self.has_begun = True
            await self._send(message)


def _refuse_line_breaks(scope: Scope) -> None:
    """Refuse a path that fits the wrong route: their patterns end before a line break as well as at the end.

    Raises:
        NotFound: there is a line break in it.
    """
    if "\n" in scope["path"]:
        raise NotFound(f"There is nothing at {scope['path']!r}: a path has no line breaks.")


async def _refuse(error: DomainError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the error, as the last on its connection: what else was sent there is not read."""
    answer = problem_of(error)
    if scope.get("http_version", "1.1").startswith("1"):
        answer.headers["Connection"] = "close"
    await answer(scope, receive, send)
