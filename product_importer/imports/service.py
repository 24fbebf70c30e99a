"""Start, list, cancel, retry, apply and undo imports. Services never commit: the caller owns the transaction."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from product_importer.access import principal, recheck
from product_importer.access.audit import AuditAction
from product_importer.access.schemas import Permission
from product_importer.catalog.history.changes import JOB_FINDERS
from product_importer.catalog.last_change import IMPORT_FINDERS
from product_importer.core import queue
from product_importer.core.errors import Conflict
from product_importer.core.pagination import PageQuery
from product_importer.core.problem_types import ProblemType
from product_importer.imports import (
    admission,
    dry_runs,
    events,
    idempotency,
    jobs,
    last_writer,
    product_changes,
    progress,
)
from product_importer.imports.columns import saved_mappings
from product_importer.imports.models import (
    FINAL,
    RETRYABLE,
    ImportJob,
    ImportPhase,
    ImportStatus,
    ImportUndoKept,
    UndoStatus,
)
from product_importer.imports.schemas import (
    ImportPage,
    ImportQuery,
    ImportRead,
    UndoKept,
    UndoKeptPage,
)

RUN_IMPORT = queue.Job(queue="imports", function="product_importer.imports.tasks.run_import")
# Takes the id under which an import shares its sorted rows: no other job of the queue has it.
HELP_IMPORT = queue.Job(queue="imports", function="product_importer.imports.tasks.help_import")
RUN_UNDO = queue.Job(queue="imports", function="product_importer.imports.tasks.run_undo")

UNDO_ERRORS = {
    UndoStatus.PENDING: "The {} is being undone already.",
    UndoStatus.UNDONE: "The {} was undone already.",
    UndoStatus.EXPIRED: "The {} is too old: the values that it overwrote were deleted.",
}

ACTION_TOO_OLD = "The action is too old: the list of its products was deleted. Start it again."


def start_import(
    session: Session, job: ImportJob, columns: Mapping[str, str] | None = None, refuse_running: bool = False
) -> ImportRead:
    """Create the import of an uploaded file; a worker is notified after the commit.

    `columns` maps the file's columns to fields; it is saved for the next file with the same columns.

    Raises:
        Conflict: its idempotency key belongs to an import of another file or with other options; with
            `refuse_running`, the same file is being imported right now.
        TooMany: too many imports are unfinished.
        Unauthenticated, Forbidden: the session or token ended, or lost its permission, while the file arrived.
    """
    recheck.require_still(session, Permission.IMPORT)
    if earlier := idempotency.find_by_key(session, job):
        return ImportRead.of(earlier)
    if refuse_running:
        idempotency.refuse_running(session, job)
    admission.admit(session)
    saved_mappings.save(session, job.header, columns)
    job.started_by = principal.current().stored()
    session.add(job)
    session.flush()
    session.refresh(job)
    linked = {} if job.parent_id is None else {"parent_id": str(job.parent_id)}
    events.record_action(
        session,
        AuditAction.IMPORT_STARTED,
        job,
        size_bytes=job.size_bytes,
        sha256=job.sha256,
        options=job.choices,
        **linked,
    )
    queue.enqueue_after_commit(session, RUN_IMPORT, job.id)
    return ImportRead.of(job)


def list_imports(session: Session, query: ImportQuery) -> ImportPage:
    """Return a page of the imports, newest first."""
    filters = [] if query.status is None else [col(ImportJob.status) == query.status]
    if query.q:
        filters.append(col(ImportJob.filename).icontains(query.q, autoescape=True))
    page = (
        select(ImportJob)
        .where(*filters)
        .order_by(col(ImportJob.created_at).desc(), col(ImportJob.id).desc())
        .limit(query.page_size)
        .offset(query.offset)
    )
    return ImportPage(
        items=[progress.live(job) for job in session.scalars(page)],
        total=session.scalar(select(func.count()).select_from(ImportJob).where(*filters)) or 0,
        page=query.page,
        page_size=query.page_size,
    )


def find_imports(session: Session, ids: Collection[UUID]) -> list[ImportRead]:
    """Return imports by their ids, in no order."""
    if not ids:
        return []
    return [progress.live(job) for job in session.scalars(select(ImportJob).where(col(ImportJob.id).in_(ids)))]


def is_any_running(session: Session) -> bool:
    """Whether a worker is processing an import."""
    running = select(ImportJob.id).where(ImportJob.status == ImportStatus.PROCESSING).limit(1)
    return session.scalar(running) is not None


def cancel_import(session: Session, job_id: UUID) -> ImportRead:
    """Cancel an import: at once when no worker has it, else after its current batch.

    Raises:
        NotFound: there is no such import.
        Forbidden: who asks may not do what it does.
        Conflict: it has ended already.
    """
    job = jobs.lock(session, job_id)
    jobs.require_control(job)
    if job.status in FINAL:
        raise Conflict(f"The {jobs.noun(job)} has ended already: it is {job.status}.", kind=ProblemType.IMPORT_ENDED)
    now = _now(session)
    if job.cancel_requested_at is None:
        events.record_action(session, AuditAction.IMPORT_CANCELLED, job)
    job.cancel_requested_at = job.cancel_requested_at or now
    is_abandoned = job.status == ImportStatus.PROCESSING and job.lease_until is not None and job.lease_until < now
    if is_abandoned:
        # If its worker wakes up, its fencing token is outdated and it writes nothing.
        job.fence, job.spool_id = job.fence + 1, None
    if job.status == ImportStatus.PENDING or is_abandoned:
        job.status, job.phase = ImportStatus.CANCELLED, ImportPhase.FINISHED
        job.finished_at = job.cancel_requested_at
        session.flush()
        events.record_end(session, job.model_dump())
    session.flush()
    return ImportRead.of(job)


def retry_import(session: Session, job_id: UUID) -> ImportRead:
    """Continue a failed or cancelled import where it stopped, or repeat a dry run.

    Raises:
        NotFound: there is no such import.
        Forbidden: who asks may not do what it does.
        Conflict: it is unfinished, completed or undone, its file was deleted, or a backup reads its dry run.
        TooMany: too many imports are unfinished.
    """
    job = jobs.lock(session, job_id)
    jobs.require_control(job)
    if job.status not in RETRYABLE or job.undo_status is not None:
        raise Conflict(
            f"The {jobs.noun(job)} is {jobs.state(job)}: it cannot be retried.", kind=ProblemType.NOT_RETRYABLE
        )
    if job.file_deleted_at is not None:
        message = "The uploaded file was deleted. Upload it again." if job.action is None else ACTION_TOO_OLD
        raise Conflict(message, kind=ProblemType.NOT_RETRYABLE)
    if job.choices.get("dry_run") and job.applied_at is None:
        dry_runs.prepare_repeat(session, job)
    return _restart(session, job, AuditAction.IMPORT_RETRIED)


def apply_import(session: Session, job_id: UUID) -> ImportRead:
    """Turn a finished dry run into an import: a worker merges what it has shown.

    Raises:
        NotFound: there is no such import.
        Conflict: it is no finished dry run, or products were changed since; `changed` counts them, `examples` has
            SKUs.
        TooMany: too many imports are unfinished.
    """
    job = jobs.lock(session, job_id)
    dry_runs.prepare_apply(session, job)
    job.applied_at = _now(session)
    return _restart(session, job, AuditAction.IMPORT_APPLIED)


def undo_import(session: Session, job_id: UUID) -> ImportRead:
    """Request the undo of an import; a worker does it in one transaction.

    Raises:
        NotFound: there is no such import.
        Forbidden: who asks may not do what it does.
        Conflict: it is unfinished, changed nothing, was undone already, or is too old.
    """
    job = jobs.lock(session, job_id)
    jobs.require_control(job)
    undo = ImportRead.of(job).undo
    if undo is None:
        message = f"The {jobs.noun(job)} is {jobs.state(job)}: there is nothing to undo."
        raise Conflict(message, kind=ProblemType.NOT_UNDOABLE)
    if undo.status != UndoStatus.POSSIBLE:
        raise Conflict(UNDO_ERRORS[undo.status].format(jobs.noun(job)), kind=ProblemType.NOT_UNDOABLE)
    job.undo_status, job.undo_requested_at = UndoStatus.PENDING, _now(session)
    job.undo_by = principal.current().stored()
    events.record_action(session, AuditAction.IMPORT_UNDO_REQUESTED, job)
    session.flush()
    queue.enqueue_after_commit(session, RUN_UNDO, job.id)
    return ImportRead.of(job)


def list_undo_kept(session: Session, job_id: UUID, query: PageQuery) -> UndoKeptPage:
    """Return one page of the products that an undo did not change, by SKU.

    Raises:
        NotFound: there is no such import.
        Forbidden: who asks may not read it.
    """
    job = jobs.find(session, job_id)
    jobs.require_view(jobs.action_kind(job))
    kept = (
        select(ImportUndoKept)
        .where(col(ImportUndoKept.job_id) == job_id)
        .order_by(col(ImportUndoKept.sku), col(ImportUndoKept.product_id))
        .limit(query.page_size)
        .offset(query.offset)
    )
    return UndoKeptPage(
        items=[UndoKept.model_validate(row, from_attributes=True) for row in session.scalars(kept)],
        total=job.undo_kept,
        page=query.page,
        page_size=query.page_size,
    )


def _now(session: Session) -> datetime:
    return session.scalars(select(func.now())).one()


def _restart(session: Session, job: ImportJob, action: AuditAction) -> ImportRead:
    admission.admit(session)
    job.started_by = principal.current().stored()
    events.record_action(session, action, job)
    # If an earlier worker wakes up, its fencing token is outdated and it writes nothing.
    job.status, job.phase = ImportStatus.PENDING, ImportPhase.WAITING
    job.fence, job.attempts, job.spool_id = job.fence + 1, 0, None
    job.error_code = job.error_message = job.error_line = None
    job.finished_at = job.cancel_requested_at = None
    session.flush()
    queue.enqueue_after_commit(session, RUN_IMPORT, job.id)
    return ImportRead.of(job)


IMPORT_FINDERS.append(last_writer.find)
JOB_FINDERS.append(product_changes.find)
