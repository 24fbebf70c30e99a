"""What workers accept from Redis: the product's own jobs and nothing else, whatever somebody has written there.

RQ imports and calls what a job names, as its function and as its callbacks, sends the web requests that it asks for,
and unpickles what it holds. So RQ's own classes are changed: a job is checked where it is read, before anything that
it names is imported. What is not the product's is refused with a line in the log, and the worker goes on.
"""

import functools
import logging
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from redis.exceptions import ResponseError
from rq import Queue, serializers
from rq.exceptions import DeserializationError, NoSuchJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import JOB_ID_PATTERN, Job, parse_job_id
from rq.worker import SpawnWorker
from rq.worker.base import BaseWorker

from product_importer.core import queue

log = logging.getLogger(__name__)

# What RQ notes in a job of ours while it waits and runs.
TAKEN = {
    "data",
    "origin",
    "status",
    "created_at",
    "enqueued_at",
    "started_at",
    "ended_at",
    "last_heartbeat",
    "worker_name",
}
# What it notes too, but is the same for every job of ours: what stands there is not believed.
FIXED = {
    "timeout": str(queue.JOB_TIMEOUT_SECONDS).encode(),
    "result_ttl": str(queue.RESULT_SECONDS).encode(),
    "failure_ttl": str(queue.FAILURE_SECONDS).encode(),
}
UNUSED = {"description"}
# A job of ours has about 120; compressed, a few could unfold into the whole memory.
MAX_BYTES = 2_000

_restore = Job.restore
_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = 300
_dequeue_any = Queue.dequeue_any.__func__  # type: ignore[attr-defined]
_clean_registries: Any = BaseWorker.clean_registries


class Refused(ValueError):
    """Something in Redis that is no job of the product's. The message says why."""


def use_only_ours() -> None:
    """Change RQ in this process and in those that it forks. Call it before a worker is made."""
    # Whoever names no serializer gets this one.
    pickle: Any = serializers.PickleSerializer
    pickle.loads, pickle.dumps = map(
        staticmethod, (serializers.JSONSerializer.loads, serializers.JSONSerializer.dumps)
    )
    job: Any = Job
    job.restore, job.fetch, job.fetch_many = restore, classmethod(fetch), classmethod(fetch_many)
    taking: Any = Queue
    taking.dequeue_any = classmethod(dequeue_any)
    taken: Any = IntermediateQueue
    taken.get_job_ids = waiting_ids
    worker: Any = BaseWorker
    worker.clean_registries = clean_registries
    # Nobody makes groups of our jobs, or sends commands to our workers, but who has found a way into Redis.
    worker.clean_group_registries = worker.subscribe = lambda _: None


def refuse_spawning(worker: object) -> None:
    """End where a worker would start its jobs in processes that know nothing of this module.

    Raises:
        SystemExit: it is such a worker.
    """
    if isinstance(worker, SpawnWorker):
        raise SystemExit(
            "product-importer: SpawnWorker runs whatever stands in Redis, and shows its password: use rq's default"
        )


def restore(job: Job, stored: Mapping[bytes, bytes]) -> None:
    """Fill a job with what stands in Redis, in place of RQ's `Job.restore`; remove what is none of the product's.

    Raises:
        NoSuchJobError: there is no job of the product's; RQ passes over it then.
    """
    job.serializer = serializers.JSONSerializer
    try:
        _restore(job, _believed(stored))
        _check_call(job)
    except (ValueError, DeserializationError) as error:
        reason = str(error) or "its content is not the JSON that RQ writes"
        log.error("refused a job in Redis that is not the product's: %s: %s", job.id, _shortened.repr(reason))
        # Or it would be looked at, and refused, again: whoever tidies up finds its name in a list of what was taken.
        job.connection.delete(job.key)
        raise NoSuchJobError(f"refused {job.key}") from error
    job.description = job.get_call_string()


def fetch(cls: type[Job], id: str, connection: Any = None, serializer: Any = None) -> Job:
    """Fetch one job, in place of RQ's `Job.fetch`.

    Raises:
        NoSuchJobError: there is no job of the product's by that name.
    """
    name = parse_job_id(id)
    if not JOB_ID_PATTERN.fullmatch(name):
        raise NoSuchJobError("no name of a job")
    job = cls(name, connection=connection, serializer=serializer)
    job.refresh()  # type: ignore[no-untyped-call]
    return job


def fetch_many(cls: type[Job], job_ids: Iterable[str], connection: Any, serializer: Any = None) -> list[Job | None]:
    """Fetch several jobs, None for what is none of the product's, in place of RQ's `Job.fetch_many`."""

    def found(job_id: str) -> Job | None:
        try:
            return cls.fetch(job_id, connection=connection, serializer=serializer)
        except NoSuchJobError:
            return None

    return [found(job_id) for job_id in job_ids]


def dequeue_any(cls: type[Queue], *arguments: Any, **options: Any) -> Any:
    """Wait for the next job, in place of RQ's `Queue.dequeue_any`, which raises at a name that is no text."""
    while True:
        try:
            return _dequeue_any(cls, *arguments, **options)
        except UnicodeDecodeError:
            log.error("refused a job in Redis whose name is no text")


def waiting_ids(taken: IntermediateQueue) -> list[str]:
    """Return the names of jobs that were taken and not begun, in place of RQ's; what is no name is removed."""
    names: Any = taken.connection.lrange(taken.key, 0, -1)
    for name in names:
        if not _is_name(name):
            taken.connection.lrem(taken.key, 0, name)
    return [name.decode() for name in names if _is_name(name)]


@functools.wraps(_clean_registries)
def clean_registries(worker: BaseWorker) -> None:
    """Tidy up as RQ does, but outlive what RQ cannot read."""
    try:
        _clean_registries(worker)
    except (ValueError, ResponseError) as error:
        log.error("Redis holds what is not the product's, and RQ cannot tidy up: %s", _shortened.repr(str(error)))


def _believed(stored: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    held = {name.decode(): value for name, value in stored.items() if value}
    if "data" not in held:
        raise NoSuchJobError("a job without content")
    if unknown := held.keys() - TAKEN - FIXED.keys() - UNUSED:
        raise Refused(f"it has {', '.join(sorted(unknown))}")
    if len(held["data"]) > MAX_BYTES:
        raise Refused(f"it has more than {MAX_BYTES} bytes")
    taken = {name: value for name, value in held.items() if name in TAKEN}
    return {name.encode(): value for name, value in (taken | FIXED).items()}


def _check_call(job: Job) -> None:
    known = next((known for known in queue.JOBS if known.function == job.func_name), None)
    if known is None:
        raise Refused(f"its function is {job.func_name!r}")
    if known.queue != job.origin:
        raise Refused(f"{known.function} does not belong into the queue {job.origin!r}")
    if job.instance is not None or job.kwargs != {}:
        raise Refused(f"{known.function} belongs to no object and takes no named arguments")
    if not _fits(known, job.args):
        raise Refused(f"{known.function} takes {'one id' if known.takes_id else 'nothing'}, not {job.args!r}")


def _fits(known: queue.Job, arguments: object) -> bool:
    if not known.takes_id:
        return arguments == []
    return isinstance(arguments, list) and len(arguments) == 1 and _is_id(arguments[0])


def _is_id(value: object) -> bool:
    """Whether it is a UUID as we write it: other spellings are nobody's but a stranger's."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _is_name(name: bytes) -> bool:
    return name.isascii() and JOB_ID_PATTERN.fullmatch(name.decode()) is not None
