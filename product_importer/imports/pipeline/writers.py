"""Write the ranges of an import with several threads, each range in one transaction with its counts."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection

from product_importer.core.settings import settings
from product_importer.imports.pipeline import cuts, undo
from product_importer.imports.pipeline.cuts import KeyRange
from product_importer.imports.pipeline.decide import Picked
from product_importer.imports.pipeline.lease import Lease, LeaseLost
from product_importer.imports.pipeline.product_writes import Overtaken
from product_importer.imports.pipeline.range_writer import RangeWriter, is_collision
from product_importer.imports.pipeline.spool import Spool

RETRIES = 20
# Then a range is written alone: others would have to wait each time.
RETRIES_BESIDE_OTHERS = 3
COUNTED = sql.SQL("""
created = created + %(created)s, updated = updated + %(updated)s, unchanged = unchanged + %(unchanged)s,
duplicates = duplicates + %(duplicates)s, rejected = rejected + %(rejected)s, attempts = 0
""")
NOTHING = sql.SQL("attempts = 0")


def retried(write: Callable[[bool], dict[str, Any]]) -> dict[str, Any]:
    """Call `write`, which is one transaction, until no other transaction comes between, at most `RETRIES` times.

    Its argument is whether to write alone: the first `RETRIES_BESIDE_OTHERS` times not. Among steady edits of a
    range's products there would always be one between reading and writing; and where another import has cut the same
    keys into many ranges, each of them could come first.
    """
    for attempt in range(RETRIES - 1):
        try:
            return write(attempt >= RETRIES_BESIDE_OTHERS)
        except (psycopg2.Error, Overtaken) as error:
            if not is_collision(error):
                raise
    return write(True)


class UndoTable:
    """The table of what an import overwrites; made when the first range needs it, in a transaction of its own."""

    def __init__(self, lease: Lease):
        self._lease = lease
        self._lock = threading.Lock()
        self._is_made = False

    def __call__(self) -> str:
        """Return its name; it exists."""
        with self._lock:
            if not self._is_made:
                with self._lease.connect() as connection, self._lease.transaction(connection):
                    undo.create(connection, self._lease.job.id)
                    self._lease.write(connection, NOTHING)
                self._is_made = True
        return undo.name(self._lease.job.id)


class Writers:
    """Writes the ranges of one import. `committed` is called with the job's row after each; `stop` ends the work."""

    def __init__(
        self,
        lease: Lease,
        spool: Spool,
        writer: RangeWriter,
        committed: Callable[[dict[str, Any]], None],
        stop: threading.Event,
    ):
        self._lease = lease
        self._spool = spool
        self._writer = writer
        self._committed = committed
        self._stop = stop
        self._undo_table = UndoTable(lease)

    def run(self, ranges: list[KeyRange]) -> None:
        """Write ranges in their order, `IMPORT_WRITERS` at a time.

        Raises:
            LeaseLost: another worker has taken over.
            psycopg2.Error: PostgreSQL failed; what is committed stays.
        """
        coming = iter(ranges)
        count = min(settings().import_writers, len(ranges))
        if not count:
            return
        with ThreadPoolExecutor(count, thread_name_prefix="writer") as pool:
            writers = [pool.submit(self._write_ranges, coming) for _ in range(count)]
            wait(writers, return_when=FIRST_EXCEPTION)
            if any(writer.done() and writer.exception() for writer in writers):
                self._stop.set()
        for writer in writers:
            writer.result()

    def _write_ranges(self, coming: Iterator[KeyRange]) -> None:
        """Write ranges until all are taken; the iterator of a list gives each of them to one thread only."""
        with self._lease.connect() as connection:
            for key_range in coming:
                if self._stop.is_set():
                    return
                picked = self._writer.pick(self._spool.between(key_range.after, key_range.last))
                row = retried(lambda is_alone: self._write(connection, key_range, picked, is_alone))  # noqa: B023 - called at once
                self._committed(row)

    def _write(self, connection: PgConnection, key_range: KeyRange, picked: Picked, is_alone: bool) -> dict[str, Any]:
        job_id = self._lease.job.id
        with self._lease.transaction(connection):
            counts = self._writer.write(connection, key_range, picked, self._undo_table, is_alone)
            if not cuts.mark_done(connection, job_id, key_range.number):
                raise LeaseLost(f"import {job_id}: range {key_range.number} is done already")
            return self._lease.write(connection, COUNTED, **counts._asdict())
