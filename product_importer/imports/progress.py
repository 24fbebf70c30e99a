"""Report an import's progress to the page and to event streams.

The job's row alone says how much is done, so no failure moves it back. Redis only holds the worker's speed and
estimate, and wakes watchers.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import asdict, dataclass
from uuid import UUID

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from product_importer.core import db, redis
from product_importer.core.errors import first_line
from product_importer.imports import jobs
from product_importer.imports.models import ImportJob, ImportPhase, ImportStatus
from product_importer.imports.schemas import ImportRead

log = logging.getLogger(__name__)

# How long Redis keeps a worker's progress after its last report.
EXPIRE_SECONDS = 60
# How long a watcher waits for a message before it reads the row anyway: messages may be lost.
POLL_SECONDS = 1.0

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
    key, text = _key(job_id), json.dumps({"fence": fence, **asdict(progress)})
    try:
        with redis.client().pipeline(transaction=False) as pipeline:
            pipeline.set(key, text, ex=EXPIRE_SECONDS)
            pipeline.publish(key, text)
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


async def watch(job_id: UUID) -> AsyncGenerator[ImportRead]:
    """Yield an import as it is now, then each change; end after a final status. `percent` never goes back.

    Raises:
        NotFound: there is no such import.
    """
    client = redis.async_client()
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    try:
        # Before the first look: an end between that and the subscription would be seen a second late.
        await _subscribe(pubsub, job_id)
        shown = await asyncio.to_thread(current, job_id)
        yield shown
        while not shown.is_final:
            await _next_message(pubsub, job_id)
            try:
                seen = await asyncio.to_thread(current, job_id)
            except db.OUTAGE as error:
                # Watchers keep what they have until PostgreSQL is back.
                log.warning("import %s: its progress cannot be read: %s", job_id, first_line(error))
                await asyncio.sleep(POLL_SECONDS)
                continue
            seen.percent = max(seen.percent, shown.percent)
            if seen != shown:
                shown = seen
                yield shown
    finally:
        with suppress(RedisError, OSError):
            await pubsub.aclose()  # type: ignore[no-untyped-call]
            await client.aclose()


async def _subscribe(pubsub: PubSub, job_id: UUID) -> None:
    try:
        await pubsub.subscribe(_key(job_id))
    except (RedisError, OSError) as error:
        log.debug("import %s: no subscription yet: %s", job_id, error)


async def _next_message(pubsub: PubSub, job_id: UUID) -> None:
    """Wait for a message of the worker, at most `POLL_SECONDS`, with or without Redis."""
    deadline = time.monotonic() + POLL_SECONDS
    try:
        if not pubsub.subscribed:
            await pubsub.subscribe(_key(job_id))
        # The confirmation of the subscription is returned as None, before the time is over.
        while (left := deadline - time.monotonic()) > 0:
            if await pubsub.get_message(timeout=left):
                return
    except (RedisError, OSError) as error:
        log.debug("import %s: no messages, polling instead: %s", job_id, error)
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))


def _worker_progress(job_id: UUID, fence: int) -> WorkerProgress | None:
    """Return the last report of the worker with this fencing token, or None."""
    try:
        text = redis.client().get(_key(job_id))
    except RedisError:
        return None
    report = json.loads(text) if text else {}  # type: ignore[arg-type]
    if report.get("fence") != fence:
        return None
    return WorkerProgress(report["eta_seconds"], report["rows_per_second"])


def _key(job_id: UUID) -> str:
    return f"import:{job_id}:progress"
