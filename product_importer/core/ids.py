"""Make UUIDv7 ids (RFC 9562, section 5.7) in the process: PostgreSQL would need 5 µs for each."""

import secrets
import threading
import time
from uuid import UUID

# The last 32 bits of a product's id from an import are a number: below `FIRST_LANE` the line in the file, from there
# on a count within each lane, in the order of insertion.
NUMBERS = 1 << 32
FIRST_LANE = 1 << 31
LANE_NUMBERS = 1 << 27

# The number of ids in one millisecond; after them the next millisecond is used.
IDS_PER_MILLISECOND = 1 << 12

_lock = threading.Lock()
_last = (0, 0)


def new_id() -> UUID:
    """Return a new UUIDv7 that sorts after every earlier one of this process.

    The 12 bits after the version are a counter within the millisecond (RFC 9562, section 6.2, method 1); 62 bits are
    random.
    """
    millisecond, count = _next()
    return UUID(int=millisecond << 80 | 7 << 76 | count << 64 | 0b10 << 62 | secrets.randbits(62))


def id_prefix(owner: UUID) -> str:
    """Return the first 24 hexadecimal digits shared by the ids of an owner's parts; the last 8 are the part's number.

    The ids form one range in the order of the numbers, so an import's products can be found by their ids alone.
    30 random bits distinguish owners made in the same millisecond.
    """
    return owner.hex[:24]


def lane_number(lane: int, count: int) -> int:
    """Return the number after which the parts of a lane continue when it has `count` parts; lanes count from 1.

    Raises:
        ValueError: the lane or the count is out of range.
    """
    if not (1 <= lane <= (NUMBERS - FIRST_LANE) // LANE_NUMBERS and 0 <= count < LANE_NUMBERS):
        raise ValueError(f"no number for part {count} of lane {lane}")
    return FIRST_LANE + (lane - 1) * LANE_NUMBERS + count - 1


def id_range(owner: UUID) -> tuple[UUID, UUID]:
    """Return the first and the last id that an owner's parts can have."""
    first = owner.int - owner.int % NUMBERS
    return UUID(int=first), UUID(int=first + NUMBERS - 1)


def _next() -> tuple[int, int]:
    """Return the time in milliseconds and a counter within it, greater than all pairs returned before."""
    global _last
    with _lock:
        millisecond, count = _last
        following = (millisecond + (count + 1) // IDS_PER_MILLISECOND, (count + 1) % IDS_PER_MILLISECOND)
        _last = max((time.time_ns() // 1_000_000, 0), following)
        return _last
