"""The jobs that workers run: a few lines that call the domain."""

import logging
from uuid import UUID

import psycopg2
from sqlalchemy.exc import InterfaceError, OperationalError

from product_importer.imports import engine, lease, undo

log = logging.getLogger(__name__)

# PostgreSQL went away: the truth is in the row, and the reconciler sends the job again.
GONE = (psycopg2.OperationalError, psycopg2.InterfaceError, OperationalError, InterfaceError)


def run_import(job_id: str) -> None:
    """Run one import, or go on with it; do nothing when another worker has it or it has ended."""
    try:
        held = lease.claim(UUID(job_id))
        if held is not None:
            engine.run(held)
    except lease.Fenced as taken:
        log.warning("%s", taken)
    except GONE as error:
        log.warning("import %s: PostgreSQL is not available, it will go on later: %s", job_id, error)


def run_undo(job_id: str) -> None:
    """Undo one import; do nothing when another worker is at it, or there is nothing to undo."""
    try:
        undo.run(UUID(job_id))
    except GONE as error:
        log.warning("import %s: it will be undone later: %s", job_id, error)
