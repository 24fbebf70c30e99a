"""How an RQ worker waits for Redis: RQ would end when a command fails while a job runs."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from redis.backoff import ExponentialBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

# A command is sent again for so long; a manager of processes can start the worker again then.
PATIENCE_SECONDS = 300.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
FOR_EVER = -1


class _ToldBackoff(ExponentialBackoff):
    """Pauses that get longer, and a line in the log for each."""

    def compute(self, failures: int) -> float:
        pause = super().compute(failures)
        log.warning("Redis cannot be reached; trying again in %.0f s", pause)
        return pause


class Patience(Retry):
    """Sends a command again for some time, the same for all connections of a client."""

    def __init__(self, seconds: float = PATIENCE_SECONDS):
        super().__init__(_ToldBackoff(cap=LONGEST_PAUSE, base=FIRST_PAUSE), FOR_EVER)
        self._seconds = seconds
        self._thread = threading.local()

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        """Return this one: each connection copies what it is given, and `once` would not be known to the copy."""
        return self

    @contextmanager
    def once(self) -> Iterator[None]:
        """Send the commands of this thread only once during the block."""
        before = getattr(self._thread, "began", None)
        self._thread.began = -math.inf
        try:
            yield
        finally:
            self._thread.began = before

    def call_with_retry(
        self,
        do: Callable[[], Answer],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Answer:
        """Call `do` again for some time. A connection that a command makes has the time of the command."""
        began = getattr(self._thread, "began", None)
        self._thread.began = time.monotonic() if began is None else began

        def is_in_time(error: Exception) -> bool:
            is_over = time.monotonic() - self._thread.began >= self._seconds
            return not is_over and (is_retryable is None or is_retryable(error))

        try:
            return super().call_with_retry(do, fail, is_in_time, with_failure_count)
        finally:
            self._thread.began = began
