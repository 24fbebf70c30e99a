"""Keep one worker free for small imports, so that they never wait for the end of a large one.

A worker that is notified of a large import while large imports hold too many workers declines it (`lease.claim`). The
declined import is then no longer in the queue. It is queued again when a large import ends, by that import's worker
or else by the reconciler. Workers that no large import waits for help with one that is running.
"""

from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy import ColumnElement, and_, func, or_, text
from sqlmodel import Session, col, select

from product_importer.core import db, queue
from product_importer.imports.models import ImportJob, ImportStatus
from product_importer.imports.pipeline.lease import HELD_SLOTS
from product_importer.imports.service import HELP_IMPORT, RUN_IMPORT


def slots() -> int:
    """Return how many workers large imports may hold now: all live ones but one, and at least one."""
    try:
        return max(1, queue.live_workers(RUN_IMPORT.queue) - 1)
    except RedisError:
        return 1


def queued_ids() -> set[str]:
    """Return the ids of the imports in the queue; none when Redis is down, as queueing one twice is harmless."""
    try:
        return queue.waiting_keys(RUN_IMPORT)
    except RedisError:
        return set()


def free_slots(session: Session) -> int:
    """Return how many more workers large imports may hold now."""
    return slots() - int(session.execute(text(f"SELECT {HELD_SLOTS}")).scalar_one())


def free_helpers() -> int:
    """Return how many workers may help with a large import now: none while another one waits for a worker."""
    # The import itself has one of the slots: where there are no others, PostgreSQL need not be asked.
    return db.run(_free_helpers) if slots() > 1 else 0


def _free_helpers(session: Session) -> int:
    is_waiting = session.scalar(select(ImportJob.id).where(col(ImportJob.is_large), _is_waiting()).limit(1))
    return free_slots(session) if is_waiting is None else 0


def call_helpers(spool_id: UUID, count: int) -> None:
    """Notify so many workers of an import that shares its sorted rows, unless some are notified already.

    Raises:
        RedisError: Redis cannot be reached.
    """
    if str(spool_id) not in queue.waiting_keys(HELP_IMPORT):
        for _ in range(count):
            queue.enqueue(HELP_IMPORT, spool_id)


def notify_waiting() -> None:
    """Queue the large imports that have waited longest; call this when a large import has ended."""
    db.run(_enqueue_waiting)


def _enqueue_waiting(session: Session) -> None:
    waiting = (
        select(ImportJob.id)
        .where(col(ImportJob.is_large), _is_waiting())
        .order_by(col(ImportJob.created_at))
        .limit(max(0, free_slots(session)))
    )
    queued = queued_ids()
    for job_id in session.scalars(waiting).all():
        if str(job_id) not in queued:
            # At the front: later imports would otherwise take the free slot again and again.
            queue.enqueue_after_commit(session, RUN_IMPORT, job_id, at_front=True)


def _is_waiting() -> ColumnElement[bool]:
    is_abandoned = and_(col(ImportJob.status) == ImportStatus.PROCESSING, col(ImportJob.lease_until) < func.now())
    return or_(col(ImportJob.status) == ImportStatus.PENDING, is_abandoned)
