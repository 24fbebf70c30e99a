"""Find rows of an import by their lines, in what its dry run or its report of rejected rows has stored.

Reading the file up to a line may take seconds; this does not.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import psycopg2.extras
from psycopg2 import sql
from sqlmodel import Session, col, select

from product_importer.core.csv_injection import escape
from product_importer.core.db import identifier, raw_connection
from product_importer.core.errors import Conflict
from product_importer.core.problem_types import ProblemType
from product_importer.imports.columns.header import Header
from product_importer.imports.error_codes import MERGE_CODES, ChangeOutcome, RowErrorCode
from product_importer.imports.models import ImportJob, ImportRowError

# Memory holds the cells of so many rows.
ROWS_AT_ONCE = 1_000
CHANGED = [outcome.value for outcome in ChangeOutcome]
# A row that changes nothing has the values of the product that it was compared with.
SHOWN = sql.SQL("""
WITH seen AS MATERIALIZED (
    SELECT *, outcome = ANY(%(changed)s) AS is_change FROM {preview} WHERE line = ANY(%(lines)s)
), held AS MATERIALIZED (SELECT * FROM product WHERE sku_key IN (SELECT sku_key FROM seen))
SELECT seen.line, seen.outcome, seen.is_change,
    (held.id, held.version) IS DISTINCT FROM (seen.product_id, seen.version) AS is_outdated,
    CASE WHEN seen.is_change THEN seen.sku ELSE coalesce(held.sku, seen.sku_key) END AS sku,
    CASE WHEN seen.is_change THEN seen.name ELSE held.name END AS name,
    CASE WHEN seen.is_change THEN seen.description ELSE held.description END AS description,
    CASE WHEN seen.is_change THEN seen.active ELSE held.active END AS active,
    CASE WHEN seen.is_change THEN seen.attributes ELSE held.attributes END AS attributes
FROM seen LEFT JOIN held USING (sku_key)
""")
# The outcomes of a dry run and the rejected rows, as states of `check_schemas`.
REJECTED = sql.SQL("""
SELECT line, CASE code WHEN 'duplicate' THEN 'duplicate' ELSE 'problem' END AS state
FROM import_row_error WHERE job_id = %(job_id)s AND (%(is_dry_run)s OR code <> 'duplicate')
""")
SEEN = sql.SQL("""
UNION ALL
SELECT line, CASE outcome WHEN 'created' THEN 'create' WHEN 'updated' THEN 'update' ELSE outcome END
FROM {preview} WHERE outcome IN ('created', 'updated', 'unchanged')
""")
LINES = sql.SQL("""
SELECT line FROM ({rows}) AS rows
WHERE (state = ANY(%(states)s) AND line <> ALL(%(edited)s)) OR line = ANY(%(matching)s)
ORDER BY line LIMIT %(limit)s OFFSET %(offset)s
""")


class StoredRow(NamedTuple):
    """A row as the reader read it, and why it was rejected, if it was.

    `outcome` is what a dry run found; `is_outdated` whether the product that the row was compared with was changed
    since. A row that changes nothing is `is_known` only while it was not.
    """

    line: int
    cells: list[str]
    code: RowErrorCode | None = None
    reason: str | None = None
    outcome: str | None = None
    is_outdated: bool = False
    is_known: bool = True


class StoredRows:
    """The rows of one import that can be edited: of a dry run all, else those that were rejected."""

    def __init__(self, session: Session, job: ImportJob):
        self._session = session
        self._job = job
        self._header = Header(tuple(job.header), tuple(job.fields))
        columns = (ImportRowError.line, ImportRowError.code, ImportRowError.reason, ImportRowError.row)
        self._rejected = select(*map(col, columns)).where(col(ImportRowError.job_id) == job.id)
        if job.preview_table is None:
            # Another row of the same SKU was used: this one is done with.
            self._rejected = self._rejected.where(col(ImportRowError.code) != RowErrorCode.DUPLICATE)

    def find(self, lines: Sequence[int]) -> dict[int, StoredRow]:
        """Return rows by their lines; lines without a row that can be edited are missing.

        Raises:
            Conflict: a product that a row was compared with was changed since.
        """
        rows = self.read(lines)
        for row in rows.values():
            if not row.is_known:
                raise Conflict(
                    f"The product of line {row.line} was changed since the dry run. Repeat the dry run.",
                    kind=ProblemType.PREVIEW_OUTDATED,
                    title="The dry run is out of date",
                )
        return rows

    def read(self, lines: Sequence[int]) -> dict[int, StoredRow]:
        """Return rows by their lines, also those that are not known any more."""
        errors = self._session.execute(self._rejected.where(col(ImportRowError.line).in_(lines)))
        rows = {error.line: _of_error(error) for error in errors}
        if self._job.preview_table is not None and (missing := [line for line in lines if line not in rows]):
            rows |= {row.line: row for row in self._shown(self._job.preview_table, missing)}
        return rows

    def lines(
        self, states: Sequence[str], edited: Sequence[int], matching: Sequence[int], limit: int, offset: int
    ) -> list[int]:
        """Return lines in order: those that had one of `states` and were not `edited`, and those `matching` now."""
        table = self._job.preview_table
        rows = REJECTED if table is None else REJECTED + SEEN.format(preview=identifier(table))
        values = {
            "job_id": str(self._job.id),
            "is_dry_run": table is not None,
            "states": list(states),
            "edited": list(edited),
            "matching": list(matching),
            "limit": limit,
            "offset": offset,
        }
        with raw_connection(self._session).cursor() as cursor:
            cursor.execute(LINES.format(rows=rows), values)
            return [line for (line,) in cursor.fetchall()]

    def lines_of(self, code: RowErrorCode, limit: int) -> list[int]:
        """Return the lines that were rejected for a reason, in order, at most `limit`."""
        columns = self._rejected.with_only_columns(col(ImportRowError.line))
        found = columns.where(col(ImportRowError.code) == code).order_by(col(ImportRowError.line)).limit(limit)
        return list(self._session.execute(found).scalars())

    def in_pieces(self, lines: Sequence[int]) -> Iterator[StoredRow]:
        """Yield rows by their lines, in their order."""
        for start in range(0, len(lines), ROWS_AT_ONCE):
            piece = lines[start : start + ROWS_AT_ONCE]
            found = self.find(piece)
            yield from (found[line] for line in piece if line in found)

    def _shown(self, table: str, lines: list[int]) -> Iterator[StoredRow]:
        with raw_connection(self._session).cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(SHOWN.format(preview=identifier(table)), {"changed": CHANGED, "lines": lines})
            for row in cursor.fetchall():
                yield StoredRow(
                    row["line"],
                    list(self._cells(row)),
                    outcome=row["outcome"],
                    is_outdated=row["is_outdated"],
                    is_known=row["is_change"] or not row["is_outdated"],
                )

    def _cells(self, row: dict[str, Any]) -> Iterable[str]:
        for position, field in enumerate(self._header.fields):
            if field == "active":
                yield "true" if row["active"] else "false"
            elif field in ("sku", "name", "description"):
                yield escape(row[field] or "")
            else:
                yield escape(_text((row["attributes"] or {}).get(self._header.attributes.get(position))))


def _of_error(error: Any) -> StoredRow:
    """Return the row of a line, code, reason and cells."""
    code = RowErrorCode(error.code)
    cells = error.row
    if code in MERGE_CODES:
        # The reader has removed the escapes of rows that it accepts.
        cells = list(map(escape, cells))
    elif code == RowErrorCode.NUL:
        # PostgreSQL stores the symbol in its place.
        cells = [cell.replace("\N{SYMBOL FOR NULL}", "\0") for cell in cells]
    return StoredRow(error.line, cells, code, error.reason)


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
