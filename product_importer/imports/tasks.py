"""The jobs that workers run: a few lines that call the domain."""

import logging
from uuid import UUID

import psycopg2
from sqlalchemy.exc import OperationalError

from product_importer.imports import engine, lease

log = logging.getLogger(__name__)


def run_import(job_id: str) -> None:
    """Run one import, or go on with it; do nothing when another worker has it or it has ended."""
    try:
        held = lease.claim(UUID(job_id))
        if held is not None:
            engine.run(held)
    except lease.Fenced as taken:
        log.warning("%s", taken)
    except (psycopg2.OperationalError, OperationalError) as error:
        # The truth is in the row: the reconciler sends the import again when its lease has run out.
        log.warning("import %s: PostgreSQL is not available, it will go on later: %s", job_id, error)
