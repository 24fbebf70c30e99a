"""Find jobs by id, and say what they are and what state they are in."""

from uuid import UUID

from sqlmodel import Session

from product_importer.access import principal
from product_importer.access.schemas import Permission
from product_importer.core.errors import NotFound
from product_importer.imports.action_schemas import ActionKind
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


def require_control(job: ImportJob) -> None:
    """Check that who asks may control a job: whoever may do what it does.

    Raises:
        Unauthenticated, Forbidden: they may not.
    """
    principal.current().require({_needed(action_kind(job))})


def require_view(action: ActionKind | None) -> None:
    """Check that who asks may follow a job: whoever may read or import follows all, others what they may do.

    Raises:
        Unauthenticated, Forbidden: they may not.
    """
    principal.current().require({Permission.READ, Permission.IMPORT, _needed(action)})


def action_kind(job: ImportJob) -> ActionKind | None:
    """Return what an action does; None for an import."""
    return None if job.action is None else ActionKind(job.action["kind"])


def noun(job: ImportJob) -> str:
    """Return what messages call a job."""
    return "import" if job.action is None else "action"


def has_deleted(job: ImportJob) -> bool:
    """Whether a job has deleted products; they are in its undo table then."""
    return action_kind(job) == ActionKind.DELETE


def state(job: ImportJob) -> str:
    """Return an import's state in words: its status, or that of its undo."""
    if job.undo_status is not None:
        return "undone" if job.undo_status == UndoStatus.UNDONE else "being undone"
    return job.status


def _needed(action: ActionKind | None) -> Permission:
    return Permission.IMPORT if action is None else Permission.WRITE


def _existing(job: ImportJob | None, job_id: UUID) -> ImportJob:
    if job is None:
        raise NotFound(f"There is no import {job_id}.")
    return job
