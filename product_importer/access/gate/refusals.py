"""Log what was refused: to whom, from where, and what they asked for."""

import logging

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.types import Message, Scope

from product_importer.access import principal
from product_importer.access.gate.authentication import has_token
from product_importer.access.principal import Principal, PrincipalKind

log = logging.getLogger(__name__)

# So many lines for each person, token and address, in each process: nobody may fill the disk with them.
LINES = RateLimitItemPerMinute(20)
_lines = FixedWindowRateLimiter(MemoryStorage())


def log_answer(message: Message, scope: Scope) -> None:
    """Log an answer that refuses: 403, 429, and 401 to a token. Other strangers are only led to the sign-in."""
    status = message.get("status")
    if status in (403, 429) or (status == 401 and has_token(scope)):
        client = scope.get("client")
        what = f"{scope.get('method', 'websocket')} {scope['path']}"
        log_refusal(f"{status} {what}", principal.current(), client[0] if client else None)


def log_refusal(what: str, who: Principal, address: str | None) -> None:
    """Log that somebody at an address was refused something, but at most `LINES`."""
    # Before it is known who it is, requests run as the application itself.
    name = "somebody" if who.kind == PrincipalKind.SYSTEM else f"{who.kind} {who.known_name or ''}".rstrip()
    key = (name, str(address))
    if not _lines.hit(LINES, *key):
        return
    rest = "" if _lines.get_window_stats(LINES, *key).remaining else "; more within this minute are not logged"
    log.warning("refused to %s at %s: %s%s", name, address or "an unknown address", what, rest)
