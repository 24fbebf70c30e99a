"""Index what ended imports have overwritten by product, for the history of products.

Imports do not keep the index themselves: that would make them slower.
"""

import logging
from uuid import UUID

from psycopg2 import sql
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session

from product_importer.core import advisory_locks, db
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.imports.models import FINAL
from product_importer.imports.pipeline import undo

log = logging.getLogger(__name__)

# About a second for a million products.
TIMEOUT = text("SET LOCAL statement_timeout = '10min'")
ENDED = ", ".join(f"'{status}'" for status in sorted(FINAL))
MISSING = text(f"""
SELECT id FROM import_job
WHERE undo_table IS NOT NULL AND undo_status IS NULL AND status IN ({ENDED})
    AND EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(undo_table) AND NOT relhasindex)
ORDER BY created_at DESC LIMIT 1
""")
CREATE = sql.SQL("CREATE INDEX IF NOT EXISTS {index} ON {table} (product_id)")


def step(session: Session) -> bool:
    """Index the newest such table that has no index yet; return whether there was one."""
    if not advisory_locks.try_to_hold(session, AdvisoryLock.INDEX_UNDO):
        return False
    session.execute(TIMEOUT)
    job_id = session.scalar(MISSING)
    return job_id is not None and _index(session, job_id)


def _index(session: Session, job_id: UUID) -> bool:
    table = undo.name(job_id)
    try:
        with session.begin_nested():
            db.execute(session, CREATE.format(index=db.identifier(f"ix_{table}"), table=db.identifier(table)))
    except ProgrammingError:
        # An undo or its end has just dropped the table.
        return False
    log.info("import %s: indexed what it has overwritten", job_id)
    return True
