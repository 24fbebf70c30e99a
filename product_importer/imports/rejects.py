"""The rejected rows of an import as a CSV that can be corrected and uploaded again."""

import csv
import io
from collections.abc import Iterator
from uuid import UUID

from sqlmodel import col, select

from product_importer.core import db
from product_importer.core.errors import NotFound
from product_importer.imports.header import REJECT_COLUMNS
from product_importer.imports.models import ImportJob, ImportRowError

ROWS_PER_PIECE = 1_000


def stream_rejects(job_id: UUID) -> Iterator[str]:
    """Return the pieces of the file: its own columns, then the line, the code and the reason of each row.

    Memory holds `ROWS_PER_PIECE` rows, however many there are.

    Raises:
        NotFound: there is no such import; raised at once, before the first piece is asked for.
    """
    with db.session() as session:
        job = session.get(ImportJob, job_id)
    if job is None:
        raise NotFound(f"There is no import {job_id}.")
    # A file that holds corrected rejects has these columns already: they are written anew.
    positions = [at for at, name in enumerate(job.header) if name.casefold() not in REJECT_COLUMNS]
    return _pieces(job_id, [job.header[at] for at in positions], positions)


def _pieces(job_id: UUID, names: list[str], positions: list[int]) -> Iterator[str]:
    yield _csv([[*names, *REJECT_COLUMNS]])
    rejected = (
        select(ImportRowError)
        .where(col(ImportRowError.job_id) == job_id, col(ImportRowError.code) != "duplicate")
        .order_by(col(ImportRowError.line))
        .execution_options(yield_per=ROWS_PER_PIECE)
    )
    with db.session() as session:
        for errors in session.scalars(rejected).partitions():
            yield _csv(_row(error, positions) for error in errors)
            session.expunge_all()


def _row(error: ImportRowError, positions: list[int]) -> list[str | int]:
    cells = [error.row[at] if at < len(error.row) else "" for at in positions]
    return [*cells, error.line, error.code, error.reason]


def _csv(rows) -> str:  # type: ignore[no-untyped-def]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
