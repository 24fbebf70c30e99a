"""Enqueueing after commit, by job name, with ids only: a queued job is a nudge that may be lost or doubled."""

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

# An import that runs longer is stopped and goes on from its checkpoint.
JOB_TIMEOUT_SECONDS = 6 * 3600
RESULT_SECONDS = 0
FAILURE_SECONDS = 3600

# The workers of a queue that live, by the time at which each last said so.
PRESENCE = "workers:{queue}"
SHOW_SECONDS = 3
PRESENT_SECONDS = 10

JOBS: list["Job"] = []


@dataclass(frozen=True)
class Job:
    """A function that workers run: its queue and its importable name. Making one lists it in `JOBS`.

    It takes the id of what it is about, or nothing. Workers refuse every job that is not listed: see `accepted_jobs`.
    """

    queue: str
    function: str
    takes_id: bool = True

    def __post_init__(self) -> None:
        JOBS.append(self)


def enqueue_after_commit(session: Session, job: Job, key: UUID, *, at_front: bool = False) -> None:
    """Nudge the workers once the session's transaction has committed; nothing happens when it rolls back."""
    event.listen(session, "after_commit", lambda _: enqueue(job, key, at_front=at_front), once=True)


def enqueue(job: Job, key: UUID, *, at_front: bool = False) -> None:
    """Nudge the workers now, behind or before what waits. An unreachable Redis is left to the reconciler."""
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
        log.warning("no nudge for %s %s, the reconciler will send it: %s", job.function, key, error)


def notify_after_commit(session: Session, job: Job) -> None:
    """Nudge the workers once after the commit, however often the transaction asks for it."""
    asked: set[Job] = session.info.setdefault("nudges", set())

    def committed(_: Session) -> None:
        asked.discard(job)
        notify(job)

    if job not in asked:
        asked.add(job)
        event.listen(session, "after_commit", committed, once=True)


def notify(job: Job) -> None:
    """Let a worker look for what is due, unless a nudge waits already: a job that has no key does it all.

    An unreachable Redis is logged and left to the reconciler.
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
        log.warning("no nudge for %s, the reconciler will send it: %s", job.function, error)


def waiting_keys(job: Job) -> set[str]:
    """Return the keys whose nudges no worker has taken yet.

    Raises:
        RedisError: Redis cannot be asked.
    """
    names: Any = redis.client().lrange(_queue(job.queue).key, 0, -1)
    return {name.decode(errors="replace").partition("_")[0] for name in names}


def waiting_count(name: str) -> int:
    """Return how many nudges of a queue no worker has taken yet.

    Raises:
        RedisError: Redis cannot be asked.
    """
    return int(_queue(name).count)


@lru_cache
def _queue(name: str) -> Queue:
    # JSON, not pickle: who can write to Redis must not be able to run code here.
    return Queue(name, connection=redis.client(), serializer=JSONSerializer)


def show_presence(queues: list[str]) -> None:
    """Say every few seconds that a worker lives, from a thread of its own, until the process ends.

    RQ registers a worker once: after Redis has been wiped, or its worker killed, that register is wrong.
    """
    worker = f"{socket.gethostname()}:{os.getpid()}"
    with suppress(RedisError):
        _forget_killed(queues)
    atexit.register(_end_showing, worker, queues)
    threading.Thread(target=_keep_showing, args=(worker, queues), name="presence", daemon=True).start()


def live_workers(name: str) -> int:
    """Return how many workers of a queue have shown themselves lately.

    Raises:
        RedisError: Redis cannot be asked.
    """
    presence = PRESENCE.format(queue=name)
    count: Any = redis.client().zcount(presence, time.time() - PRESENT_SECONDS, "+inf")
    return int(count)


def _forget_killed(queues: list[str]) -> None:
    """Take this machine's dead workers off the list: beside their successors they would count twice."""
    for presence in (PRESENCE.format(queue=name) for name in queues):
        shown: Any = redis.client().zrange(presence, 0, -1)
        for worker in map(bytes.decode, shown):
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


def _end_showing(worker: str, queues: list[str]) -> None:
    with suppress(RedisError):
        for name in queues:
            redis.client().zrem(PRESENCE.format(queue=name), worker)


def _keep_showing(worker: str, queues: list[str]) -> None:
    while True:
        with suppress(RedisError):
            client = redis.client()
            for presence in (PRESENCE.format(queue=name) for name in queues):
                client.zadd(presence, {worker: time.time()})
                client.zremrangebyscore(presence, "-inf", time.time() - PRESENT_SECONDS)
        time.sleep(SHOW_SECONDS)
