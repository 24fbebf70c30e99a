"""Share a large import: store its sorted rows where all workers can read them, and call free workers to help.

A thread of the import's own worker does this, while its writers already write. If it fails, they go on alone.
"""

import logging
import threading
from typing import Protocol, Self
from uuid import UUID

import psycopg2
from psycopg2 import sql
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from product_importer.core.errors import first_line
from product_importer.core.ids import new_id
from product_importer.imports.pipeline import range_claims, shared_spool
from product_importer.imports.pipeline.lease import Lease, LeaseLost
from product_importer.imports.pipeline.spool import Spool, SpoolError

log = logging.getLogger(__name__)

# An import that ends within seconds is not worth it: others would have to fetch its rows first. Looked at as often,
# because workers come, go and give way.
LOOK_SECONDS = 1.0
# So many ranges must be left to each worker that helps.
RANGES_PER_HELPER = 2
SHARED = sql.SQL("spool_id = %(spool_id)s")
FAILURES = (SpoolError, *shared_spool.STORAGE_ERRORS, psycopg2.Error, SQLAlchemyError, RedisError)


class Helpers(Protocol):
    """The other workers."""

    def free_helpers(self) -> int:
        """Return how many workers may help with a large import now."""

    def call_helpers(self, spool_id: UUID, count: int) -> None:
        """Notify so many workers of an import that shares its rows, unless some are notified already."""


class Sharing:
    """A context manager around the writing of an import; `helpers` is None for one that is not to be shared."""

    def __init__(self, lease: Lease, spool: Spool, helpers: Helpers | None):
        self._lease = lease
        self._spool = spool
        self._helpers = helpers
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_sharing, name="sharing", daemon=True)

    def __enter__(self) -> Self:
        if self._helpers is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._helpers is not None:
            self._thread.join()

    def _keep_sharing(self) -> None:
        try:
            while not self._over.wait(LOOK_SECONDS):
                self._share()
        except LeaseLost:
            # The writers meet the same.
            return
        except FAILURES as error:
            log.warning("import %s: goes on without help: %s", self._lease.job.id, first_line(error))

    def _share(self) -> None:
        """Call as many workers as are free and have something to do."""
        free = self._helpers.free_helpers() if self._helpers else 0
        count = min(free, self._useful()) if free > 0 else 0
        if count <= 0:
            return
        if self._lease.job.spool_id is None:
            self._store()
        spool_id = self._lease.job.spool_id
        if self._helpers and spool_id and not self._over.is_set():
            self._helpers.call_helpers(spool_id, count)

    def _useful(self) -> int:
        with self._lease.connect() as connection, connection:
            return range_claims.left(connection, self._lease.job.id).claimable // RANGES_PER_HELPER

    def _store(self) -> None:
        spool_id = new_id()
        if not shared_spool.store(self._spool, spool_id, self._over):
            return
        try:
            with self._lease.connect() as connection, self._lease.transaction(connection):
                self._lease.write(connection, SHARED, spool_id=str(spool_id))
        except BaseException:
            shared_spool.delete(spool_id)
            raise
        self._lease.job.spool_id = spool_id
        log.info("import %s: its rows are shared", self._lease.job.id)
