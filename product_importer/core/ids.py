"""UUIDv7 (RFC 9562, section 5.7): made here because the server's cost 5 µs each."""

import secrets
import threading
import time
from uuid import UUID

NUMBERS = 1 << 32
# An import numbers its products by line (below the first of these), or in each lane in the order of insertion.
FIRST_LANE = 1 << 31
LANE_NUMBERS = 1 << 27

# How many ids of one millisecond there are before the next one is taken.
COUNTED = 1 << 12

_lock = threading.Lock()
_last = (0, 0)


def new_id() -> UUID:
    """Return a new UUIDv7, later than every one this process made before.

    The 12 bits behind the version count within a millisecond (RFC 9562, section 6.2, method 1); 62 are random.
    """
    millisecond, count = _next()
    return UUID(int=millisecond << 80 | 7 << 76 | count << 64 | 0b10 << 62 | secrets.randbits(62))


def id_prefix(owner: UUID) -> str:
    """Return the first 24 hexadecimal digits of the ids of an owner's parts; the last 8 are the part's number.

    So they all lie in one range, which tells what an import has created without a note of it, and come in the order
    of their numbers. 30 random bits keep owners of one millisecond apart.
    """
    return owner.hex[:24]


def lane_number(lane: int, count: int) -> int:
    """Return the number behind which the `count + 1`-th part of a lane is numbered; lanes begin with 1."""
    if not (1 <= lane <= (NUMBERS - FIRST_LANE) // LANE_NUMBERS and 0 <= count < LANE_NUMBERS):
        raise ValueError(f"no number for part {count} of lane {lane}")
    return FIRST_LANE + (lane - 1) * LANE_NUMBERS + count - 1


def id_range(owner: UUID) -> tuple[UUID, UUID]:
    """Return the first and the last id that an owner's parts can have."""
    first = owner.int - owner.int % NUMBERS
    return UUID(int=first), UUID(int=first + NUMBERS - 1)


def _next() -> tuple[int, int]:
    """Return the time in milliseconds and a count within it, behind those that this process has used."""
    global _last
    with _lock:
        millisecond, count = _last
        _last = max((time.time_ns() // 1_000_000, 0), (millisecond + (count + 1) // COUNTED, (count + 1) % COUNTED))
        return _last
