"""Make UUIDv7 ids (RFC 9562, section 5.7) in the process: PostgreSQL would need 5 µs for each."""

import secrets
import threading
import time
from uuid import UUID

# The last 32 bits of a product's id from an import are a number: below `FIRST_RANGE_NUMBER` the line in the file,
# from there on a count within each range of keys, in the order of insertion.
NUMBERS = 1 << 32
FIRST_RANGE_NUMBER = 1 << 31

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


def range_first_number(number: int, ranges: int) -> int:
    """Return the number of the first part of a range, one of `ranges` that share the numbers; `number` is from 0.

    Raises:
        ValueError: there is no such range, or there are more ranges than numbers.
    """
    if not 0 <= number < ranges <= NUMBERS - FIRST_RANGE_NUMBER:
        raise ValueError(f"no numbers for range {number} of {ranges}")
    return FIRST_RANGE_NUMBER + number * ((NUMBERS - FIRST_RANGE_NUMBER) // ranges)


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
