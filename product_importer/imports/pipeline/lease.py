"""Claim the right to work on an import: a lease that a living worker renews, and a fencing token.

The fencing token (Kleppmann, How to do distributed locking) is the column `fence`, which each claim raises. A worker
that was stopped for longer than its lease finds its token outdated, and its transaction is rolled back.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extras import RealDictCursor
from sqlalchemy import Engine
from sqlmodel import Session

from product_importer.core import db
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.db import identifier
from product_importer.imports.models import ImportJob, ImportPhase, ImportStatus

log = logging.getLogger(__name__)

LEASE_SECONDS = 10
RENEW_SECONDS = 2

# The workers that hold a large import, and those that help with one.
HELD_SLOTS = f"""
(
    SELECT count(*) FROM import_job AS other
    WHERE other.holds_worker AND other.status = '{ImportStatus.PROCESSING}' AND other.lease_until > now()
) + (
    SELECT count(DISTINCT helped.holder)
    FROM import_job AS shared JOIN import_range AS helped ON helped.job_id = shared.id
    WHERE shared.status = '{ImportStatus.PROCESSING}' AND helped.done_at IS NULL
        AND helped.lease_until > now() AND helped.holder <> helped.job_id
)
"""
CLAIM = f"""
UPDATE import_job
SET fence = fence + 1, attempts = attempts + 1, lease_until = now() + make_interval(secs => %(lease)s),
    status = '{ImportStatus.PROCESSING}',
    phase = CASE phase WHEN '{ImportPhase.WAITING}' THEN '{ImportPhase.READING}' ELSE phase END,
    started_at = coalesce(started_at, now()), holds_worker = is_large AND %(slots)s::integer IS NOT NULL
WHERE id = %(id)s
    AND (status = '{ImportStatus.PENDING}' OR (status = '{ImportStatus.PROCESSING}' AND lease_until < now()))
    AND (NOT is_large OR %(slots)s::integer IS NULL OR %(slots)s::integer > {HELD_SLOTS})
RETURNING *
"""
# Two workers that each claim a large import must not both find the same slot free.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(%(lock)s) FROM import_job WHERE id = %(id)s AND is_large"
# A stopped process keeps its locks: end the transactions of earlier holders, or this one waits for them.
END_EARLIER_HOLDERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = %s AND usename = current_user AND pid <> pg_backend_pid()
"""
WRITE = sql.SQL(
    "UPDATE import_job SET {assignments}"
    f" WHERE id = %(id)s AND {{token}} = %(token)s AND status = '{ImportStatus.PROCESSING}' RETURNING *"
)
# If a pooler hides the names of sessions, PostgreSQL itself ends transactions that stay idle.
TRANSACTION_SETTINGS = f"SET LOCAL idle_in_transaction_session_timeout = '{LEASE_SECONDS}s'"


# A pool that was connected before the import is known.
_prepared: list[Engine] = []


class LeaseLost(Exception):
    """Another worker has taken over, or the import is no longer being processed: write nothing."""


class Lease:
    """The right to work on one import, until another worker claims it.

    `job` is the row as it was claimed, `fence` the fencing token. `holder` is who claims ranges under this lease.
    """

    # The column of the job's row that must still have the value of `token`.
    guard = "fence"

    def __init__(self, job: ImportJob, engine: Engine):
        self.job = job
        self.fence = job.fence
        self.holder = job.id
        self.token: object = job.fence
        self._engine = engine

    def may_claim(self, _: PgConnection) -> bool:
        """Whether to claim a further range: the worker that has the import always may."""
        return True

    @contextmanager
    def connect(self) -> Iterator[PgConnection]:
        """Take a psycopg2 connection of the lease's pool; `with connection:` is then one transaction."""
        pooled = self._engine.raw_connection()
        try:
            yield pooled.driver_connection
        finally:
            pooled.close()

    @contextmanager
    def transaction(self, connection: PgConnection) -> Iterator[PgConnection]:
        """Open a transaction that PostgreSQL ends if its holder stops working."""
        with connection:
            with connection.cursor() as cursor:
                cursor.execute(TRANSACTION_SETTINGS)
            yield connection

    @contextmanager
    def session(self) -> Iterator[tuple[Session, PgConnection]]:
        """Open one transaction, as a session and as its psycopg2 connection."""
        with Session(self._engine) as session, session.begin():
            connection = db.raw_connection(session)
            with connection.cursor() as cursor:
                cursor.execute(TRANSACTION_SETTINGS)
            yield session, connection

    @contextmanager
    def new_session(self) -> Iterator[Session]:
        """Open one transaction that nothing has been executed in: its isolation level can be set."""
        with Session(self._engine) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close the connections; the lease itself ends with the import, or runs out."""
        self._engine.dispose()

    def write(self, connection: PgConnection, assignments: sql.Composable, **values: Any) -> dict[str, Any]:
        """Update the job inside the caller's transaction, and return its new row.

        Do this last in a transaction: it locks the row, and fails if the fencing token is outdated, so that either
        all of the transaction is valid or none.

        Raises:
            LeaseLost: this lease is over; the caller's transaction must be rolled back.
        """
        with connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(
                WRITE.format(assignments=assignments, token=identifier(self.guard)),
                {**values, "id": str(self.job.id), "token": self.token},
            )
            row = cursor.fetchone()
        if row is None:
            raise LeaseLost(f"import {self.job.id}: {self.guard} {self.token} is outdated")
        return dict(row)


def prepare() -> None:
    """Connect for the next claim of this process, and load in PostgreSQL's session what a claim needs.

    Raises:
        SQLAlchemyError, psycopg2.Error: PostgreSQL is not available.
    """
    engine = db.worker_pool()
    _claimed_row(engine, UUID(int=0), slots=1)
    _prepared.append(engine)


def claim(job_id: UUID, slots: int | None = None) -> Lease | None:
    """Claim an import; return None if another worker holds it, or if there is nothing to do.

    `slots` is the number of workers that large imports may hold, None for no limit. A large import beyond it is not
    claimed.
    """
    engine = pool(owner_name(job_id))
    row = _claimed_row(engine, job_id, slots)
    if row is None:
        engine.dispose()
        return None
    log.info("import %s: claimed with fencing token %s", job_id, row["fence"])
    return Lease(ImportJob.model_validate(row), engine)


def owner_name(job_id: UUID) -> str:
    """Return how PostgreSQL shows the sessions of the worker that has an import."""
    return f"import {job_id}"


def helper_name(holder: UUID) -> str:
    """Return how PostgreSQL shows the sessions of a worker that helps with an import."""
    return f"help {holder}"


def pool(name: str) -> Engine:
    """Return a pool for one job of this process whose sessions have a name; a prepared one, if there is one."""
    engine = _prepared.pop() if _prepared else db.worker_pool()
    db.name_connections(engine, name)
    return engine


def _claimed_row(engine: Engine, job_id: UUID, slots: int | None) -> dict[str, Any] | None:
    with engine.begin() as connection:
        raw: Any = connection.connection.driver_connection
        with raw.cursor(cursor_factory=RealDictCursor) as cursor:
            if slots is not None:
                cursor.execute(ONE_AT_A_TIME, {"id": str(job_id), "lock": AdvisoryLock.CLAIM_LARGE_IMPORT.value})
            cursor.execute(CLAIM, {"id": str(job_id), "lease": LEASE_SECONDS, "slots": slots})
            row = cursor.fetchone()
            if row is None:
                return None
            cursor.execute(END_EARLIER_HOLDERS, (owner_name(job_id),))
    return dict(row)
