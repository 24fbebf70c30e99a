"""Report the rows of a range that are not used: those rejected by what the catalogue holds, and repeated SKUs."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pyarrow as pa
from psycopg2.extensions import cursor as PgCursor

from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.pipeline import copy_text
from product_importer.imports.pipeline.decide import REASONS, Picked
from product_importer.imports.pipeline.run_columns import RunColumns

TABLE = "import_row_error"
DUPLICATE = "Line {line} has the same SKU and was used instead."
DUPLICATE_SKU = "Line {line} has the same SKU; none of these rows was used."


class RowReports:
    """Reports rows of one import, each with its cells in the order of the file's columns."""

    def __init__(self, job_id: UUID, columns: RunColumns, rejects_duplicates: bool):
        self._job_id = str(job_id)
        self._columns = columns
        self._rejects_duplicates = rejects_duplicates

    def store(self, cursor: PgCursor, rejected: pa.Table, picked: Picked) -> None:
        """Store the reports inside the caller's transaction."""
        reports = [*self._rejected(rejected), *self._lost(picked)]
        if not reports:
            return
        lines, codes, reasons, cells = zip(*reports, strict=True)
        columns = {
            "job_id": pa.array([self._job_id] * len(reports)),
            "line": pa.array(lines, pa.int32()),
            "code": pa.array(codes, pa.string()),
            "reason": pa.array(reasons, pa.string()),
            "row": pa.array([json.dumps(row, ensure_ascii=False) for row in cells], pa.string()),
        }
        copy_text.copy(cursor, TABLE, columns)

    def _rejected(self, rows: pa.Table) -> Iterator[tuple[Any, ...]]:
        codes = map(RowErrorCode, rows["outcome"].to_pylist())
        for line, code, cells in zip(rows["line"].to_pylist(), codes, self._columns.cells(rows), strict=True):
            yield line, code.value, REASONS[code], cells

    def _lost(self, picked: Picked) -> Iterator[tuple[Any, ...]]:
        code = RowErrorCode.DUPLICATE_SKU if self._rejects_duplicates else RowErrorCode.DUPLICATE
        reason = DUPLICATE_SKU if self._rejects_duplicates else DUPLICATE
        rows = picked.lost
        lines = zip(rows["line"].to_pylist(), picked.lost_to.to_pylist(), self._columns.cells(rows), strict=True)
        for line, winner, cells in lines:
            yield line, code.value, reason.format(line=winner), cells
