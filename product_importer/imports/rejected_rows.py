"""Export an import's rejected rows as a CSV that can be corrected and uploaded again."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from product_importer.core import db
from product_importer.core.csv_injection import escape, escape_cell
from product_importer.core.csv_text import to_csv
from product_importer.imports import jobs
from product_importer.imports.columns.header import REJECT_COLUMNS, default_name, fold
from product_importer.imports.error_codes import MERGE_CODES, RowErrorCode
from product_importer.imports.models import ImportJob, ImportRowError

ROWS_PER_PIECE = 1_000
# Fields that are read without outer spaces, and the leading spaces that `escape` would escape.
TRIMMED = ("sku", "name", "active")
ESCAPED_SPACES = "\t\r\n"


def stream_rejects(job_id: UUID, duplicates: bool = False) -> Iterator[str]:
    """Return the CSV in pieces: the file's own columns, then the line, code and reason of each row.

    With `duplicates`, also the rows that were not used because another one has the same SKU. Memory holds
    `ROWS_PER_PIECE` rows.

    Raises:
        NotFound: there is no such import; raised by the call, before the first piece is read.
    """
    with db.session() as session:
        job = jobs.find(session, job_id)
    # A file of corrected rejects has the added columns already: they are written anew.
    positions = [at for at, name in enumerate(job.header) if fold(name) not in REJECT_COLUMNS]
    return _pieces(job, duplicates, positions)


def _pieces(job: ImportJob, duplicates: bool, positions: list[int]) -> Iterator[str]:
    # The default name of an unnamed column holds its position: write it where leaving out columns shifts it.
    names = [job.header[at] or (default_name(at) if at != place else "") for place, at in enumerate(positions)]
    yield to_csv([[*map(escape_cell, names), *REJECT_COLUMNS]])
    line = 0
    # Each piece has a transaction of its own: a slow client must not hold one of the few connections.
    while errors := db.run(_errors_after, job.id, line, duplicates):
        yield to_csv(_row(error, job.fields, positions) for error in errors)
        line = errors[-1].line


def _errors_after(session: Session, job_id: UUID, line: int, duplicates: bool) -> Sequence[Any]:
    """Return line, code, reason and cells of the next rows after a line, at most `ROWS_PER_PIECE`."""
    columns = (ImportRowError.line, ImportRowError.code, ImportRowError.reason, ImportRowError.row)
    rejected = select(*map(col, columns)).where(ImportRowError.job_id == job_id, col(ImportRowError.line) > line)
    if not duplicates:
        rejected = rejected.where(col(ImportRowError.code) != RowErrorCode.DUPLICATE)
    return session.execute(rejected.order_by(col(ImportRowError.line)).limit(ROWS_PER_PIECE)).all()


def _row(error: Any, fields: list[str], positions: list[int]) -> list[str | int]:
    """Return a row whose cells no spreadsheet runs as formulas, and that reads back as the same values."""
    escaped = list(_escaped(error, fields))
    # A row that could not be split into cells is one text: it is written to the first column.
    places = range(len(positions)) if len(escaped) == 1 else positions
    cells = [escaped[at] if at < len(escaped) else "" for at in places]
    return [*cells, error.line, error.code, escape(error.reason)]


def _escaped(error: Any, fields: list[str]) -> Iterator[str]:
    if error.code in MERGE_CODES:
        # The reader removes the escapes of cells in rows that it accepts, so rows that the merge rejected have none.
        return map(escape, error.row)
    if len(error.row) != len(fields):
        return map(escape_cell, error.row)
    # Spaces around these fields mean nothing, but an escaped space would be part of the value.
    trimmed = (
        cell.lstrip(ESCAPED_SPACES) if field in TRIMMED else cell
        for cell, field in zip(error.row, fields, strict=True)
    )
    return map(escape_cell, trimmed)
