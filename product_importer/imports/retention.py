"""What is kept for some days only: uploaded files, trials, and what an undo needs. The history itself stays."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import Session, col, select

from product_importer.core.db import raw_connection
from product_importer.core.settings import settings
from product_importer.core.storage import storage
from product_importer.imports.models import FINAL, ImportJob, ImportUndoRestored
from product_importer.imports.pipeline import dry_run, staging_table, undo

log = logging.getLogger(__name__)

# In one transaction; the next one comes a few minutes later.
MAX_AT_ONCE = 500


def prune(session: Session) -> None:
    """Delete what has been kept for long enough."""
    _prune_files(session)
    _prune_undos(session)
    session.execute(
        delete(ImportUndoRestored).where(col(ImportUndoRestored.restored_at) < _days_ago(settings().undo_days))
    )


def _prune_files(session: Session) -> None:
    """Delete the files of imports that ended long ago, and the trials that were never applied with them."""
    for job in _ended(session, settings().upload_retention_days, col(ImportJob.file_deleted_at).is_(None)):
        storage().delete(job.storage_key)
        job.file_deleted_at = session.scalar(select(func.now()))
        if job.preview_table is not None:
            staging_table.drop_all(raw_connection(session), job.id)
            dry_run.drop(raw_connection(session), job.id)
            job.staging_table = job.preview_table = None
        log.info("import %s: its file is not kept any longer", job.id)


def _prune_undos(session: Session) -> None:
    has_undo = col(ImportJob.undo_table).is_not(None) & col(ImportJob.undo_status).is_(None)
    for job in _ended(session, settings().undo_days, has_undo):
        undo.drop(raw_connection(session), undo.name(job.id))
        job.undo_table = None


def _ended(session: Session, days: int, condition: ColumnElement[bool]) -> list[ImportJob]:
    """Return imports that ended so many days ago, locked; those that somebody is at are left for the next time."""
    ended = (
        select(ImportJob)
        .where(col(ImportJob.status).in_(FINAL), col(ImportJob.finished_at) < _days_ago(days), condition)
        .limit(MAX_AT_ONCE)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return list(session.scalars(ended))


def _days_ago(days: int) -> ColumnElement[datetime]:
    return func.now() - timedelta(days=days)
