"""How far an import is, for the page and for events: by one watcher, from the job's row and from its worker's pace.

The row alone says how much is done, so that no fault makes it less; Redis holds the pace, and wakes who watches.
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
from product_importer.core.errors import NotFound, first_line
from product_importer.imports.models import ImportJob
from product_importer.imports.schemas import ImportRead

log = logging.getLogger(__name__)

# How long a view outlives the worker that wrote it.
VIEW_SECONDS = 60
# How long the watcher waits for a message before it looks by itself: messages may be lost.
LOOK_SECONDS = 1.0

# The percent at which each phase ends, as measured on all-new files of 500,000 and of 5,000,000 rows.
READ_SHARE = 23.0
INDEX_SHARE = 26.0


@dataclass(frozen=True)
class Pace:
    """What only the worker knows: seconds to go, rows per second."""

    eta_seconds: float | None
    rows_per_second: int | None


def percent_of(phase: str, read: float, merged: float) -> float:
    """Return the percent done of the whole import, from the shares read and merged (0 to 1) in its phase."""
    if phase == "reading":
        return READ_SHARE * min(read, 1.0)
    if phase == "indexing":
        return READ_SHARE
    return INDEX_SHARE + (100.0 - INDEX_SHARE) * min(merged, 1.0)


def publish(job_id: UUID, fence: int, pace: Pace) -> None:
    """Show how far an import is; without Redis people see it every few seconds, from the job's row."""
    key, text = _key(job_id), json.dumps({"fence": fence, **asdict(pace)})
    try:
        with redis.client().pipeline(transaction=False) as pipeline:
            pipeline.set(key, text, ex=VIEW_SECONDS)
            pipeline.publish(key, text)
            pipeline.execute()
    except RedisError as error:
        log.debug("import %s: progress is not shown: %s", job_id, error)


def current(job_id: UUID) -> ImportRead:
    """Return an import as it is now: the job's row with its committed counts, and its worker's pace.

    Raises:
        NotFound: there is no such import.
    """
    with db.session() as session:
        job = session.get(ImportJob, job_id)
    if job is None:
        raise NotFound(f"There is no import {job_id}.")
    return live(job)


def live(job: ImportJob) -> ImportRead:
    """Return the job's row as it is seen from outside, with its worker's pace while it is being processed."""
    stored = ImportRead.of(job)
    stored.percent = max(stored.percent, _percent_of_counts(stored))
    pace = _pace(job.id, job.fence) if stored.status == "processing" else None
    return stored if pace is None else stored.model_copy(update=asdict(pace))


def _percent_of_counts(stored: ImportRead) -> float:
    """Return what the committed counts prove: they are newer than the percent that the heartbeat wrote."""
    if not stored.total_rows or not stored.processed_rows:
        return 0.0
    # The last step to 100 belongs to the finish.
    return min(99.9, round(percent_of("merging", 1.0, stored.processed_rows / stored.total_rows), 1))


async def watch(job_id: UUID) -> AsyncGenerator[ImportRead]:
    """Yield an import as it is now, then each change; end after a final status. Percent never goes back.

    Raises:
        NotFound: there is no such import.
    """
    shown = await asyncio.to_thread(current, job_id)
    yield shown
    client = redis.async_client()
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    try:
        while not shown.is_final:
            await _next_message(pubsub, job_id)
            try:
                seen = await asyncio.to_thread(current, job_id)
            except db.OUTAGE as error:
                # Whoever watches keeps what was seen last until there is something new.
                log.warning("import %s: cannot be looked at: %s", job_id, first_line(error))
                await asyncio.sleep(LOOK_SECONDS)
                continue
            seen.percent = max(seen.percent, shown.percent)
            if seen != shown:
                shown = seen
                yield shown
    finally:
        with suppress(RedisError, OSError):
            await pubsub.aclose()  # type: ignore[no-untyped-call]
            await client.aclose()


async def _next_message(pubsub: PubSub, job_id: UUID) -> None:
    """Wait until the worker says something, but no longer than `LOOK_SECONDS`, Redis or not."""
    deadline = time.monotonic() + LOOK_SECONDS
    try:
        if not pubsub.subscribed:
            await pubsub.subscribe(_key(job_id))
        # The answer to the subscription comes as None, long before the time is over.
        while (left := deadline - time.monotonic()) > 0:
            if await pubsub.get_message(timeout=left):
                return
    except (RedisError, OSError) as error:
        log.debug("import %s: no messages, looking instead: %s", job_id, error)
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))


def _pace(job_id: UUID, fence: int) -> Pace | None:
    """Return what the holder of this fence said last, if Redis still knows."""
    try:
        text = redis.client().get(_key(job_id))
    except RedisError:
        return None
    said = json.loads(text) if text else {}  # type: ignore[arg-type]
    return Pace(said["eta_seconds"], said["rows_per_second"]) if said.get("fence") == fence else None


def _key(job_id: UUID) -> str:
    return f"import:{job_id}:progress"
