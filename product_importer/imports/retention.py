"""Delete expired uploads, dry runs and undo data. The history of imports is kept."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, text
from sqlmodel import Session, col, select

from product_importer.core.db import raw_connection
from product_importer.core.dropping import drop_unread
from product_importer.core.settings import settings
from product_importer.imports import stored_files
from product_importer.imports.drafts import rows
from product_importer.imports.models import (
    FINAL,
    ImportActionBatch,
    ImportJob,
    ImportRange,
    ImportRowPatch,
    ImportUndoRestored,
)
from product_importer.imports.pipeline import dry_run, undo

log = logging.getLogger(__name__)

# Imports handled in one transaction; the next one follows a few minutes later.
MAX_AT_ONCE = 500
# A job that is locked may be about to use its table again.
LEFT_TABLES = text(f"""
SELECT relname FROM pg_class JOIN import_job AS job ON job.id = substring(relname FROM '[0-9a-f]{{32}}$')::uuid
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND status = ANY(:final) AND (
    starts_with(relname, '{undo.PREFIX}') AND undo_table IS NULL
    OR starts_with(relname, '{dry_run.PREFIX}') AND preview_table IS NULL
)
LIMIT :limit FOR NO KEY UPDATE OF job SKIP LOCKED
""")


def prune(session: Session) -> None:
    """Delete what is older than the settings keep it."""
    _prune_files(session)
    if count := rows.delete_expired(session):
        log.info("%s drafts of imports have expired and were deleted", count)
    _prune_undos(session)
    _drop_left_tables(session)
    session.execute(
        delete(ImportUndoRestored).where(col(ImportUndoRestored.restored_at) < _days_ago(settings().undo_days))
    )


def _prune_files(session: Session) -> None:
    """Delete the uploaded files of old imports, with what a retry or an apply would have needed."""
    for job in _ended(session, settings().upload_retention_days, col(ImportJob.file_deleted_at).is_(None)):
        job.file_deleted_at = session.scalar(select(func.now()))
        if job.action is None:
            stored_files.delete_unless_needed(session, job.storage_key, without=job.id)
        job.preview_table = None
        for model in (ImportRange, ImportRowPatch, ImportActionBatch):
            session.execute(delete(model).where(col(model.job_id) == job.id))
        log.info("import %s: its uploaded file, or what a retry needs, has expired and was deleted", job.id)


def _prune_undos(session: Session) -> None:
    has_undo = col(ImportJob.undo_table).is_not(None) & col(ImportJob.undo_status).is_(None)
    for job in _ended(session, settings().undo_days, has_undo):
        job.undo_table = None


def _drop_left_tables(session: Session) -> None:
    """Drop the tables that no ended import names any more; where a backup reads one, it and the others wait."""
    session.flush()
    for table in session.scalars(LEFT_TABLES, {"final": [*FINAL], "limit": MAX_AT_ONCE}).all():
        if not drop_unread(raw_connection(session), table):
            return


def _ended(session: Session, days: int, condition: ColumnElement[bool]) -> list[ImportJob]:
    """Return locked imports that ended at least `days` ago; skip those that another transaction has locked."""
    ended = (
        select(ImportJob)
        .where(col(ImportJob.status).in_(FINAL), col(ImportJob.finished_at) < _days_ago(days), condition)
        .limit(MAX_AT_ONCE)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return list(session.scalars(ended))


def _days_ago(days: int) -> ColumnElement[datetime]:
    return func.now() - timedelta(days=days)
