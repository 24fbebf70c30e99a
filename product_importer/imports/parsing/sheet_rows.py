"""What the readers of all workbooks share: rows become chunks within limits, and values become text."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any, NamedTuple

from product_importer.core.settings import settings
from product_importer.imports.columns.header import default_name
from product_importer.imports.error_codes import ImportErrorCode, RowErrorCode
from product_importer.imports.parsing.records import (
    MAX_RECORD_CHARACTERS,
    RECORDS_PER_CHUNK,
    Chunk,
    RowError,
    Unreadable,
)

# Bounds the memory of a chunk: cells can share a text, and so be far longer than the file.
MAX_CHUNK_CHARACTERS = 16 * 1024 * 1024
# Excel computes with 15 digits; further ones are noise, as in 19.989999999999998.
NUMBER_FORMAT = ".15g"
# The first whole number with more digits.
LONG_NUMBER = 10**15


class SheetRow(NamedTuple):
    """A row of a sheet: its number, its cells, and the reason why a value of it is not known, if one is not.

    `shortened` is how many of its cells have numbers that `may_be_shortened`.
    """

    line: int
    cells: list[str]
    unknown: str = ""
    shortened: int = 0


class SheetRows(ABC):
    """The rows of one sheet, with the methods of `csv.reader.Records`; the line of a row is its number in the sheet.

    Empty cells are empty texts, every row is as wide as the header, and rows of white space are left out. `title` is
    the sheet's name. `header_line` is the row with the column names, 0 if there is none; None is the first one.
    """

    def __init__(self, title: str, header_line: int | None = None):
        self.title = title
        self.header_line = header_line
        self._rest = self._rows()
        self._names: list[str] = []
        self._characters = 0

    @abstractmethod
    def _rows(self) -> Iterator[SheetRow]:
        """Yield each row that has text; after the first one, they are as wide as `_names`."""

    def header(self) -> tuple[list[str], int]:
        """Return the column names, and the number of their row; ([], 0) when there are none.

        In a sheet without a header the names are those of unnamed columns.

        Raises:
            Unreadable: the workbook is damaged, or a name in the row is not known.
        """
        first = self.header_line or 1
        row = next((row for row in self._rest if row.line >= first), SheetRow(0, []))
        if self.header_line == 0:
            self._rest = chain([row] if row.line else [], self._rest)
            self._names = list(map(default_name, range(len(row.cells))))
            return self._names, row.line
        if self.header_line and row.line != self.header_line:
            return [], 0
        if row.unknown:
            raise Unreadable(RowErrorCode.FORMULA_WITHOUT_VALUE, row.unknown, row.line)
        self._names = row.cells
        return row.cells, row.line

    def first_rows(self, count: int) -> list[SheetRow]:
        """Return the first rows whose values are all known; reading has not begun then.

        Raises:
            Unreadable: the workbook is damaged.
        """
        return [row for row in islice(self._rows(), count) if not row.unknown]

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows after the header, at most `RECORDS_PER_CHUNK` at a time.

        Raises:
            Unreadable: the workbook is damaged, or its cells hold more text than `MAX_UPLOAD_MB`.
        """
        while chunk := self._chunk():
            yield chunk

    def _chunk(self) -> Chunk:
        lines: list[int] = []
        rows: list[list[str]] = []
        errors: list[RowError] = []
        shortened_lines: list[int] = []
        characters = 0
        for line, cells, unknown, shortened in self._rest:
            shortened_lines += [line] * shortened
            length = row_length(cells)
            characters += length
            if length > MAX_RECORD_CHARACTERS:
                reason = f"The row has more than {MAX_RECORD_CHARACTERS:,} characters."
                errors.append(RowError(line, RowErrorCode.TOO_LONG, reason, []))
            elif unknown:
                errors.append(RowError(line, RowErrorCode.FORMULA_WITHOUT_VALUE, unknown, cells[: len(self._names)]))
            else:
                lines.append(line)
                rows.append(cells)
            if len(rows) + len(errors) == RECORDS_PER_CHUNK or characters > MAX_CHUNK_CHARACTERS:
                break
        self._characters += characters
        if self._characters > settings().max_upload_bytes:
            raise Unreadable(
                ImportErrorCode.TOO_LARGE, f"The cells hold more text than {settings().max_upload_mb} MB."
            )
        return Chunk(lines, rows, errors, shortened_lines)


def fitted(cells: list[str], width: int) -> list[str]:
    """Return a row as wide as the header, and behind it what else has text; a `width` of 0 is as wide as it is."""
    if not width:
        return cells
    return [*cells[:width], *[""] * (width - len(cells)), *filter(None, cells[width:])]


def row_length(cells: list[str]) -> int:
    """Return how many characters a row counts for the limits: a cell counts as one more than its text has."""
    return len(cells) + sum(map(len, cells))


def plain_number(value: float) -> str:
    """Return a number as plain text: without a needless `.0`, and without noise after the 15th digit."""
    if isinstance(value, int):
        return str(value)
    return str(int(value)) if value.is_integer() and abs(value) < LONG_NUMBER else format(value, NUMBER_FORMAT)


def may_be_shortened(value: float) -> bool:
    """Whether a number has more than 15 digits before the point: a spreadsheet has cut off the others, or will.

    Digits behind the point do not count. Spreadsheets store 19.99 as 19.989999999999998, and nobody misses those.
    """
    return abs(value) >= LONG_NUMBER


def iso_date(value: Any) -> str:
    """Return a date, a time or both by ISO 8601; a date with a time of midnight is a date."""
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return value.isoformat() if isinstance(value, date | time) else str(value)
