"""Import the rejected rows of an import again, with their edits, as an import of its own."""

from uuid import UUID

from sqlmodel import Session, col, select

from product_importer.core.errors import Conflict
from product_importer.core.ids import new_id
from product_importer.core.problem_types import ProblemType
from product_importer.imports import jobs, service
from product_importer.imports.edits import patches
from product_importer.imports.models import ImportJob, ImportStatus
from product_importer.imports.schemas import ImportRead

# What a linked import takes over as it is: the file, how it is read, and its columns.
SAME = ("filename", "storage_key", "size_bytes", "is_large", "sha256", "format", "header", "fields")
# After these, the rejected rows can be imported again.
GIVEN_UP = (ImportStatus.FAILED, ImportStatus.CANCELLED)


def fix_import(session: Session, job_id: UUID) -> ImportRead:
    """Start an import of the rows that an import rejected, with its options, its file and the edits of its rows.

    Raises:
        NotFound: there is no such import.
        Conflict: it is not completed, rejected no row, or its file was deleted; or another import has imported these
            rows, or does, `job_id`.
        TooMany: too many imports are unfinished.
    """
    parent = jobs.lock(session, job_id)
    _check_fixable(session, parent)
    linked = ImportJob(
        id=new_id(),
        parent_id=parent.id,
        choices={**parent.choices, "dry_run": False},
        # What was assumed about the file as a whole; the rows are warned about as they are read.
        warnings=[warning for warning in parent.warnings if warning["count"] is None],
        **{name: getattr(parent, name) for name in SAME},
    )
    # They can be edited further, while a worker that takes over must find the same ones.
    patches.copy(session, parent.id, linked.id)
    return service.start_import(session, linked)


def _check_fixable(session: Session, job: ImportJob) -> None:
    if job.status != ImportStatus.COMPLETED or job.undo_status is not None or not job.rejected:
        state = jobs.state(job)
        raise Conflict(
            f"The import is {state} and rejected {job.rejected:,} rows: only rejected rows of a completed import can "
            "be imported again.",
            kind=ProblemType.NOT_FIXABLE,
        )
    if job.file_deleted_at is not None:
        raise Conflict("The uploaded file was deleted. Upload it again.", kind=ProblemType.NOT_FIXABLE)
    if earlier := find_linked(session, job.id):
        raise Conflict(
            "The rejected rows were imported again already. If that import rejected rows, edit and import those.",
            kind=ProblemType.NOT_FIXABLE,
            job_id=str(earlier),
        )


def find_linked(session: Session, job_id: UUID) -> UUID | None:
    """Return the import that has imported an import's rejected rows, or does; None if there is none."""
    linked = select(ImportJob.id).where(
        col(ImportJob.parent_id) == job_id,
        col(ImportJob.undo_status).is_(None),
        col(ImportJob.status).not_in(GIVEN_UP),
    )
    return session.scalar(linked.limit(1))
