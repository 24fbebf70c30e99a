"""Let workers run only the application's own jobs, whatever else stands in Redis.

RQ imports and calls the function and the callbacks that a job names, sends the web requests that it asks for, and
unpickles its content. So RQ's classes are patched: each job is checked as it is read, before anything that it names
is imported. A job that is not the application's is rejected with a line in the log, and the worker goes on.
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

# The fields that RQ writes for our jobs and that differ from job to job.
VARYING_FIELDS = {
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
# The fields that are the same for each of our jobs: these values are used, whatever Redis holds.
FIXED_FIELDS = {
    "timeout": str(queue.JOB_TIMEOUT_SECONDS).encode(),
    "result_ttl": str(queue.RESULT_SECONDS).encode(),
    "failure_ttl": str(queue.FAILURE_SECONDS).encode(),
}
IGNORED_FIELDS = {"description"}
# Our jobs have about 120 bytes. They are compressed: larger ones could fill the memory when unpacked.
MAX_BYTES = 2_000

_restore = Job.restore
_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = 300
_dequeue_any = Queue.dequeue_any.__func__  # type: ignore[attr-defined]
_clean_registries: Any = BaseWorker.clean_registries


class ForeignJob(ValueError):
    """A job in Redis that is not the application's. The message says why."""


def patch_rq() -> None:
    """Patch RQ in this process and in those that it forks. Call it before a worker is made."""
    # RQ's default serializer.
    pickle: Any = serializers.PickleSerializer
    pickle.loads, pickle.dumps = map(
        staticmethod, (serializers.JSONSerializer.loads, serializers.JSONSerializer.dumps)
    )
    job: Any = Job
    job.restore, job.fetch, job.fetch_many = restore, classmethod(fetch), classmethod(fetch_many)
    rq_queue: Any = Queue
    rq_queue.dequeue_any = classmethod(dequeue_any)
    intermediate_queue: Any = IntermediateQueue
    intermediate_queue.get_job_ids = waiting_ids
    worker: Any = BaseWorker
    worker.clean_registries = clean_registries
    # The application uses no job groups and sends workers no commands: any in Redis are an intruder's.
    worker.clean_group_registries = worker.subscribe = lambda _: None


def refuse_spawn_worker(worker: object) -> None:
    """Refuse to start RQ's `SpawnWorker`: it runs jobs in new processes, in which RQ is not patched.

    Raises:
        SystemExit: the worker is one.
    """
    if isinstance(worker, SpawnWorker):
        raise SystemExit(
            "product-importer: SpawnWorker would run any job in Redis and show Redis's password: use rq's default"
        )


def restore(job: Job, stored: Mapping[bytes, bytes]) -> None:
    """Fill a job with what Redis holds; delete it from Redis if it is not the application's. Replaces `Job.restore`.

    Raises:
        NoSuchJobError: the job is not the application's, or is gone; RQ skips it.
    """
    job.serializer = serializers.JSONSerializer
    try:
        _restore(job, _checked_fields(stored))
        _check_call(job)
    except (ValueError, DeserializationError) as error:
        reason = str(error) or "its content is not the JSON that RQ writes"
        log.error("rejected a job in Redis that is not the application's: %s: %s", job.id, _shortened.repr(reason))
        # RQ's cleaning would find its id in a registry and read it again and again.
        job.connection.delete(job.key)
        raise NoSuchJobError(f"rejected {job.key}") from error
    job.description = job.get_call_string()


def fetch(cls: type[Job], id: str, connection: Any = None, serializer: Any = None) -> Job:
    """Fetch one job. Replaces `Job.fetch`.

    Raises:
        NoSuchJobError: the application has no job of that id.
    """
    name = parse_job_id(id)
    if not JOB_ID_PATTERN.fullmatch(name):
        raise NoSuchJobError("not a job id")
    job = cls(name, connection=connection, serializer=serializer)
    job.refresh()  # type: ignore[no-untyped-call]
    return job


def fetch_many(cls: type[Job], job_ids: Iterable[str], connection: Any, serializer: Any = None) -> list[Job | None]:
    """Fetch several jobs, None for each that is not the application's. Replaces `Job.fetch_many`."""

    def found(job_id: str) -> Job | None:
        try:
            return cls.fetch(job_id, connection=connection, serializer=serializer)
        except NoSuchJobError:
            return None

    return [found(job_id) for job_id in job_ids]


def dequeue_any(cls: type[Queue], *arguments: Any, **options: Any) -> Any:
    """Wait for the next job. Replaces `Queue.dequeue_any`, which raises when a job id is not UTF-8."""
    while True:
        try:
            return _dequeue_any(cls, *arguments, **options)
        except UnicodeDecodeError:
            log.error("rejected a job in Redis whose id is not UTF-8")


def waiting_ids(jobs: IntermediateQueue) -> list[str]:
    """Return the ids of jobs that were taken but not begun; remove what is not an id. Replaces `get_job_ids`."""
    ids: Any = jobs.connection.lrange(jobs.key, 0, -1)
    for job_id in ids:
        if not _is_job_id(job_id):
            jobs.connection.lrem(jobs.key, 0, job_id)
    return [job_id.decode() for job_id in ids if _is_job_id(job_id)]


@functools.wraps(_clean_registries)
def clean_registries(worker: BaseWorker) -> None:
    """Clean RQ's registries; log an error where RQ cannot read what they hold."""
    try:
        _clean_registries(worker)
    except (ValueError, ResponseError) as error:
        log.error("Redis holds data that RQ cannot read, so it cannot clean up: %s", _shortened.repr(str(error)))


def _checked_fields(stored: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    fields = {name.decode(): value for name, value in stored.items() if value}
    if "data" not in fields:
        raise NoSuchJobError("a job without content")
    if unknown := fields.keys() - VARYING_FIELDS - FIXED_FIELDS.keys() - IGNORED_FIELDS:
        raise ForeignJob(f"it has {', '.join(sorted(unknown))}")
    if len(fields["data"]) > MAX_BYTES:
        raise ForeignJob(f"it has more than {MAX_BYTES} bytes")
    varying = {name: value for name, value in fields.items() if name in VARYING_FIELDS}
    return {name.encode(): value for name, value in (varying | FIXED_FIELDS).items()}


def _check_call(job: Job) -> None:
    known = next((known for known in queue.JOBS if known.function == job.func_name), None)
    if known is None:
        raise ForeignJob(f"its function is {job.func_name!r}")
    if known.queue != job.origin:
        raise ForeignJob(f"{known.function} does not belong into the queue {job.origin!r}")
    if job.instance is not None or job.kwargs != {}:
        raise ForeignJob(f"{known.function} is not a method and takes no named arguments")
    if not _has_expected_arguments(known, job.args):
        raise ForeignJob(f"{known.function} takes {'one id' if known.takes_id else 'nothing'}, not {job.args!r}")


def _has_expected_arguments(known: queue.Job, arguments: object) -> bool:
    if not known.takes_id:
        return arguments == []
    return isinstance(arguments, list) and len(arguments) == 1 and _is_uuid(arguments[0])


def _is_uuid(value: object) -> bool:
    """Whether the value is a UUID in the one spelling that the application writes."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _is_job_id(value: bytes) -> bool:
    return value.isascii() and JOB_ID_PATTERN.fullmatch(value.decode()) is not None
