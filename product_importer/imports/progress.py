"""Report an import's progress to the page and to event streams.

The job's row alone says how much is done, so no failure moves it back. Redis only holds the worker's speed and
estimate, and wakes watchers.
"""

import json
import logging
from dataclasses import asdict, dataclass
from uuid import UUID

from redis.exceptions import RedisError

from product_importer.core import db, redis
from product_importer.imports import jobs
from product_importer.imports.models import ImportJob, ImportPhase, ImportStatus
from product_importer.imports.schemas import ImportRead

log = logging.getLogger(__name__)

# How long Redis keeps a worker's progress after its last report.
EXPIRE_SECONDS = 60

# The percent at which reading ends and merging begins, measured with files of new products.
READ_SHARE = 25.0


@dataclass(frozen=True)
class WorkerProgress:
    """What only the worker knows: the seconds left, and its rows per second in the current phase."""

    eta_seconds: float | None
    rows_per_second: int | None


def percent_of(phase: str, read: float, merged: float) -> float:
    """Return the percent of the whole import that is done; `read` and `merged` are shares from 0 to 1."""
    if phase == ImportPhase.READING:
        return READ_SHARE * min(read, 1.0)
    return READ_SHARE + (100.0 - READ_SHARE) * min(merged, 1.0)


def publish(job_id: UUID, fence: int, progress: WorkerProgress) -> None:
    """Publish a worker's progress; without Redis, watchers still see the job's row every second."""
    channel, text = key(job_id), json.dumps({"fence": fence, **asdict(progress)})
    try:
        with redis.client().pipeline(transaction=False) as pipeline:
            pipeline.set(channel, text, ex=EXPIRE_SECONDS)
            pipeline.publish(channel, text)
            pipeline.execute()
    except RedisError as error:
        log.debug("import %s: progress could not be published: %s", job_id, error)


def current(job_id: UUID) -> ImportRead:
    """Return an import as it is now: the job's row with its committed counts, and its worker's progress.

    Raises:
        NotFound: there is no such import.
    """
    with db.session() as session:
        job = jobs.find(session, job_id)
    return live(job)


def live(job: ImportJob) -> ImportRead:
    """Return the import of a job's row, with its worker's progress while it is being processed."""
    stored = ImportRead.of(job)
    stored.percent = max(stored.percent, _proven_percent(stored))
    progress = _worker_progress(job.id, job.fence) if stored.status == ImportStatus.PROCESSING else None
    return stored if progress is None else stored.model_copy(update=asdict(progress))


def _proven_percent(stored: ImportRead) -> float:
    """Return the percent that phase and committed counts prove: they are newer than that of the last heartbeat."""
    if not stored.processed_rows and stored.phase in (ImportPhase.WAITING, ImportPhase.READING):
        return 0.0
    merged = stored.processed_rows / stored.total_rows if stored.total_rows else 0.0
    # 100 is shown only when the import has ended.
    return min(99.9, round(percent_of(ImportPhase.MERGING, 1.0, merged), 1))


def _worker_progress(job_id: UUID, fence: int) -> WorkerProgress | None:
    """Return the last report of the worker with this fencing token, or None."""
    try:
        text = redis.client().get(key(job_id))
    except RedisError:
        return None
    report = json.loads(text) if text else {}  # type: ignore[arg-type]
    if report.get("fence") != fence:
        return None
    return WorkerProgress(report["eta_seconds"], report["rows_per_second"])


def key(job_id: UUID) -> str:
    """Return the key of a worker's progress, which is also the channel that wakes watchers."""
    return f"import:{job_id}:progress"
