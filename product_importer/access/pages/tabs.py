"""Bind the state of each browser tab to the session that its websocket belongs to.

Reflex keeps a tab's state under a token that the tab holds. Here, a token is signed with the session's digest. One
that belongs to no session or to another one is replaced, so that a new sign-in starts a new state, and whoever knows
a token can open nothing with it.
"""

import hmac
import secrets
from typing import Any
from uuid import UUID

from reflex.app import App, EventNamespace
from reflex.constants import SocketEvent
from socketio.exceptions import ConnectionRefusedError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from product_importer.access import principal
from product_importer.access.gate.handover import SESSION_HEADER
from product_importer.access.pages import shared_tabs
from product_importer.access.pages.guard import handler_name, require
from product_importer.access.pages.leaving import leave
from product_importer.core.errors import Forbidden
from product_importer.core.settings import settings
from product_importer.ui.connection.state import is_new, is_resumed, note_resumed

HALF = 8
# Headers of uploads, which do not come through the websocket.
TAB_HEADER = "reflex-client-token"
HANDLER_HEADER = "reflex-event-handler"


def new_token(digest: bytes) -> str:
    """Return a new token of a tab for the session with this digest."""
    return _signed(secrets.token_bytes(HALF), digest)


def belongs(token: str, digest: bytes) -> bool:
    """Whether a tab's token was made for the session with this digest."""
    try:
        given = UUID(token).bytes[:HALF]
    except ValueError:
        return False
    return hmac.compare_digest(token.encode(errors="replace"), _signed(given, digest).encode())


def _signed(random: bytes, digest: bytes) -> str:
    """Return a UUID of version 4 from random bytes and their signature: logs shorten tokens of this form."""
    # Setting the version changes the random bytes, which are signed as they will be read.
    random = UUID(bytes=random + bytes(HALF), version=4).bytes[:HALF]
    signature = hmac.digest(digest, b"tab" + random, "sha256")
    return str(UUID(bytes=random + signature[:HALF], version=4))


class BoundTabs(EventNamespace):
    """Reflex's websocket, with tokens of tabs bound to sessions."""

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """Note the headers and the address of a connection when it begins.

        A browser may send an event of this name, too, with headers of its own choice: those count for nothing.
        """
        assert self.app.sio is not None
        if environ is self.app.sio.get_environ(sid, self.namespace):
            if not _is_first(auth):
                note_resumed(sid)
            await super().on_connect(sid, environ, auth)

    async def on_event(self, sid: str, data: Any) -> None:
        """Take an event once: the browser sends it again if its connection breaks before it is confirmed."""
        if not isinstance(data, dict) or await self._is_new(self.sid_to_token.get(sid, ""), data.get("sent")):
            await super().on_event(sid, data)

    async def _is_new(self, tab: str, number: Any) -> bool:
        return is_new(tab, number) and await shared_tabs.is_new(self._token_manager, tab, number)

    async def link_token_to_sid(self, sid: str, token: str, *, update_state: bool = True) -> None:
        """Link a connection to its tab's token, or to a new one, which the tab is told.

        Raises:
            ConnectionRefusedError: people must sign in, and the connection belongs to no session.
        """
        digest = self._session_of(sid)
        if digest is None and settings().signs_in:
            raise ConnectionRefusedError("Sign in first.")
        if is_resumed(sid) and (digest is None or belongs(token, digest)):
            await shared_tabs.take_over(self._token_manager, token, sid)
            await super().link_token_to_sid(sid, token, update_state=update_state)
            return
        # A token that another connection uses is that of a copied tab; Reflex would replace it by an unsigned one.
        if digest and not (belongs(token, digest) and not await self._token_manager.is_token_connected(token)):
            token = new_token(digest)
            await self.emit("new_token", token, to=sid)
        await super().link_token_to_sid(sid, token, update_state=update_state)

    async def say_farewell(self, digests: frozenset[bytes]) -> None:
        """Send the tabs of sessions that have ended to the sign-in page."""
        ended = {digest.hex() for digest in digests}
        for sid, data in list(self._static_router_data.items()):
            if data["headers"].get(SESSION_HEADER) in ended:
                await self.emit(str(SocketEvent.EVENT), leave(), to=sid)

    def _session_of(self, sid: str) -> bytes | None:
        assert self.app.sio is not None
        environ = self.app.sio.get_environ(sid, self.namespace)
        digest = environ and Headers(scope=environ["asgi.scope"]).get(SESSION_HEADER)
        return bytes.fromhex(digest) if digest else None


def _is_first(auth: Any) -> bool:
    """Return whether a connection is the first one of a loaded page: only that one sends hashes of what it knows."""
    event = auth.get("event") if isinstance(auth, dict) else None
    payload = event.get("payload") if isinstance(event, dict) else None
    return not isinstance(event, dict) or (isinstance(payload, dict) and "hashes" in payload)


def bind(app: App) -> BoundTabs:
    """Let an application bind its tabs to sessions; before it serves."""
    assert app.sio is not None and app.event_namespace is not None
    bound = BoundTabs(app.event_namespace.namespace, app)
    app._event_namespace = bound
    app.sio.register_namespace(bound)
    return bound


class UploadCheck:
    """An ASGI application in front of Reflex's: checks uploads, which name their tab and event themselves."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _require_own_tab(Headers(scope=scope))
        await self._app(scope, receive, send)


def _require_own_tab(headers: Headers) -> None:
    """Check that an upload is for a tab of its sender, and that the sender may send its event.

    Raises:
        Unauthenticated: nobody has signed in.
        Forbidden: the tab is another session's, or the event is not allowed.
    """
    who = principal.current()
    # Reflex itself rejects an upload without these headers, or for a handler that does not exist.
    if handler_name(headers.get(HANDLER_HEADER, "")):
        require(who, headers[HANDLER_HEADER])
    if TAB_HEADER in headers and settings().signs_in and not _is_own(headers[TAB_HEADER], who):
        raise Forbidden("This tab belongs to another session. Load the page again.")


def _is_own(token: str, who: principal.Principal) -> bool:
    return who.credential is not None and belongs(token, who.credential)
