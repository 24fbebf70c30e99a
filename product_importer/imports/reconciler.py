"""Puts right what a killed process or a wiped Redis left: runs in every web process, one at a time."""

import logging

from sqlalchemy import ColumnElement, and_, func, or_, text
from sqlmodel import Session, col, select

from product_importer.core import advisory_locks, db, queue
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.imports import events, worker_share
from product_importer.imports.models import ImportJob
from product_importer.imports.pipeline import staging_table
from product_importer.imports.service import RUN_IMPORT, RUN_UNDO

log = logging.getLogger(__name__)

# A worker that took an import this often without getting anywhere will not the next time either.
MAX_ATTEMPTS = 5
# The nudge after an upload gets this long before it counts as lost.
NOTIFY_SECONDS = 10

GAVE_UP = (
    "The import stopped {attempts} times without getting further; the worker's log says why. "
    "What it had merged until then is in the catalogue."
)


def reconcile(session: Session) -> None:
    """Nudge workers for imports that nobody works on, end those that cannot go on, drop orphaned tables."""
    if not advisory_locks.try_to_hold(session, AdvisoryLock.RECONCILE_IMPORTS):
        return
    _send_imports(session)
    _send_undos(session)
    _drop_orphans(session)


def _send_imports(session: Session) -> None:
    """Nudge workers for imports that nobody works on: for large ones as far as workers may take them."""
    waiting, free = worker_share.notified(), worker_share.free_slots(session)
    left = select(ImportJob).where(_is_abandoned()).order_by(col(ImportJob.created_at))
    for job in session.scalars(left.with_for_update(skip_locked=True)):
        if job.attempts >= MAX_ATTEMPTS:
            _give_up(session, job)
            continue
        free -= job.is_large
        if str(job.id) not in waiting and (free >= 0 or not job.is_large):
            log.warning("import %s: nobody works on it, nudging a worker", job.id)
            queue.enqueue_after_commit(session, RUN_IMPORT, job.id)


def _send_undos(session: Session) -> None:
    """Nudge workers for undos that nobody carries out: whoever does holds the job's row."""
    asked_long_ago = col(ImportJob.undo_requested_at) < func.now() - text(f"interval '{NOTIFY_SECONDS} seconds'")
    left = select(ImportJob).where(ImportJob.undo_status == "pending", asked_long_ago)
    waiting = worker_share.notified()
    for job in session.scalars(left.with_for_update(skip_locked=True)):
        if str(job.id) not in waiting:
            log.warning("import %s: nobody undoes it, nudging a worker", job.id)
            queue.enqueue_after_commit(session, RUN_UNDO, job.id)


def _is_abandoned() -> ColumnElement[bool]:
    notified_long_ago = col(ImportJob.created_at) < func.now() - text(f"interval '{NOTIFY_SECONDS} seconds'")
    return or_(
        and_(col(ImportJob.status) == "pending", notified_long_ago),
        and_(col(ImportJob.status) == "processing", col(ImportJob.lease_until) < func.now()),
    )


def _give_up(session: Session, job: ImportJob) -> None:
    log.error("import %s: gave up after %s attempts", job.id, job.attempts)
    job.status, job.phase, job.finished_at = "failed", "finished", session.scalar(select(func.now()))
    job.error_code, job.error_message = "gave_up", GAVE_UP.format(attempts=job.attempts)
    # The fence rises: should its worker wake up, it finds the import taken away.
    job.fence, job.staging_table, job.lease_until = job.fence + 1, None, None
    session.flush()
    events.record_end(session, job.model_dump())


def _drop_orphans(session: Session) -> None:
    """Drop the staging tables of imports that have ended, but those of trials that may be applied."""
    connection = db.raw_connection(session)
    # The tables first: one that is made after this is none of ours, and one made before has its import by now.
    found = {staging_table.job_of(table) for table in staging_table.tables(connection)}
    unfinished = select(ImportJob.id).where(
        or_(col(ImportJob.status).in_(("pending", "processing")), col(ImportJob.staging_table).is_not(None))
    )
    for orphan in found - set(session.scalars(unfinished)):
        staging_table.drop_all(connection, orphan)
