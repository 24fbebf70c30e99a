"""Write the ranges of an import with several threads, each range in one transaction with its counts."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, TypeVar

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from sqlalchemy.exc import DBAPIError

from product_importer.core.settings import settings
from product_importer.imports.pipeline import range_claims, undo
from product_importer.imports.pipeline.decide import Picked
from product_importer.imports.pipeline.lease import Lease, LeaseLost
from product_importer.imports.pipeline.product_writes import Overtaken
from product_importer.imports.pipeline.range_claims import Claim
from product_importer.imports.pipeline.range_writer import RangeWriter, is_collision
from product_importer.imports.pipeline.spool import Spool

Written = TypeVar("Written")

# How often to look whether other workers have finished their ranges, when no further one can be claimed.
LOOK_SECONDS = 0.1
RETRIES = 20
# Then a range is written alone: others would have to wait each time.
RETRIES_BESIDE_OTHERS = 3
COUNTED = sql.SQL("""
created = created + %(created)s, updated = updated + %(updated)s, unchanged = unchanged + %(unchanged)s,
duplicates = duplicates + %(duplicates)s, rejected = rejected + %(rejected)s, attempts = 0
""")
NOTHING = sql.SQL("attempts = 0")


def retried(write: Callable[[bool], Written]) -> Written:
    """Call `write`, which is one transaction, until no other transaction comes between, at most `RETRIES` times.

    Its argument is whether to write alone: the first `RETRIES_BESIDE_OTHERS` times not. Among steady edits of a
    range's products there would always be one between reading and writing; and where another import has cut the same
    keys into many ranges, each of them could come first.
    """
    for attempt in range(RETRIES - 1):
        try:
            return write(attempt >= RETRIES_BESIDE_OTHERS)
        except (psycopg2.Error, DBAPIError, Overtaken) as error:
            if not is_collision(error.orig if isinstance(error, DBAPIError) else error):
                raise
    return write(True)


def in_threads(work: Callable[[], None], count: int, stop: threading.Event) -> None:
    """Call `work` in `count` threads at once. If one fails, set `stop`, wait for the others, and raise its error."""
    with ThreadPoolExecutor(count, thread_name_prefix="writer") as pool:
        writers = [pool.submit(work) for _ in range(count)]
        wait(writers, return_when=FIRST_EXCEPTION)
        if any(writer.done() and writer.exception() for writer in writers):
            stop.set()
    for writer in writers:
        writer.result()


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
                    # First, so that of several workers one makes it and the others find it.
                    self._lease.write(connection, NOTHING)
                    undo.create(connection, self._lease.job.id)
                self._is_made = True
        return undo.name(self._lease.job.id)


class Writers:
    """Writes ranges of one import. `committed` is called with the job's row after each; `stop` ends the work."""

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

    def run(self, claims: list[Claim]) -> None:
        """Write claimed ranges, each in a thread of its own, and those that can be claimed then.

        Raises:
            LeaseLost: another worker has taken over.
            psycopg2.Error: PostgreSQL failed; what is committed stays.
        """
        if claims:
            coming = iter(claims)
            in_threads(lambda: self._write_ranges(next(coming)), len(claims), self._stop)

    def run_to_the_end(self, claims: list[Claim]) -> None:
        """Write ranges until all are done, also those that other workers hold and do not finish.

        Raises:
            As `run` does.
        """
        while not self._stop.is_set():
            self.run(claims)
            claims = self._await_claims()
            if not claims:
                return

    def _await_claims(self) -> list[Claim]:
        """Wait until ranges can be claimed, and claim them; return none if all are done or the work should stop."""
        job_id = self._lease.job.id
        with self._lease.connect() as connection:
            while not self._stop.is_set():
                with self._lease.transaction(connection):
                    claims = range_claims.claim(connection, job_id, self._lease.holder, settings().import_writers)
                    if claims or not range_claims.left(connection, job_id).undone:
                        return claims
                self._stop.wait(LOOK_SECONDS)
        return []

    def _write_ranges(self, claimed: Claim | None) -> None:
        """Write a claimed range, and then what can be claimed."""
        with self._lease.connect() as connection:
            while claimed and not self._stop.is_set():
                after, last = claimed.key_range.after, claimed.key_range.last
                picked = self._writer.pick(self._spool.between(after, last))
                write = partial(self._write, connection, claimed, picked)
                row, claimed = retried(write)
                self._committed(row)

    def _write(
        self, connection: PgConnection, claimed: Claim, picked: Picked, is_alone: bool
    ) -> tuple[dict[str, Any], Claim | None]:
        """Write a range and claim the next one, in one transaction: a claim by itself would cost a commit."""
        job_id = self._lease.job.id
        with self._lease.transaction(connection):
            counts = self._writer.write(connection, claimed.key_range, picked, self._undo_table, is_alone)
            if not range_claims.mark_done(connection, job_id, claimed):
                raise LeaseLost(f"import {job_id}: another worker has range {claimed.key_range.number}")
            may_claim = not self._stop.is_set() and self._lease.may_claim(connection)
            following = range_claims.claim(connection, job_id, self._lease.holder, 1) if may_claim else []
            row = self._lease.write(connection, COUNTED, **counts._asdict())
        return row, following[0] if following else None
