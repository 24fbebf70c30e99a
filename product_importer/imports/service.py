"""What can be done with imports. Services never commit: the caller owns the transaction."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from product_importer.core import queue
from product_importer.core.db import raw_connection
from product_importer.core.errors import Conflict, NotFound
from product_importer.imports import admission, idempotency, progress
from product_importer.imports.columns import saved_mappings
from product_importer.imports.models import ImportJob, ImportRowError, ImportUndoKept
from product_importer.imports.pipeline import dry_run, staging_table
from product_importer.imports.pipeline.sql_templates import CODES
from product_importer.imports.schemas import (
    FINAL,
    ChangesPage,
    ChangesQuery,
    ImportPage,
    ImportQuery,
    ImportRead,
    PageQuery,
    UndoKept,
    UndoKeptPage,
)

RUN_IMPORT = queue.Job(queue="imports", function="product_importer.imports.tasks.run_import")
RUN_UNDO = queue.Job(queue="imports", function="product_importer.imports.tasks.run_undo")

RETRYABLE = ("failed", "cancelled", "previewed")
UNDO_REFUSALS = {
    "pending": "The import is being undone already.",
    "undone": "The import was undone already.",
    "expired": "The import is too old: what it overwrote is not kept any more.",
}


def start_import(
    session: Session, job: ImportJob, columns: Mapping[str, str] | None = None, refuse_running: bool = False
) -> ImportRead:
    """Create the import of an uploaded file; a worker is nudged after the commit.

    `columns` is how its columns were mapped: remembered for the next file that has the same ones.

    Raises:
        Conflict: its idempotency key belongs to an import of another file, or with other choices; with
            `refuse_running`, the very same file is being imported right now.
        TooMany: too many imports are unfinished.
    """
    if earlier := idempotency.with_same_key(session, job):
        return ImportRead.of(earlier)
    if refuse_running:
        idempotency.refuse_running(session, job)
    admission.admit(session)
    saved_mappings.remember(session, job.header, columns)
    session.add(job)
    session.flush()
    session.refresh(job)
    queue.enqueue_after_commit(session, RUN_IMPORT, job.id)
    return ImportRead.of(job)


def list_imports(session: Session, query: ImportQuery) -> ImportPage:
    """Return a page of the imports, newest first."""
    chosen = [] if query.status is None else [col(ImportJob.status) == query.status]
    if query.q:
        chosen.append(col(ImportJob.filename).icontains(query.q, autoescape=True))
    page = (
        select(ImportJob)
        .where(*chosen)
        .order_by(col(ImportJob.created_at).desc(), col(ImportJob.id).desc())
        .limit(query.page_size)
        .offset((query.page - 1) * query.page_size)
    )
    return ImportPage(
        items=[progress.live(job) for job in session.scalars(page)],
        total=session.scalar(select(func.count()).select_from(ImportJob).where(*chosen)) or 0,
        page=query.page,
        page_size=query.page_size,
    )


def is_any_running(session: Session) -> bool:
    """Whether a worker is at an import."""
    return session.scalar(select(ImportJob.id).where(ImportJob.status == "processing").limit(1)) is not None


def cancel_import(session: Session, job_id: UUID) -> ImportRead:
    """Stop an import: at once when no worker has it, else at the edge of its next batch.

    Raises:
        NotFound: there is no such import.
        Conflict: it has ended already.
    """
    job = _locked(session, job_id)
    if job.status in FINAL:
        raise Conflict(f"The import has ended already: it is {job.status}.", kind="import-ended")
    now = session.scalars(select(func.now())).one()
    job.cancel_requested_at = job.cancel_requested_at or now
    is_abandoned = job.status == "processing" and job.lease_until is not None and job.lease_until < now
    if is_abandoned:
        # Should its worker wake up, it finds the import taken away.
        job.fence += 1
    if job.status == "pending" or is_abandoned:
        job.status, job.phase, job.finished_at = "cancelled", "finished", job.cancel_requested_at
    session.flush()
    return ImportRead.of(job)


def retry_import(session: Session, job_id: UUID) -> ImportRead:
    """Let a failed or cancelled import go on where it stopped, or a trial look again.

    Raises:
        NotFound: there is no such import.
        Conflict: it is not over, or complete, or undone, or its file is gone.
        TooMany: too many imports are unfinished.
    """
    job = _locked(session, job_id)
    if job.status not in RETRYABLE or job.undo_status is not None:
        raise Conflict(f"The import is {_state(job)}: there is nothing to try again.", kind="not-retryable")
    if job.file_deleted_at is not None:
        raise Conflict("The uploaded file is not kept any more. Upload it again.", kind="not-retryable")
    if job.choices.get("dry_run") and job.applied_at is None:
        # What a trial has shown, half of it too, goes with its tables: it looks at everything again.
        _forget_outcomes(session, job)
        dry_run.drop(raw_connection(session), job.id)
        job.preview_table = None
    return _begin_again(session, job)


def apply_import(session: Session, job_id: UUID) -> ImportRead:
    """Let a trial become an import: what it has shown is merged.

    Raises:
        NotFound: there is no such import.
        Conflict: it is no trial, or products have been changed since; `changed` counts them, `examples` has SKUs.
        TooMany: too many imports are unfinished.
    """
    job = _locked(session, job_id)
    if job.status != "previewed" or job.preview_table is None:
        raise Conflict(f"The import is {_state(job)}: only a trial can be applied.", kind="not-a-preview")
    changed, examples = dry_run.outdated(raw_connection(session), job.preview_table)
    if changed:
        raise Conflict(
            f"Since the trial {changed:,} of its products were changed, among them {', '.join(examples[:3])}. "
            "Try again to see what the file would do now.",
            kind="preview-outdated",
            title="The trial is out of date",
            changed=changed,
            examples=examples,
        )
    _forget_outcomes(session, job)
    job.applied_at = session.scalars(select(func.now())).one()
    return _begin_again(session, job)


def undo_import(session: Session, job_id: UUID) -> ImportRead:
    """Take an import back; a worker does it, whole or not at all.

    Raises:
        NotFound: there is no such import.
        Conflict: it is not over, changed nothing, was undone already, or is too old.
    """
    job = _locked(session, job_id)
    undo = ImportRead.of(job).undo
    if undo is None:
        raise Conflict(f"The import is {_state(job)}: there is nothing to undo.", kind="not-undoable")
    if undo.status != "possible":
        raise Conflict(UNDO_REFUSALS[undo.status], kind="not-undoable")
    job.undo_status, job.undo_requested_at = "pending", session.scalars(select(func.now())).one()
    session.flush()
    queue.enqueue_after_commit(session, RUN_UNDO, job.id)
    return ImportRead.of(job)


def list_changes(session: Session, job_id: UUID, query: ChangesQuery) -> ChangesPage:
    """Return one page of what a trial would create and update, field by field.

    Raises:
        NotFound: there is no such import.
        Conflict: it is no trial, or one that is over.
    """
    job = _found(session, job_id)
    if job.status != "previewed" or job.preview_table is None:
        raise Conflict(f"The import is {_state(job)}: it shows no changes.", kind="not-a-preview")
    if staging_table.count(raw_connection(session), job.staging_table or "") != job.staged_rows:
        # PostgreSQL empties what is not logged when it crashes.
        raise Conflict(
            "The database was restarted since the trial. Try again to see its changes.", kind="not-a-preview"
        )
    counts = {"created": job.created, "updated": job.updated}
    return ChangesPage(
        items=dry_run.changes(raw_connection(session), job, query),
        total=counts[query.outcome] if query.outcome else sum(counts.values()),
        page=query.page,
        page_size=query.page_size,
    )


def list_undo_kept(session: Session, job_id: UUID, query: PageQuery) -> UndoKeptPage:
    """Return one page of the products that an undo left as they were, by SKU.

    Raises:
        NotFound: there is no such import.
    """
    job = _found(session, job_id)
    kept = (
        select(ImportUndoKept)
        .where(col(ImportUndoKept.job_id) == job_id)
        .order_by(col(ImportUndoKept.sku), col(ImportUndoKept.product_id))
        .limit(query.page_size)
        .offset((query.page - 1) * query.page_size)
    )
    return UndoKeptPage(
        items=[UndoKept.model_validate(row, from_attributes=True) for row in session.scalars(kept)],
        total=job.undo_kept,
        page=query.page,
        page_size=query.page_size,
    )


def _found(session: Session, job_id: UUID) -> ImportJob:
    job = session.get(ImportJob, job_id)
    if job is None:
        raise NotFound(f"There is no import {job_id}.")
    return job


def _locked(session: Session, job_id: UUID) -> ImportJob:
    # Not against the reports of its rows, whose foreign key shares the job's.
    job = session.get(ImportJob, job_id, with_for_update={"key_share": True})
    if job is None:
        raise NotFound(f"There is no import {job_id}.")
    return job


def _state(job: ImportJob) -> str:
    if job.undo_status is not None:
        return "undone" if job.undo_status == "undone" else "being undone"
    return job.status


def _forget_outcomes(session: Session, job: ImportJob) -> None:
    """Take back what a trial has counted and reported; what the reader refused stays refused."""
    session.execute(
        delete(ImportRowError).where(col(ImportRowError.job_id) == job.id, col(ImportRowError.code).in_(CODES))
    )
    job.created = job.updated = job.unchanged = job.duplicates = 0
    job.rejected = (job.total_rows or 0) - (job.staged_rows or 0)
    if job.lane_ends is not None:
        job.lane_checkpoints = ["", *job.lane_ends][: len(job.lane_ends)]
        job.lane_created = [0] * len(job.lane_ends)
    job.percent, job.started_at = 0.0, None


def _begin_again(session: Session, job: ImportJob) -> ImportRead:
    admission.admit(session)
    # Should a worker of before wake up, it finds the import taken away.
    job.status, job.phase, job.fence, job.attempts = "pending", "waiting", job.fence + 1, 0
    job.error_code = job.error_message = job.error_line = None
    job.finished_at = job.cancel_requested_at = None
    session.flush()
    queue.enqueue_after_commit(session, RUN_IMPORT, job.id)
    return ImportRead.of(job)
