"""Resume imports after a killed process or a lost Redis. Every web process runs this, one at a time."""

import logging
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, text
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from product_importer.core import advisory_locks, queue
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.imports import events, worker_share
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.models import ImportJob, ImportPhase, ImportStatus, UndoStatus
from product_importer.imports.service import RUN_IMPORT, RUN_UNDO

log = logging.getLogger(__name__)

# Attempts without progress, after which an import fails.
MAX_ATTEMPTS = 5
# How long after an upload or an undo request its queued job counts as lost.
NOTIFY_SECONDS = 10

GAVE_UP = (
    "The import stopped {attempts} times without progress; the worker's log says why. "
    "The rows that were merged before are in the catalogue."
)


def reconcile(session: Session) -> None:
    """Queue abandoned imports and undos again, and fail imports that make no progress."""
    if not advisory_locks.try_to_hold(session, AdvisoryLock.RECONCILE_IMPORTS):
        return
    _enqueue_imports(session)
    _enqueue_undos(session)


def _enqueue_imports(session: Session) -> None:
    """Queue imports that no worker has; large ones only as far as workers may take them."""
    queued, free = worker_share.queued_ids(), worker_share.free_slots(session)
    abandoned = select(ImportJob).where(_is_abandoned()).order_by(col(ImportJob.created_at))
    for job in session.scalars(abandoned.with_for_update(skip_locked=True)):
        if job.attempts >= MAX_ATTEMPTS:
            _give_up(session, job)
            continue
        free -= job.is_large
        if str(job.id) not in queued and (free >= 0 or not job.is_large):
            log.warning("import %s: no worker has it, notifying one", job.id)
            queue.enqueue_after_commit(session, RUN_IMPORT, job.id)


def _enqueue_undos(session: Session) -> None:
    """Queue undos that no worker carries out; a worker that does holds the lock of the job's row."""
    is_due = _is_long_ago(col(ImportJob.undo_requested_at))
    abandoned = select(ImportJob).where(ImportJob.undo_status == UndoStatus.PENDING, is_due)
    queued = worker_share.queued_ids()
    for job in session.scalars(abandoned.with_for_update(skip_locked=True)):
        if str(job.id) not in queued:
            log.warning("import %s: no worker undoes it, notifying one", job.id)
            queue.enqueue_after_commit(session, RUN_UNDO, job.id)


def _is_abandoned() -> ColumnElement[bool]:
    return or_(
        and_(col(ImportJob.status) == ImportStatus.PENDING, _is_long_ago(col(ImportJob.created_at))),
        and_(col(ImportJob.status) == ImportStatus.PROCESSING, col(ImportJob.lease_until) < func.now()),
    )


def _is_long_ago(moment: Mapped[datetime | None]) -> ColumnElement[bool]:
    return moment < func.now() - text(f"interval '{NOTIFY_SECONDS} seconds'")


def _give_up(session: Session, job: ImportJob) -> None:
    log.error("import %s: gave up after %s attempts", job.id, job.attempts)
    job.status, job.phase = ImportStatus.FAILED, ImportPhase.FINISHED
    job.finished_at = session.scalar(select(func.now()))
    job.error_code, job.error_message = ImportErrorCode.GAVE_UP, GAVE_UP.format(attempts=job.attempts)
    # If its worker wakes up, its fencing token is outdated and it writes nothing. A retry goes on with its ranges.
    job.fence, job.lease_until, job.spool_id = job.fence + 1, None, None
    session.flush()
    events.record_end(session, job.model_dump())
