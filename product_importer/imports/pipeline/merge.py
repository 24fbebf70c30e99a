"""The merge: staged rows into products, in committed ranges of keys, each row's outcome counted."""

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

# More writers than this gain nothing measurable: the server writes one log.
MAX_WRITERS = 4
# More lanes than writers, so that a writer whose lane was quick takes another and none is idle for long at the end.
MAX_LANES = 16
RETRIES = 20
# By so much a range may be larger than a lane's share of it, which a sample tells: a small rest would cost as much
# as a whole range.
SLACK = 1.1

# About equal shares are enough, and a sample tells them; the last lane goes to the end.
LANE_ENDS = sql.SQL("""
SELECT percentile_disc(%(shares)s::float[]) WITHIN GROUP (ORDER BY sku_key),
    (SELECT max(sku_key) FROM {staging})
FROM {staging} TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (1)
""")
SAMPLED_ROWS = 10_000
# The first import into a catalogue, or of a brand, meets no product at all.
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
# The catalogue's statistics may be those of before the import: however many products there are, a look at the key's
# index for each row is quick, and keeps the order of the rows. Any other plan may be a disaster, and so may one that
# is compiled for each batch anew.
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
    """A product went away between the look at it and the write: the range is taken again."""


COLLISIONS = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure, ConcurrentChange)


class Range(NamedTuple):
    """The next keys of a lane: the last of them, the rows staged for them, whether the catalogue has any of them."""

    end: str | None
    staged: int
    meets_products: bool


class Outcome(NamedTuple):
    """What became of the keys of one range: how many there are, rows refused, products created and updated.

    `expected` is how many products were to be updated: fewer are when one went away meanwhile.
    """

    keys: int
    refused: int
    created: int
    updated: int
    expected: int


class Counts(NamedTuple):
    """What became of the rows of one range."""

    created: int
    updated: int
    unchanged: int
    duplicates: int
    rejected: int


def lane_ends(connection: PgConnection, table: str, rows: int) -> list[str]:
    """Return the keys at which each lane's share of the staged rows ends, in order; none for no rows."""
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
    """Return how many rows a range has at most: about `BATCH_SIZE`, and a lane a whole number of ranges."""
    share = rows / lanes
    return int(SLACK * share / max(1, round(share / settings().batch_size))) + 1


@dataclass
class Lane:
    """One lane's share of the keys: what is merged (`after`), its end, and how many products it has created."""

    number: int
    after: str
    end: str
    created: int


class Merge:
    """The merge of one import's staged rows, or, with the steps of `Statements.preview`, a trial of it.

    `committed` is called with the job's row after each
    commit; `stop` ends every lane at its batch's edge. What is overwritten is kept in `undo_table`.
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
        self._refuses_duplicates = statements.refuses_duplicates
        self._values = statements.values
        self._undo_table = undo_table
        self._range_rows = 0
        self.stop = Event()

    def run(self, rows: int, lane_ends: list[str], checkpoints: list[str], created: list[int]) -> None:
        """Merge so many staged rows: each lane from its checkpoint, behind so many products created, to its end.

        Each writer takes the next lane when it is through with one.

        Raises:
            Fenced: another worker has taken over.
            psycopg2.Error: what PostgreSQL refused; everything committed stays, and so do the checkpoints.
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
        """Merge lanes until all are taken; a list's iterator hands each of them to one thread only."""
        with self._lease.connect() as connection:
            for lane in lanes:
                while lane.after != lane.end and not self.stop.is_set() and self._merge_next(connection, lane):
                    pass

    def _merge_next(self, connection: PgConnection, lane: Lane) -> bool:
        """Merge and commit a lane's next range of keys; False behind the last one."""
        for attempt in range(1, RETRIES + 1):
            try:
                return self._merge_range(connection, lane)
            except COLLISIONS:
                # Somebody else's transaction had the same products; this one was rolled back whole.
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
            return Outcome(keys=cursor.rowcount, refused=0, created=cursor.rowcount, updated=0, expected=0)
        if self._steps.lock is not None:
            cursor.execute(self._steps.lock, values)
        cursor.execute(self._steps.merge, values)
        return Outcome(*cursor.fetchone())

    def _counts(self, staged: int, outcome: Outcome) -> Counts:
        lost = staged - outcome.keys
        return Counts(
            created=outcome.created,
            updated=outcome.updated,
            unchanged=outcome.keys - outcome.refused - outcome.created - outcome.updated,
            duplicates=0 if self._refuses_duplicates else lost,
            rejected=outcome.refused + (lost if self._refuses_duplicates else 0),
        )
