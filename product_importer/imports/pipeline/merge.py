"""Merge staged rows into products, in ranges of keys that are committed one by one with their counts."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Any, NamedTuple

from psycopg2 import errors, sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as PgCursor

from product_importer.core.db import identifier
from product_importer.core.ids import lane_number
from product_importer.core.settings import settings
from product_importer.imports.pipeline import undo
from product_importer.imports.pipeline.lease import Lease
from product_importer.imports.pipeline.merge_sql import Statements, Steps

# More writers gain nothing measurable: the server writes one log.
MAX_WRITERS = 4
# More lanes than writers: a writer that is done with one takes the next, so none is idle for long at the end.
MAX_LANES = 16
RETRIES = 20
# Ranges may be larger than a lane's share divided evenly, because that share is only estimated by a sample: a small
# rest would cost as much as a whole range.
SLACK = 1.1

# A sample tells shares that are about equal, which is enough; the last lane goes to the end.
LANE_ENDS = sql.SQL("""
SELECT percentile_disc(%(shares)s::float[]) WITHIN GROUP (ORDER BY sku_key),
    (SELECT max(sku_key) FROM {staging})
FROM {staging} TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (1)
""")
SAMPLED_ROWS = 10_000
# Whether there is any product in the range: the first import of a catalogue, or of a brand, meets none.
NEXT_RANGE = sql.SQL("""
SELECT range_end,
    (SELECT count(*) FROM {staging} WHERE sku_key > %(after)s AND sku_key <= range_end),
    EXISTS (SELECT FROM product WHERE sku_key > %(after)s AND sku_key <= range_end)
FROM (
    SELECT max(sku_key) AS range_end FROM (
        SELECT sku_key FROM {staging} WHERE sku_key > %(after)s AND sku_key <= %(lane_end)s
        ORDER BY sku_key LIMIT %(rows)s
    ) AS batch
) AS next
""")
# The statistics may be older than the import. Whatever they say, a look-up by index for each row is quick and keeps
# the order of the rows. Other plans can be far too slow, and so can compiling a plan for each batch.
PLAN = """
SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off;
SET LOCAL jit = off
"""
COUNTED = sql.SQL("""
created = created + %(created)s, updated = updated + %(updated)s, unchanged = unchanged + %(unchanged)s,
duplicates = duplicates + %(duplicates)s, rejected = rejected + %(rejected)s,
lane_checkpoints[%(lane)s] = %(range_end)s, lane_created[%(lane)s] = lane_created[%(lane)s] + %(created)s,
attempts = 0
""")


class ConcurrentChange(Exception):
    """A product was deleted between being read and being written: the range is merged again."""


COLLISIONS = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure, ConcurrentChange)


class Range(NamedTuple):
    """The next keys of a lane: the last one, the number of rows staged, whether a product has one of the keys."""

    end: str | None
    staged: int
    meets_products: bool


class Outcome(NamedTuple):
    """The outcome of one range: the number of keys, of rows rejected, of products created and updated.

    `expected` is the number of products to update; fewer were updated if one was deleted meanwhile.
    """

    keys: int
    rejected: int
    created: int
    updated: int
    expected: int


class Counts(NamedTuple):
    """The rows of one range by outcome."""

    created: int
    updated: int
    unchanged: int
    duplicates: int
    rejected: int


def lane_ends(connection: PgConnection, table: str, rows: int) -> list[str]:
    """Return the last key of each lane, in order; none if there are no rows."""
    if rows == 0:
        return []
    lanes = min(MAX_LANES, max(1, rows // settings().batch_size))
    values = {
        "shares": [(lane + 1) / lanes for lane in range(lanes - 1)],
        "percent": min(100.0, 100.0 * SAMPLED_ROWS / rows),
    }
    with connection.cursor() as cursor:
        cursor.execute(LANE_ENDS.format(staging=identifier(table)), values)
        shares, last = cursor.fetchone()
    return [*shares, last]


def range_rows(rows: int, lanes: int) -> int:
    """Return the maximum of rows of a range: about `BATCH_SIZE`, such that lanes have a whole number of ranges."""
    share = rows / lanes
    return int(SLACK * share / max(1, round(share / settings().batch_size))) + 1


@dataclass
class Lane:
    """One lane's share of the keys: the last key merged (`after`), the last key, the number of products created."""

    number: int
    after: str
    end: str
    created: int


class Merge:
    """Merges the staged rows of one import; with the steps of `Statements.dry_run` it is a dry run.

    `committed` is called with the job's row after each commit. `stop` ends every lane after its current range. The
    values that are overwritten are kept in `undo_table`.
    """

    def __init__(
        self,
        lease: Lease,
        table: str,
        statements: Statements,
        steps: Steps,
        committed: Callable[[dict[str, Any]], None],
        *,
        undo_table: str = "",
    ):
        self._lease = lease
        self._table = table
        self._committed = committed
        self._steps = steps
        self._duplicates = statements.duplicates()
        self._rejects_duplicates = statements.rejects_duplicates
        self._values = statements.values
        self._undo_table = undo_table
        self._range_rows = 0
        self.stop = Event()

    def run(self, rows: int, lane_ends: list[str], checkpoints: list[str], created: list[int]) -> None:
        """Merge the staged rows, each lane from its checkpoint to its end, after `created` products of that lane.

        Each writer takes the next lane when it is done with one.

        Raises:
            LeaseLost: another worker has taken over.
            psycopg2.Error: PostgreSQL failed; everything committed stays, with the checkpoints.
        """
        self._range_rows = range_rows(rows, max(1, len(lane_ends)))
        shares = zip(checkpoints, lane_ends, created, strict=True)
        lanes = iter([Lane(number, *share) for number, share in enumerate(shares, start=1)])
        count = min(MAX_WRITERS, os.cpu_count() or 1, len(lane_ends))
        with ThreadPoolExecutor(max_workers=count or 1) as pool:
            writers = [pool.submit(self._run_writer, lanes) for _ in range(count)]
            wait(writers, return_when=FIRST_EXCEPTION)
            if any(writer.done() and writer.exception() for writer in writers):
                self.stop.set()
        for writer in writers:
            writer.result()

    def _run_writer(self, lanes: Iterator[Lane]) -> None:
        """Merge lanes until all are taken; the iterator of a list gives each of them to one thread only."""
        with self._lease.connect() as connection:
            for lane in lanes:
                while lane.after != lane.end and not self.stop.is_set() and self._merge_next(connection, lane):
                    pass

    def _merge_next(self, connection: PgConnection, lane: Lane) -> bool:
        """Merge and commit a lane's next range of keys; return False after the last one."""
        for attempt in range(1, RETRIES + 1):
            try:
                return self._merge_range(connection, lane)
            except COLLISIONS:
                # Another transaction changed the same products; this one was rolled back as a whole.
                if attempt == RETRIES:
                    raise
        raise AssertionError("unreachable")

    def _merge_range(self, connection: PgConnection, lane: Lane) -> bool:
        with self._lease.transaction(connection):
            with connection.cursor() as cursor:
                cursor.execute(PLAN)
            keys = self._next_range(connection, lane)
            if keys.end is None:
                return False
            undo.keep_overwritten(connection, self._undo_table)
            counts = self._write(connection, lane, keys)
            row = self._lease.write(connection, COUNTED, lane=lane.number, range_end=keys.end, **counts._asdict())
        lane.after, lane.created = keys.end, lane.created + counts.created
        self._committed(row)
        return True

    def _next_range(self, connection: PgConnection, lane: Lane) -> Range:
        limits = {"after": lane.after, "lane_end": lane.end, "rows": self._range_rows}
        with connection.cursor() as cursor:
            cursor.execute(NEXT_RANGE.format(staging=identifier(self._table)), limits)
            return Range(*cursor.fetchone())

    def _write(self, connection: PgConnection, lane: Lane, keys: Range) -> Counts:
        numbered = lane_number(lane.number, lane.created)
        values = {**self._values, "after": lane.after, "range_end": keys.end, "numbered": numbered}
        with connection.cursor() as cursor:
            outcome = self._decide(cursor, values, keys.meets_products)
            if outcome.updated < outcome.expected:
                raise ConcurrentChange
            if keys.staged > outcome.keys:
                cursor.execute(self._duplicates, values)
        return self._counts(keys.staged, outcome)

    def _decide(self, cursor: PgCursor, values: dict[str, Any], meets_products: bool) -> Outcome:
        if self._steps.insert is not None and not meets_products:
            cursor.execute(self._steps.insert, values)
            return Outcome(keys=cursor.rowcount, rejected=0, created=cursor.rowcount, updated=0, expected=0)
        if self._steps.lock is not None:
            cursor.execute(self._steps.lock, values)
        cursor.execute(self._steps.merge, values)
        return Outcome(*cursor.fetchone())

    def _counts(self, staged: int, outcome: Outcome) -> Counts:
        lost = staged - outcome.keys
        return Counts(
            created=outcome.created,
            updated=outcome.updated,
            unchanged=outcome.keys - outcome.rejected - outcome.created - outcome.updated,
            duplicates=0 if self._rejects_duplicates else lost,
            rejected=outcome.rejected + (lost if self._rejects_duplicates else 0),
        )
