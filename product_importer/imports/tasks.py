"""The jobs that workers run: a few lines that call the domain."""

import logging
from uuid import UUID

import psycopg2
from sqlalchemy.exc import SQLAlchemyError

from product_importer.core import db
from product_importer.imports import worker_share
from product_importer.imports.pipeline import lease, runner, undo

log = logging.getLogger(__name__)


def run_import(job_id: str) -> None:
    """Run one import, or go on with it; do nothing when another worker has it, it has ended, or is not in turn."""
    run(job_id, worker_share.slots())


def run(job_id: str, slots: int | None = None) -> None:
    """Run one import; without `slots` in a process of its own, which no other import waits for."""
    try:
        held = lease.claim(UUID(job_id), slots)
        if held is not None:
            runner.run(held)
            if held.job.holds_worker:
                worker_share.pass_on()
    except lease.LeaseLost as taken:
        log.warning("%s", taken)
    except (psycopg2.Error, SQLAlchemyError) as error:
        # The truth is in the row, and the reconciler sends the job again.
        if not db.is_lost(error):
            raise
        log.warning("import %s: PostgreSQL is not available, it will go on later: %s", job_id, error)


def run_undo(job_id: str) -> None:
    """Undo one import; do nothing when another worker is at it, or there is nothing to undo."""
    try:
        undo.run(UUID(job_id))
    except (psycopg2.Error, SQLAlchemyError) as error:
        if not db.is_lost(error):
            raise
        log.warning("import %s: it will be undone later: %s", job_id, error)
