"""UUIDv7 (RFC 9562, section 5.7): made here because the server's cost 5 µs each."""

import secrets
import threading
import time
from uuid import UUID

LINES = 1 << 32

_lock = threading.Lock()
_last_millisecond = 0


def new_id() -> UUID:
    """Return a new UUIDv7, later than every one this process made before: 74 of its bits are random."""
    random = secrets.randbits(74)
    return UUID(int=_next_millisecond() << 80 | 7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1)


def line_id_prefix(owner: UUID) -> str:
    """Return the first 24 hexadecimal digits of the ids of an owner's lines; the last 8 are the line's number.

    So they come in the order of lines, are the same whenever the file is read again, and all lie in one range,
    which tells what an import has created without a note of it. 42 random bits keep owners apart.
    """
    return owner.hex[:24]


def line_id_range(owner: UUID) -> tuple[UUID, UUID]:
    """Return the first and the last id that an owner's lines can have."""
    first = owner.int - owner.int % LINES
    return UUID(int=first), UUID(int=first + LINES - 1)


def _next_millisecond() -> int:
    """Return the time in milliseconds, moved on when this process used it already."""
    global _last_millisecond
    with _lock:
        _last_millisecond = max(time.time_ns() // 1_000_000, _last_millisecond + 1)
        return _last_millisecond
