"""Know which imports and drafts need a stored file: several may share one."""

from uuid import UUID

from sqlmodel import Session, col, select

from product_importer.core.storage import storage
from product_importer.imports.draft_models import ImportDraft
from product_importer.imports.models import ACTIVE, ImportJob


def spool_key(spool_id: UUID) -> str:
    """Return the key of the sorted rows that an import shares with other workers."""
    return f"spool-{spool_id}"


def needed(session: Session) -> set[str]:
    """Return the keys of all files that an import or a draft needs."""
    has_file = col(ImportJob.file_deleted_at).is_(None) & col(ImportJob.action).is_(None)
    of_jobs = session.scalars(select(ImportJob.storage_key).where(has_file))
    of_drafts = session.scalars(select(ImportDraft.storage_key).where(col(ImportDraft.storage_key).is_not(None)))
    is_shared = col(ImportJob.spool_id).is_not(None) & col(ImportJob.status).in_(ACTIVE)
    shared = map(spool_key, filter(None, session.scalars(select(ImportJob.spool_id).where(is_shared))))
    return {*of_jobs, *filter(None, of_drafts), *shared}


def delete_unless_needed(session: Session, key: str, without: UUID) -> None:
    """Delete a file that an import or a draft no longer needs, unless another one does.

    `without` is the id of the one that no longer needs it.
    """
    jobs = select(ImportJob.id).where(
        col(ImportJob.storage_key) == key, col(ImportJob.id) != without, col(ImportJob.file_deleted_at).is_(None)
    )
    drafts = select(ImportDraft.id).where(col(ImportDraft.storage_key) == key, col(ImportDraft.id) != without)
    if session.scalar(jobs.limit(1)) is None and session.scalar(drafts.limit(1)) is None:
        storage().delete(key)
