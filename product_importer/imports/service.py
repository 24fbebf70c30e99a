"""What can be done with imports. Services never commit: the caller owns the transaction."""

from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from product_importer.catalog.service import BEFORE_DELETE_ALL
from product_importer.core import queue
from product_importer.core.errors import Conflict, NotFound
from product_importer.imports import progress
from product_importer.imports.models import ImportJob
from product_importer.imports.schemas import FINAL, ImportPage, ImportQuery, ImportRead

# The first half of an advisory lock's number; the second is a hash of the key.
KEY_LOCK = 7_301_004

RUN_IMPORT = queue.Job(queue="imports", function="product_importer.imports.tasks.run_import")


def start_import(session: Session, job: ImportJob) -> ImportRead:
    """Create the import of an uploaded file; a worker is nudged after the commit.

    Raises:
        Conflict: its idempotency key belongs to an import of another file, or with other choices.
    """
    if earlier := _same_key(session, job):
        return ImportRead.of(earlier)
    session.add(job)
    session.flush()
    session.refresh(job)
    queue.enqueue_after_commit(session, RUN_IMPORT, job.id)
    return ImportRead.of(job)


def _same_key(session: Session, job: ImportJob) -> ImportJob | None:
    """Return the import that was made with the same idempotency key, where there is one."""
    if job.idempotency_key is None:
        return None
    # Two uploads with one key that arrive together must not both find nothing.
    session.execute(select(func.pg_advisory_xact_lock(KEY_LOCK, func.hashtext(job.idempotency_key))))
    earlier = session.scalar(select(ImportJob).where(ImportJob.idempotency_key == job.idempotency_key))
    if earlier is not None and (earlier.sha256, earlier.choices, earlier.fields, earlier.format) != (
        job.sha256,
        job.choices,
        job.fields,
        job.format,
    ):
        raise Conflict(
            "This Idempotency-Key was sent with another file or other choices. Use a new key for each import.",
            kind="idempotency-key-reused",
            title="The key was used already",
            job_id=str(earlier.id),
        )
    return earlier


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
    job = session.get(ImportJob, job_id, with_for_update=True)
    if job is None:
        raise NotFound(f"There is no import {job_id}.")
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


def refuse_while_importing(session: Session) -> None:
    """Speak against deleting the whole catalogue while an import is unfinished.

    Raises:
        Conflict: one is; `job_id` in its `extra` says which.
    """
    unfinished = select(ImportJob).where(col(ImportJob.status).not_in(FINAL)).order_by(col(ImportJob.created_at))
    job = session.scalar(unfinished.limit(1))
    if job is not None:
        raise Conflict(
            f"The import of “{job.filename}” is {job.status}. Wait for its end, or cancel it first.",
            kind="import-running",
            title="An import is running",
            job_id=str(job.id),
        )


BEFORE_DELETE_ALL.append(refuse_while_importing)
