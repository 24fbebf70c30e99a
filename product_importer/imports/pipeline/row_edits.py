"""Apply the edits of an import's rows to what its reader yields, before it is validated; the file stays as it is."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from psycopg2.extensions import connection as PgConnection

from product_importer.core.csv_injection import escape
from product_importer.core.edges import trim
from product_importer.imports.columns.header import Header
from product_importer.imports.columns.labels import labels
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.models import ImportJob
from product_importer.imports.parsing.records import Chunk, RowError

# Fields that are read without outer spaces, so an escape must stand at their very start.
TRIMMED = ("sku", "name", "active")
PATCHES = "SELECT line, cells, is_skipped FROM import_row_patch WHERE job_id = %s AND (is_skipped OR cells <> '{}')"
REJECTED = "SELECT line FROM import_row_error WHERE job_id = %s AND code <> %s ORDER BY line"


class RowPatch(NamedTuple):
    """The edits of one row: its new values by column name, and whether it is left out."""

    cells: Mapping[str, str]
    is_skipped: bool = False


class Patching:
    """Applies patches to rows of one file."""

    def __init__(self, header: Header):
        self._fields = header.fields
        self.positions = labels(header)

    def patched(self, row: Sequence[str], cells: Mapping[str, str]) -> list[str]:
        """Return a row as wide as the header, with its edited cells as the reader would have read them.

        What lies beyond the last column is gone. A row that could not be split into cells is one text, and begins
        blank.
        """
        width = len(self._fields)
        kept = row[:width] if len(row) > 1 else ()
        patched = [*kept, *[""] * (width - len(kept))]
        for name, value in cells.items():
            position = self.positions[name]
            patched[position] = escape(trim(value) if self._fields[position] in TRIMMED else value)
        return patched


class RowEdits:
    """The patches of an import by line; if it is one of rejected rows, also the lines that it imports, in order."""

    def __init__(self, header: Header, patches: Mapping[int, RowPatch], lines: Sequence[int] | None = None):
        self._patching = Patching(header)
        self._patches = patches
        self._patched_lines = sorted(patches)
        self._lines = lines

    @property
    def is_selection(self) -> bool:
        """Whether only some lines of the file are imported."""
        return self._lines is not None

    def applied(self, chunk: Chunk) -> Chunk:
        """Return the chunk with its edited rows changed, and without those that are left out."""
        if not _between(chunk, self._patched_lines):
            return chunk
        rows: list[tuple[int, list[str]]] = []
        errors: list[RowError] = []
        for line, row in zip(chunk.lines, chunk.rows, strict=True):
            if (patch := self._patches.get(line)) is None:
                rows.append((line, row))
            elif not patch.is_skipped:
                rows.append((line, self._patching.patched(row, patch.cells)))
        for error in chunk.errors:
            if (patch := self._patches.get(error.line)) is None:
                errors.append(error)
            elif not patch.is_skipped:
                rows.append((error.line, self._patching.patched(error.row, patch.cells)))
        rows.sort(key=itemgetter(0))
        return Chunk([line for line, _ in rows], [row for _, row in rows], errors)

    def selected(self, chunk: Chunk) -> Chunk:
        """Return the chunk with the lines that are imported only."""
        if self._lines is None:
            return chunk
        wanted = set(_between(chunk, self._lines))
        rows = zip(chunk.lines, chunk.rows, strict=True) if wanted else ()
        kept = [(line, row) for line, row in rows if line in wanted]
        errors = [error for error in chunk.errors if error.line in wanted]
        return Chunk([line for line, _ in kept], [row for _, row in kept], errors)


def load(connection: PgConnection, job: ImportJob, header: Header) -> RowEdits | None:
    """Return the edits of an import; None if it has none and is of all rows."""
    with connection.cursor() as cursor:
        cursor.execute(PATCHES, (str(job.id),))
        patches = {line: RowPatch(cells, is_skipped) for line, cells, is_skipped in cursor.fetchall()}
    lines = None if job.parent_id is None else _rejected(connection, job)
    return RowEdits(header, patches, lines) if patches or lines is not None else None


def _rejected(connection: PgConnection, job: ImportJob) -> Sequence[int]:
    """Return the lines that the import's parent rejected, in order; they may be millions."""
    with connection.cursor("rejected_lines") as cursor:
        cursor.itersize = 50_000
        cursor.execute(REJECTED, (str(job.parent_id), RowErrorCode.DUPLICATE.value))
        return array("i", (line for (line,) in cursor))


def _between(chunk: Chunk, lines: Sequence[int]) -> Sequence[int]:
    """Return those of sorted lines that lie between the first and the last line of a chunk."""
    own: Iterable[int] = (*chunk.lines[:1], *chunk.lines[-1:], *(error.line for error in chunk.errors))
    first, last = min(own, default=0), max(own, default=-1)
    return lines[bisect_left(lines, first) : bisect_right(lines, last)]
