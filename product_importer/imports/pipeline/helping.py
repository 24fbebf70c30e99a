"""Help with an import that another worker has and shares: claim ranges of it and write them until none is left.

What a helper writes is valid while the import shares these very rows, whoever has it: if its own worker dies, its
helpers go on, and the next one finds their ranges done.
"""

import logging
import threading
from typing import Any, Self
from uuid import UUID

import psycopg2
from psycopg2.extensions import connection as PgConnection
from psycopg2.extras import RealDictCursor
from sqlalchemy import Engine
from sqlmodel import Session

from product_importer.catalog.schemas import KEY_RULES
from product_importer.core import outbox
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.errors import first_line
from product_importer.core.ids import new_id
from product_importer.core.settings import settings
from product_importer.imports import spools
from product_importer.imports.models import ImportJob, ImportStatus
from product_importer.imports.pipeline import range_claims, shared_spool
from product_importer.imports.pipeline.lease import HELD_SLOTS, RENEW_SECONDS, Lease, LeaseLost, helper_name, pool
from product_importer.imports.pipeline.range_claims import Claim
from product_importer.imports.pipeline.range_writer import RangeWriter
from product_importer.imports.pipeline.run_columns import RunColumns
from product_importer.imports.pipeline.spool import Spool, SpoolError
from product_importer.imports.pipeline.writers import Writers

log = logging.getLogger(__name__)

GOES_ON = f"""
SELECT * FROM import_job
WHERE status = '{ImportStatus.PROCESSING}' AND spool_id = %(spool_id)s AND cancel_requested_at IS NULL
"""
# Another large import that no worker has.
OTHERS_WAIT = f"""
SELECT EXISTS (
    SELECT FROM import_job
    WHERE is_large AND id <> %(id)s AND (
        status = '{ImportStatus.PENDING}' OR status = '{ImportStatus.PROCESSING}' AND lease_until < now()
    )
)
"""
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(%s)"
HAS_SLOT = f"SELECT %(slots)s > {HELD_SLOTS}"


class HelperLease(Lease):
    """The right to write ranges of an import, as long as it shares the rows that were fetched."""

    guard = "spool_id"

    def __init__(self, job: ImportJob, engine: Engine, holder: UUID):
        super().__init__(job, engine)
        self.holder = holder
        self.token = str(job.spool_id)

    def may_claim(self, connection: PgConnection) -> bool:
        """Whether to claim a further range: a helper gives way to a large import that waits for a worker."""
        with connection.cursor() as cursor:
            cursor.execute(OTHERS_WAIT, {"id": str(self.job.id)})
            row = cursor.fetchone()
        return bool(row == (False,))


class HelperHeartbeat:
    """A context manager that renews a helper's claims; `halted` is set when the import does not go on."""

    def __init__(self, lease: HelperLease):
        self._lease = lease
        self.halted = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def committed(self, row: dict[str, Any]) -> None:
        """Take the job's row as a transaction has just committed it."""
        if row["cancel_requested_at"] is not None:
            self.halted.set()

    def _beat(self) -> None:
        while not self._done.wait(RENEW_SECONDS):
            try:
                with self._lease.connect() as connection, self._lease.transaction(connection):
                    range_claims.renew(connection, self._lease.job.id, self._lease.holder)
                    if _going_on(connection, self._lease.token) is None:
                        self.halted.set()
            except psycopg2.Error as error:
                log.warning("import %s: claims could not be renewed: %s", self._lease.job.id, first_line(error))


def run(spool_id: UUID, slots: int) -> None:
    """Help with the import that shares these rows, if it still does and large imports may hold a further worker.

    Raises:
        psycopg2.Error: PostgreSQL failed; what is committed stays.
    """
    holder = new_id()
    engine = pool(helper_name(holder))
    try:
        job = _shared_job(engine, spool_id)
        if job is not None:
            _help(HelperLease(job, engine, holder), slots)
    except LeaseLost as error:
        log.info("%s", error)
    except (SpoolError, *shared_spool.UNAVAILABLE) as error:
        log.warning("cannot help with an import, which goes on without: %s", first_line(error))
    finally:
        engine.dispose()


def _shared_job(engine: Engine, spool_id: UUID) -> ImportJob | None:
    """Return the import that shares these rows, if this version understands them."""
    with Session(engine) as session, session.begin():
        raw: Any = session.connection().connection.driver_connection
        row = _going_on(raw, spool_id)
    return ImportJob.model_validate(row) if row and row["unidata"] == KEY_RULES else None


def _help(lease: HelperLease, slots: int) -> None:
    writer = RangeWriter.of_job(lease.job, _has_events(lease))
    columns = RunColumns.of_job(lease.job)
    with spools.reported(), shared_spool.fetch(UUID(str(lease.token)), columns.schema) as spool:
        claims = _first_claims(lease, slots)
        if claims:
            log.info("import %s: helping as %s", lease.job.id, lease.holder)
            _write(lease, spool, writer, claims)


def _write(lease: HelperLease, spool: Spool, writer: RangeWriter, claims: list[Claim]) -> None:
    with HelperHeartbeat(lease) as heartbeat:
        try:
            Writers(lease, spool, writer, heartbeat.committed, heartbeat.halted).run(claims)
        finally:
            with lease.connect() as connection, lease.transaction(connection):
                range_claims.release(connection, lease.job.id, lease.holder)


def _first_claims(lease: HelperLease, slots: int) -> list[Claim]:
    """Claim the first ranges, unless large imports hold as many workers as they may: whoever has claims counts."""
    with lease.connect() as connection, lease.transaction(connection):
        with connection.cursor() as cursor:
            cursor.execute(ONE_AT_A_TIME, (AdvisoryLock.CLAIM_LARGE_IMPORT.value,))
            cursor.execute(HAS_SLOT, {"slots": slots})
            has_slot = cursor.fetchone() == (True,)
        if not has_slot or not lease.may_claim(connection):
            return []
        return range_claims.claim(connection, lease.job.id, lease.holder, settings().import_writers)


def _has_events(lease: HelperLease) -> bool:
    with lease.session() as (session, _):
        return outbox.has_batch(session, lease.job.id)


def _going_on(connection: PgConnection, spool_id: object) -> dict[str, Any] | None:
    """Return the row of the import that shares these rows, unless it is over or is to be cancelled."""
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(GOES_ON, {"spool_id": str(spool_id)})
        row = cursor.fetchone()
    return dict(row) if row else None
