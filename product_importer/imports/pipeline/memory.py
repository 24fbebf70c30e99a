"""Keep a worker's memory small: what Arrow and the C library have freed goes back to the system."""

import ctypes
from contextlib import suppress

import pyarrow as pa

# mallopt(3): the number of heaps among which threads are spread; each keeps what it once needed.
M_ARENA_MAX = -8
ARENAS = 2


def configure() -> None:
    """Use the C library's allocator with few heaps, in this process and those that it forks.

    Arrow's own allocators keep freed memory for later, about 50 MB more at an import's peak, and are no quicker here.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    # Only the GNU C library has it.
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
