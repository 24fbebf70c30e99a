"""RQ jobs that run and undo imports and actions."""

import logging
from uuid import UUID

import psycopg2
from sqlalchemy.exc import SQLAlchemyError

from product_importer.core import db
from product_importer.core.outages import summary, title
from product_importer.imports import worker_share
from product_importer.imports.pipeline import action_run, helping, lease, runner, undo

log = logging.getLogger(__name__)


def run_import(job_id: str) -> None:
    """Run or continue one import; do nothing when another worker has it, it has ended, or it must wait its turn."""
    run(job_id, worker_share.slots())


def run(job_id: str, slots: int | None = None) -> None:
    """Run one import; without `slots`, in a process of its own that no other import waits for."""
    try:
        claimed = lease.claim(UUID(job_id), slots)
        if claimed is not None:
            try:
                if claimed.job.action is not None:
                    action_run.run(claimed)
                else:
                    # Only what counts as large: others would have to fetch its rows first.
                    runner.run(claimed, worker_share if claimed.job.holds_worker else None)
            finally:
                claimed.close()
            if claimed.job.holds_worker:
                worker_share.notify_waiting()
    except lease.LeaseLost as error:
        log.warning("%s", error)
    except (psycopg2.Error, SQLAlchemyError) as error:
        # The job's row holds the state, and the reconciler queues the import again.
        if not db.is_lost(error):
            raise
        log.warning("import %s: %s, it will continue later: %s", job_id, title(error), summary(error))


def help_import(spool_id: str) -> None:
    """Help with the import that shares these sorted rows; do nothing when it needs no help any more."""
    try:
        helping.run(UUID(spool_id), worker_share.slots())
        worker_share.notify_waiting()
    except (psycopg2.Error, SQLAlchemyError) as error:
        if not db.is_lost(error):
            raise
        log.warning("help for an import has ended early: %s: %s", title(error), summary(error))


def run_undo(job_id: str) -> None:
    """Undo one import; do nothing when another worker does it already, or nothing is left to undo."""
    try:
        undo.run(UUID(job_id))
    except (psycopg2.Error, SQLAlchemyError) as error:
        if not db.is_lost(error):
            raise
        log.warning("import %s: %s, its undo will run later: %s", job_id, title(error), summary(error))
