"""Whose turn it is: large imports leave one worker to the small ones, which so never wait for a large one's end.

A worker that is nudged for a large import while too many are held declines (`lease.claim`). What was declined has no
nudge any more; it gets one when a large import ends, from that worker, or else from the reconciler.
"""

from redis.exceptions import RedisError
from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select

from product_importer.core import db, queue
from product_importer.imports.models import ImportJob, ImportStatus
from product_importer.imports.service import RUN_IMPORT


def slots() -> int:
    """Return how many workers large imports may hold now: all that live but one, and at least one."""
    try:
        return max(1, queue.live_workers(RUN_IMPORT.queue) - 1)
    except RedisError:
        return 1


def notified() -> set[str]:
    """Return the imports that have a nudge; none when Redis cannot be asked, for too many nudges are harmless."""
    try:
        return queue.waiting_keys(RUN_IMPORT)
    except RedisError:
        return set()


def free_slots(session: Session) -> int:
    """Return how many more large imports may be taken by workers now."""
    is_held = and_(
        col(ImportJob.holds_worker),
        col(ImportJob.status) == ImportStatus.PROCESSING,
        col(ImportJob.lease_until) > func.now(),
    )
    return slots() - (session.scalar(select(func.count()).select_from(ImportJob).where(is_held)) or 0)


def pass_on() -> None:
    """Nudge for the large imports that have waited longest; call when one has ended."""
    db.run(_notify_waiting)


def _notify_waiting(session: Session) -> None:
    waiting = (
        select(ImportJob.id)
        .where(col(ImportJob.is_large), _is_waiting())
        .order_by(col(ImportJob.created_at))
        .limit(max(0, free_slots(session)))
    )
    waiting_keys = notified()
    for job_id in session.scalars(waiting).all():
        if str(job_id) not in waiting_keys:
            # In front of what came later, which would otherwise take its turn again and again.
            queue.enqueue_after_commit(session, RUN_IMPORT, job_id, at_front=True)


def _is_waiting() -> ColumnElement[bool]:
    is_abandoned = and_(col(ImportJob.status) == ImportStatus.PROCESSING, col(ImportJob.lease_until) < func.now())
    return or_(col(ImportJob.status) == ImportStatus.PENDING, is_abandoned)
