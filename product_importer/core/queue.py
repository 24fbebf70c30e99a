"""Enqueue RQ jobs by name after a commit. A job is only a notification: it may be lost or arrive twice."""

import atexit
import logging
import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import event
from sqlmodel import Session

from product_importer.core import redis
from product_importer.core.ids import new_id

log = logging.getLogger(__name__)

QUEUES = ("imports", "webhooks")
# An import that runs longer is stopped, and continues later from its checkpoint.
JOB_TIMEOUT_SECONDS = 6 * 3600
RESULT_SECONDS = 0
FAILURE_SECONDS = 3600

# A sorted set of a queue's live workers, scored by Redis' time at which each last reported.
PRESENCE = "workers:{queue}"
REPORT_SECONDS = 3
PRESENT_SECONDS = 10

JOBS: list["Job"] = []


@dataclass(frozen=True)
class Job:
    """A function that workers run: its queue and its importable name. Creating one adds it to `JOBS`.

    The function takes one id or nothing. Workers reject jobs that are not in `JOBS`: see `job_validation`.
    """

    queue: str
    function: str
    takes_id: bool = True

    def __post_init__(self) -> None:
        JOBS.append(self)


def enqueue_after_commit(session: Session, job: Job, key: UUID, *, at_front: bool = False) -> None:
    """Enqueue a job when the session's transaction commits; do nothing if it rolls back."""
    event.listen(session, "after_commit", lambda _: enqueue(job, key, at_front=at_front), once=True)


def enqueue(job: Job, key: UUID, *, at_front: bool = False) -> None:
    """Enqueue a job now. If Redis cannot be reached, the reconciler enqueues it later."""
    try:
        _queue(job.queue).enqueue(
            job.function,
            str(key),
            job_id=f"{key}_{new_id()}",
            job_timeout=JOB_TIMEOUT_SECONDS,
            result_ttl=RESULT_SECONDS,
            failure_ttl=FAILURE_SECONDS,
            at_front=at_front,
        )
    except RedisError as error:
        log.warning("cannot enqueue %s %s, the reconciler will: %s", job.function, key, error)


def notify_after_commit(session: Session, job: Job) -> None:
    """Notify the workers once after the commit, however often the transaction asks for it."""
    asked: set[Job] = session.info.setdefault("notified_jobs", set())

    def committed(_: Session) -> None:
        asked.discard(job)
        notify(job)

    if job not in asked:
        asked.add(job)
        event.listen(session, "after_commit", committed, once=True)


def notify(job: Job) -> None:
    """Enqueue a job without an id, which handles everything that is due, unless a job waits in its queue already.

    If Redis cannot be reached, the reconciler enqueues it later.
    """
    try:
        if _queue(job.queue).count == 0:
            _queue(job.queue).enqueue(
                job.function,
                job_id=str(new_id()),
                job_timeout=JOB_TIMEOUT_SECONDS,
                result_ttl=RESULT_SECONDS,
                failure_ttl=FAILURE_SECONDS,
            )
    except RedisError as error:
        log.warning("cannot enqueue %s, the reconciler will: %s", job.function, error)


def waiting_keys(job: Job) -> set[str]:
    """Return the ids whose jobs wait in the queue.

    Raises:
        RedisError: Redis cannot be reached.
    """
    names: Any = redis.client().lrange(_queue(job.queue).key, 0, -1)
    return {name.decode(errors="replace").partition("_")[0] for name in names}


def waiting_count(name: str) -> int:
    """Return how many jobs wait in a queue.

    Raises:
        RedisError: Redis cannot be reached.
    """
    return int(_queue(name).count)


@lru_cache
def _queue(name: str) -> Queue:
    # JSON, not pickle: whoever can write to Redis must not be able to run code here.
    return Queue(name, connection=redis.client(), serializer=JSONSerializer)


def report_presence(queues: list[str]) -> None:
    """Report every few seconds, in a thread, that a worker is alive, until the process ends.

    RQ registers a worker only once, which is wrong after Redis was wiped or the worker was killed.
    """
    worker = f"{socket.gethostname()}:{os.getpid()}"
    with suppress(RedisError):
        _forget_killed(queues)
    atexit.register(_end_reporting, worker, queues)
    threading.Thread(target=_keep_reporting, args=(worker, queues), name="presence", daemon=True).start()


def live_workers(name: str) -> int:
    """Return how many workers of a queue reported within the last `PRESENT_SECONDS`.

    Raises:
        RedisError: Redis cannot be reached.
    """
    presence = PRESENCE.format(queue=name)
    count: Any = redis.client().zcount(presence, redis.now() - PRESENT_SECONDS, "+inf")
    return int(count)


def _forget_killed(queues: list[str]) -> None:
    """Remove this machine's dead workers, which would be counted beside those that replace them."""
    for presence in (PRESENCE.format(queue=name) for name in queues):
        reported: Any = redis.client().zrange(presence, 0, -1)
        for worker in map(bytes.decode, reported):
            machine, _, pid = worker.rpartition(":")
            if machine == socket.gethostname() and pid.isdigit() and not _lives(int(pid)):
                redis.client().zrem(presence, worker)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end_reporting(worker: str, queues: list[str]) -> None:
    with suppress(RedisError):
        for name in queues:
            redis.client().zrem(PRESENCE.format(queue=name), worker)


def _keep_reporting(worker: str, queues: list[str]) -> None:
    while True:
        with suppress(RedisError):
            client, now = redis.client(), redis.now()
            for presence in (PRESENCE.format(queue=name) for name in queues):
                client.zadd(presence, {worker: now})
                client.zremrangebyscore(presence, "-inf", now - PRESENT_SECONDS)
        time.sleep(REPORT_SECONDS)
