"""The merge: staged rows into products, in committed ranges of keys, each row's outcome counted."""

import os
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Any, NamedTuple

from psycopg2 import errors, sql
from psycopg2.extensions import connection as PgConnection

from product_importer.core.ids import lane_number
from product_importer.core.settings import settings
from product_importer.imports import undo
from product_importer.imports.lease import Lease
from product_importer.imports.statements import Outcome, Statements

# More lanes than this gain nothing measurable: the server writes one log.
MOST_LANES = 4
RETRIES = 20

LANE_ENDS = """
SELECT array_agg(sku_key ORDER BY sku_key) FROM unnest(%(places)s) AS place, LATERAL (
    SELECT sku_key FROM {staging} ORDER BY sku_key OFFSET place - 1 LIMIT 1
) AS placed
"""
RANGE_END = """
SELECT max(sku_key) FROM (
    SELECT sku_key FROM {staging} WHERE sku_key > %(after)s AND sku_key <= %(lane_end)s
    ORDER BY sku_key LIMIT %(batch)s
) AS batch
"""
# The catalogue's statistics may be those of before the import: however many products there are, a look at the key's
# index for each row is quick, and keeps the order of the rows. Any other plan may be a disaster.
PLAN = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off"
COUNTED = """
created = created + %(created)s, updated = updated + %(updated)s, unchanged = unchanged + %(unchanged)s,
duplicates = duplicates + %(duplicates)s, rejected = rejected + %(rejected)s,
lane_checkpoints[%(lane)s] = %(range_end)s, lane_created[%(lane)s] = lane_created[%(lane)s] + %(created)s,
attempts = 0
"""


class Overtaken(Exception):
    """A product went away between the look at it and the write: the range is taken again."""


COLLISIONS = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure, Overtaken)


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
    lanes = min(MOST_LANES, os.cpu_count() or 1, max(1, rows // settings().batch_size))
    places = [rows * (lane + 1) // lanes for lane in range(lanes)]
    with connection.cursor() as cursor:
        cursor.execute(_statement(LANE_ENDS, table), {"places": places})
        row = cursor.fetchone()
    return list(row[0] or []) if row else []


@dataclass
class Lane:
    """One lane's share of the keys: what is merged (`after`), its end, and how many products it has created."""

    number: int
    after: str
    end: str
    created: int


class Merge:
    """The merge of one import's staged rows, or, with a merge of `Statements.preview`, a trial of it.

    `lock` is what to do before it in the same transaction. `committed` is called with the job's row after each
    commit; `stop` ends every lane at its batch's edge. What is overwritten is kept in `undo_table`.
    """

    def __init__(
        self,
        lease: Lease,
        table: str,
        statements: Statements,
        merge: sql.Composable,
        committed: Callable[[dict[str, Any]], None],
        *,
        lock: sql.Composable | None = None,
        undo_table: str = "",
    ):
        self._lease = lease
        self._table = table
        self._committed = committed
        self._lock = lock
        self._merge = merge
        self._duplicates = statements.duplicates()
        self._refuses_duplicates = statements.refuses_duplicates
        self._attribute_names = statements.attribute_names
        self._undo_table = undo_table
        self.stop = Event()

    def run(self, lane_ends: list[str], checkpoints: list[str], created: list[int]) -> None:
        """Merge every lane from its checkpoint, up to which it has created so many products, to its end, in parallel.

        Raises:
            Fenced: another worker has taken over.
            psycopg2.Error: what PostgreSQL refused; everything committed stays, and so do the checkpoints.
        """
        with ThreadPoolExecutor(max_workers=len(lane_ends) or 1) as pool:
            lanes = [
                pool.submit(self._run_lane, Lane(number, *lane))
                for number, lane in enumerate(zip(checkpoints, lane_ends, created, strict=True), start=1)
            ]
            wait(lanes, return_when=FIRST_EXCEPTION)
            if any(lane.done() and lane.exception() for lane in lanes):
                self.stop.set()
        for lane in lanes:
            lane.result()

    def _run_lane(self, lane: Lane) -> None:
        with self._lease.connect() as connection:
            while not self.stop.is_set() and self._merge_next(connection, lane):
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
            range_end = self._range_end(connection, lane)
            if range_end is None:
                return False
            with connection.cursor() as cursor:
                cursor.execute(PLAN)
            undo.keep_overwritten(connection, self._undo_table)
            counts = self._write(connection, lane, range_end)
            row = self._lease.write(connection, COUNTED, lane=lane.number, range_end=range_end, **counts._asdict())
        lane.after, lane.created = range_end, lane.created + counts.created
        self._committed(row)
        return True

    def _range_end(self, connection: PgConnection, lane: Lane) -> str | None:
        limits = {"after": lane.after, "lane_end": lane.end, "batch": settings().batch_size}
        with connection.cursor() as cursor:
            cursor.execute(_statement(RANGE_END, self._table), limits)
            row = cursor.fetchone()
        return row[0] if row else None

    def _write(self, connection: PgConnection, lane: Lane, range_end: str) -> Counts:
        values = {
            "after": lane.after,
            "range_end": range_end,
            "numbered": lane_number(lane.number, lane.created),
            "names": self._attribute_names,
            "job_id": str(self._lease.job.id),
        }
        with connection.cursor() as cursor:
            if self._lock is not None:
                cursor.execute(self._lock, values)
            cursor.execute(self._merge, values)
            outcome = Outcome(*cursor.fetchone())
            if outcome.updated < outcome.expected:
                raise Overtaken
            if outcome.staged > outcome.keys:
                cursor.execute(self._duplicates, values)
        return self._counts(outcome)

    def _counts(self, outcome: Outcome) -> Counts:
        lost = outcome.staged - outcome.keys
        return Counts(
            created=outcome.created,
            updated=outcome.updated,
            unchanged=outcome.keys - outcome.refused - outcome.created - outcome.updated,
            duplicates=0 if self._refuses_duplicates else lost,
            rejected=outcome.refused + (lost if self._refuses_duplicates else 0),
        )


def _statement(template: str, table: str) -> sql.Composable:
    return sql.SQL(template).format(staging=sql.Identifier(table))
