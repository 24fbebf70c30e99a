"""Enqueueing after commit, by job name, with ids only: a queued job is a nudge that may be lost or doubled."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from sqlalchemy import event
from sqlmodel import Session

from product_importer.core import redis
from product_importer.core.ids import new_id

log = logging.getLogger(__name__)

# An import that runs longer is stopped and goes on from its checkpoint.
JOB_TIMEOUT_SECONDS = 6 * 3600

JOBS: list["Job"] = []


@dataclass(frozen=True)
class Job:
    """A function that workers run: its queue and its importable name. Making one lists it in `JOBS`."""

    queue: str
    function: str

    def __post_init__(self) -> None:
        JOBS.append(self)


def enqueue_after_commit(session: Session, job: Job, key: UUID) -> None:
    """Nudge the workers once the session's transaction has committed; nothing happens when it rolls back."""
    event.listen(session, "after_commit", lambda _: enqueue(job, key), once=True)


def enqueue(job: Job, key: UUID) -> None:
    """Nudge the workers now. An unreachable Redis is logged and left to the reconciler."""
    try:
        _queue(job.queue).enqueue(
            job.function,
            str(key),
            job_id=f"{key}_{new_id()}",
            job_timeout=JOB_TIMEOUT_SECONDS,
            result_ttl=0,
            failure_ttl=3600,
        )
    except RedisError as error:
        log.warning("no nudge for %s %s, the reconciler will send it: %s", job.function, key, error)


def waiting_keys(job: Job) -> set[str]:
    """Return the keys whose nudges no worker has taken yet.

    Raises:
        RedisError: Redis cannot be asked.
    """
    return {name.partition("_")[0] for name in _queue(job.queue).get_job_ids()}


@lru_cache
def _queue(name: str) -> Queue:
    # JSON, not pickle: who can write to Redis must not be able to run code here.
    return Queue(name, connection=redis.client(), serializer=JSONSerializer)


def live_workers() -> int:
    """Return how many workers have been heard of lately.

    Raises:
        RedisError: Redis cannot be asked.
    """
    return Worker.count(connection=redis.client())
