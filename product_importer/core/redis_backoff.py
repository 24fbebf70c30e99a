"""How an RQ worker waits for Redis: RQ would end when a command fails while a job runs."""

import logging

from redis.backoff import ExponentialBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

# In seconds. Together some five minutes; a manager of processes can start the worker again then.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
ATTEMPTS = 60


class _ToldBackoff(ExponentialBackoff):
    """Pauses that get longer, and a line in the log for each."""

    def compute(self, failures: int) -> float:
        pause = super().compute(failures)
        log.warning("Redis cannot be reached; trying again in %.0f s", pause)
        return pause


def patient() -> Retry:
    """Return how often and after which pauses a command is sent again; `update_retries(0)` ends the patience."""
    return Retry(_ToldBackoff(cap=LONGEST_PAUSE, base=FIRST_PAUSE), ATTEMPTS)
