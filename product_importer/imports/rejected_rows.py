"""The rejected rows of an import as a CSV that can be corrected and uploaded again."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from product_importer.catalog.csv_injection import escape, escape_cell
from product_importer.catalog.export import to_csv
from product_importer.core import db
from product_importer.core.errors import NotFound
from product_importer.imports.columns.header import REJECT_COLUMNS, fold, unnamed
from product_importer.imports.models import ImportJob, ImportRowError
from product_importer.imports.pipeline.sql_templates import CODES

ROWS_PER_PIECE = 1_000
# The fields that are read without outer spaces, and the spaces that are guarded.
TRIMMED = ("sku", "name", "active")
SKIPPED = "\t\r\n"


def stream_rejects(job_id: UUID, duplicates: bool = False) -> Iterator[str]:
    """Return the pieces of the file: its own columns, then the line, the code and the reason of each row.

    With `duplicates`, also the rows that lost to another row of their SKU.

    Memory holds `ROWS_PER_PIECE` rows, however many there are.

    Raises:
        NotFound: there is no such import; raised at once, before the first piece is asked for.
    """
    with db.session() as session:
        job = session.get(ImportJob, job_id)
    if job is None:
        raise NotFound(f"There is no import {job_id}.")
    # A file that holds corrected rejects has these columns already: they are written anew.
    positions = [at for at, name in enumerate(job.header) if fold(name) not in REJECT_COLUMNS]
    return _pieces(job, duplicates, positions)


def _pieces(job: ImportJob, duplicates: bool, positions: list[int]) -> Iterator[str]:
    # A column without a name is called by its place, which is another one where such columns stood before it.
    names = [job.header[at] or (unnamed(at) if at != place else "") for place, at in enumerate(positions)]
    yield to_csv([[*map(escape_cell, names), *REJECT_COLUMNS]])
    line = 0
    # Each piece in a transaction of its own: a reader who is slow must not hold one of the few connections.
    while errors := db.run(_errors_after, job.id, line, duplicates):
        yield to_csv(_row(error, job.fields, positions) for error in errors)
        line = errors[-1].line


def _errors_after(session: Session, job_id: UUID, line: int, duplicates: bool) -> Sequence[Any]:
    """Return line, code, reason and cells of the next rows behind a line, at most `ROWS_PER_PIECE`."""
    columns = (ImportRowError.line, ImportRowError.code, ImportRowError.reason, ImportRowError.row)
    rejected = select(*map(col, columns)).where(ImportRowError.job_id == job_id, col(ImportRowError.line) > line)
    if not duplicates:
        rejected = rejected.where(col(ImportRowError.code) != "duplicate")
    return session.execute(rejected.order_by(col(ImportRowError.line)).limit(ROWS_PER_PIECE)).all()


def _row(error: Any, fields: list[str], positions: list[int]) -> list[str | int]:
    """Return a row of which no cell runs, and each means what it meant in the file."""
    escaped = list(_guarded(error, fields))
    # What could not be taken apart is one text: it stands first, wherever the file's first column is.
    places = range(len(positions)) if len(escaped) == 1 else positions
    cells = [escaped[at] if at < len(escaped) else "" for at in places]
    return [*cells, error.line, error.code, escape(error.reason)]


def _guarded(error: Any, fields: list[str]) -> Iterator[str]:
    if error.code in CODES:
        # What the merge refused is what was staged, without the guards of the file's cells.
        return map(escape, error.row)
    if len(error.row) != len(fields):
        return map(escape_cell, error.row)
    # Spaces around these mean nothing, but a guard in front of them would.
    trimmed = (
        cell.lstrip(SKIPPED) if field in TRIMMED else cell for cell, field in zip(error.row, fields, strict=True)
    )
    return map(escape_cell, trimmed)
