"""Find imports by id, and say what state they are in."""

from uuid import UUID

from sqlmodel import Session

from product_importer.core.errors import NotFound
from product_importer.imports.models import ImportJob, UndoStatus


def find(session: Session, job_id: UUID) -> ImportJob:
    """Return an import's row.

    Raises:
        NotFound: there is no such import.
    """
    return _existing(session.get(ImportJob, job_id), job_id)


def lock(session: Session, job_id: UUID) -> ImportJob:
    """Return an import's row, locked for a change.

    The lock lets others report rows of this import: their foreign keys only share the job's key.

    Raises:
        NotFound: there is no such import.
    """
    return _existing(session.get(ImportJob, job_id, with_for_update={"key_share": True}), job_id)


def state(job: ImportJob) -> str:
    """Return an import's state in words: its status, or that of its undo."""
    if job.undo_status is not None:
        return "undone" if job.undo_status == UndoStatus.UNDONE else "being undone"
    return job.status


def _existing(job: ImportJob | None, job_id: UUID) -> ImportJob:
    if job is None:
        raise NotFound(f"There is no import {job_id}.")
    return job
