"""The merge: staged rows into products, in committed ranges of keys, each row's outcome counted."""

import os
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Event
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2 import errors, sql
from psycopg2.extensions import connection as PgConnection

from product_importer.core.settings import settings
from product_importer.imports.header import IGNORED, Header
from product_importer.imports.lease import Lease

# More lanes than this gain nothing measurable: the server writes one log.
MOST_LANES = 4
RETRIES = 5

LANE_ENDS = """
SELECT array_agg(sku_key ORDER BY sku_key) FROM (
    SELECT sku_key, row_number() OVER (ORDER BY sku_key) AS place FROM {staging}
) AS placed WHERE place = ANY(%(places)s)
"""
RANGE_END = """
SELECT max(sku_key) FROM (
    SELECT sku_key FROM {staging} WHERE sku_key > %(after)s AND sku_key <= %(lane_end)s
    ORDER BY sku_key LIMIT %(batch)s
) AS batch
"""
# In one file the last row of a key wins. Rows are taken in key order, so that two imports cannot deadlock.
# A product that an import changes keeps its SKU as it was written first. A new row has version 1, a changed
# one a higher version; unchanged ones are not returned, for they are not written.
MERGE = """
WITH incoming AS (
    SELECT DISTINCT ON (sku_key) * FROM {staging}
    WHERE sku_key > %(after)s AND sku_key <= %(range_end)s
    ORDER BY sku_key, line DESC
), written AS (
    INSERT INTO product AS held (id, sku, sku_key, name, description, active, attributes)
    SELECT id, sku, sku_key, name, description, active, attributes FROM incoming ORDER BY sku_key
    ON CONFLICT (sku_key) DO UPDATE
    SET {assignments}, version = held.version + 1, updated_at = now()
    WHERE ({held}) IS DISTINCT FROM ({given})
    RETURNING {returned}
){told}
SELECT
    (SELECT count(*) FROM {staging} WHERE sku_key > %(after)s AND sku_key <= %(range_end)s),
    (SELECT count(*) FROM incoming),
    count(*),
    count(*) FILTER (WHERE version = 1)
FROM written
"""
# One event a written row, for those who want each: with the id that staging gave the row, so in the order of lines.
# A new product has that id itself; nothing compares the two.
TELL = """, told AS (
    INSERT INTO event (id, event_type, payload, version, batch_id)
    SELECT incoming.id, named.event_type, jsonb_build_object(
        'event_type', named.event_type, 'product_id', written.id, 'sku', written.sku, 'name', written.name,
        'timestamp', round(extract(epoch FROM clock_timestamp()), 3)
    ), written.version, {job_id}
    FROM written JOIN incoming USING (sku_key),
        LATERAL (SELECT CASE version WHEN 1 THEN 'product_created' ELSE 'product_updated' END AS event_type) AS named
)"""
REPORT_DUPLICATES = """
INSERT INTO import_row_error (job_id, line, code, reason, row)
SELECT %(job_id)s, line, 'duplicate', 'Line ' || winner || ' has the same SKU and was taken.', to_json({row})
FROM (
    SELECT *, first_value(line) OVER (PARTITION BY sku_key ORDER BY line DESC) AS winner FROM {staging}
    WHERE sku_key > %(after)s AND sku_key <= %(range_end)s
) AS ranked
WHERE line <> winner
"""
COUNTED = """
created = created + %(created)s, updated = updated + %(updated)s, unchanged = unchanged + %(unchanged)s,
duplicates = duplicates + %(duplicates)s, lane_checkpoints[%(lane)s] = %(range_end)s, attempts = 0
"""


class Counts(NamedTuple):
    """What became of the rows of one range."""

    created: int
    updated: int
    unchanged: int
    duplicates: int


def lane_ends(connection: PgConnection, table: str, rows: int) -> list[str]:
    """Return the keys at which each lane's share of the staged rows ends, in order; none for no rows."""
    lanes = min(MOST_LANES, os.cpu_count() or 1, max(1, rows // settings().batch_size))
    places = [rows * (lane + 1) // lanes for lane in range(lanes)]
    with connection.cursor() as cursor:
        cursor.execute(_statement(LANE_ENDS, table), {"places": places})
        row = cursor.fetchone()
    return list(row[0] or []) if row else []


class Merge:
    """The merge of one import's staged rows.

    `committed` is called with the job's row after each commit; `stop` ends every lane at its batch's edge. With
    `tells_each`, every product that is written gets an event in the same transaction.
    """

    def __init__(
        self,
        lease: Lease,
        table: str,
        header: Header,
        committed: Callable[[dict[str, Any]], None],
        tells_each: bool = False,
    ):
        self._lease = lease
        self._table = table
        self._committed = committed
        self._attribute_names = list(header.attributes.values())
        self._merge = _merge_statement(table, header, lease.job.id if tells_each else None)
        self._report = _report_statement(table, header)
        self.stop = Event()

    def run(self, lane_ends: list[str], checkpoints: list[str]) -> None:
        """Merge every lane from its checkpoint to its end, in parallel.

        Raises:
            Fenced: another worker has taken over.
            psycopg2.Error: what PostgreSQL refused; everything committed stays, and so do the checkpoints.
        """
        with ThreadPoolExecutor(max_workers=len(lane_ends) or 1) as pool:
            lanes = [
                pool.submit(self._run_lane, number, checkpoint, end)
                for number, (checkpoint, end) in enumerate(zip(checkpoints, lane_ends, strict=True), start=1)
            ]
            wait(lanes, return_when=FIRST_EXCEPTION)
            if any(lane.done() and lane.exception() for lane in lanes):
                self.stop.set()
        for lane in lanes:
            lane.result()

    def _run_lane(self, number: int, after: str, lane_end: str) -> None:
        with self._lease.connect() as connection:
            while not self.stop.is_set():
                reached = self._merge_next(connection, number, after, lane_end)
                if reached is None:
                    return
                after = reached

    def _merge_next(self, connection: PgConnection, lane: int, after: str, lane_end: str) -> str | None:
        """Merge and commit the range of keys behind `after`; return its last key, None behind the last one."""
        for attempt in range(1, RETRIES + 1):
            try:
                return self._merge_range(connection, lane, after, lane_end)
            except (errors.DeadlockDetected, errors.SerializationFailure):
                # Somebody else's transaction took rows in another order; this one was rolled back whole.
                if attempt == RETRIES:
                    raise
        raise AssertionError("unreachable")

    def _merge_range(self, connection: PgConnection, lane: int, after: str, lane_end: str) -> str | None:
        with self._lease.transaction(connection):
            range_end = self._range_end(connection, after, lane_end)
            if range_end is None:
                return None
            counts = self._write(connection, after, range_end)
            row = self._lease.write(connection, COUNTED, lane=lane, range_end=range_end, **counts._asdict())
        self._committed(row)
        return range_end

    def _range_end(self, connection: PgConnection, after: str, lane_end: str) -> str | None:
        limits = {"after": after, "lane_end": lane_end, "batch": settings().batch_size}
        with connection.cursor() as cursor:
            cursor.execute(_statement(RANGE_END, self._table), limits)
            row = cursor.fetchone()
        return row[0] if row else None

    def _write(self, connection: PgConnection, after: str, range_end: str) -> Counts:
        values = {
            "after": after,
            "range_end": range_end,
            "names": self._attribute_names,
            "job_id": str(self._lease.job.id),
        }
        with connection.cursor() as cursor:
            cursor.execute(self._merge, values)
            staged, keys, written, created = cursor.fetchone()
            if staged > keys:
                cursor.execute(self._report, values)
        return Counts(created, written - created, keys - written, staged - keys)


def _merge_statement(table: str, header: Header, told_of: UUID | None) -> sql.Composable:
    """Return the merge of the columns that the file has: an absent column never changes data.

    `told_of` is the import whose products each get an event; None for no events.
    """
    changes = {"name": "excluded.name", "description": "excluded.description"}
    if header.position("active") is not None:
        changes["active"] = "excluded.active"
    if header.attributes:
        # The file's own attributes are replaced as a whole, so that a blank cell removes one; others stay.
        changes["attributes"] = "(held.attributes - %(names)s::text[]) || excluded.attributes"
    return _statement(
        MERGE,
        table,
        assignments=sql.SQL(", ".join(f"{column} = {value}" for column, value in changes.items())),
        held=sql.SQL(", ".join(f"held.{column}" for column in changes)),
        given=sql.SQL(", ".join(changes.values())),
        returned=sql.SQL("version" if told_of is None else "id, sku, sku_key, name, version"),
        told=sql.SQL("") if told_of is None else sql.SQL(TELL).format(job_id=sql.Literal(str(told_of))),
    )


def _report_statement(table: str, header: Header) -> sql.Composable:
    """Return the report of duplicates, each with its row put back into the file's columns."""
    attributes = header.attributes
    cells: list[sql.Composable] = []
    for position, field in enumerate(header.fields):
        if position in attributes:
            cells.append(sql.SQL("coalesce(attributes ->> {}, '')").format(sql.Literal(attributes[position])))
        elif field == IGNORED:
            cells.append(sql.Literal(""))
        else:
            cells.append(sql.SQL("{}::text").format(sql.Identifier(field)))
    return _statement(REPORT_DUPLICATES, table, row=sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(cells)))


def _statement(template: str, table: str, **parts: sql.Composable) -> sql.Composable:
    return sql.SQL(template).format(staging=sql.Identifier(table), **parts)
