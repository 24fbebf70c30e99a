"""Send those who open an old address of a page to its new one."""

from urllib.parse import parse_qs

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class MovedAddresses:
    """An ASGI application in front of another: a path with one of these parameters has moved, with all parameters."""

    def __init__(self, app: ASGIApp, old: str, new: str, parameters: frozenset[str]):
        self._app = app
        self._old = old
        self._new = new
        self._parameters = parameters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"").decode("latin-1")
        if self._has_moved(scope, query):
            await RedirectResponse(f"{self._new}?{query}", 307)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _has_moved(self, scope: Scope, query: str) -> bool:
        if scope["type"] != "http" or scope["path"] != self._old or scope["method"] not in ("GET", "HEAD"):
            return False
        return not self._parameters.isdisjoint(parse_qs(query, keep_blank_values=True))
