"""Report how many bytes imports hold in `SPOOL_DIR`, for the metrics.

What an import spools has no name, so that only its own process can tell, and only where Linux lists open files. Each
process reports for itself, as long as it works on an import.
"""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from product_importer.core import redis
from product_importer.core.settings import settings

# A hash: what each process has reported last, and when by Redis' clock.
KEY = "spools"
# A process that has reported nothing for so long was killed, and the kernel has removed its files.
EXPIRE_SECONDS = 10.0
REPORT_SECONDS = 1.0
OPEN_FILES = Path("/proc/self/fd")


@contextmanager
def reported() -> Iterator[None]:
    """Report what this process holds every second during the block, in a thread of its own."""
    over = threading.Event()
    thread = threading.Thread(target=_keep_reporting, args=(over,), name="spools", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        end_reporting()


def report() -> None:
    """Report what this process holds; without Redis, do nothing."""
    with suppress(RedisError):
        redis.client().hset(KEY, _process(), json.dumps([redis.now(), held_bytes()]))


def end_reporting() -> None:
    """Remove the report of this process, and those of killed ones."""
    with suppress(RedisError):
        now = redis.now()
        ended = [name for name, (at, _) in _reports().items() if name == _process() or not _is_fresh(at, now)]
        if ended:
            redis.client().hdel(KEY, *ended)


def reported_bytes() -> int:
    """Return how many bytes the imports of all machines hold.

    Raises:
        RedisError: Redis cannot be reached.
    """
    now = redis.now()
    return sum(held for at, held in _reports().values() if _is_fresh(at, now))


def held_bytes() -> int:
    """Return the size of the files in `SPOOL_DIR` that this process has open; 0 where it cannot be told."""
    folder, found = f"{settings().spools}/", 0
    for opened in OPEN_FILES.iterdir() if OPEN_FILES.exists() else ():
        # Others may be closed meanwhile.
        with suppress(OSError):
            if str(opened.readlink()).startswith(folder):
                found += opened.stat().st_size
    return found


def _keep_reporting(over: threading.Event) -> None:
    while not over.wait(REPORT_SECONDS):
        report()


def _is_fresh(at: float, now: float) -> bool:
    return at > now - EXPIRE_SECONDS


def _reports() -> dict[str, tuple[float, int]]:
    stored: Any = redis.client().hgetall(KEY)
    return {process.decode(): tuple(json.loads(text)) for process, text in stored.items()}


def _process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
