"""The chunks of records that the readers of all formats yield, and the error for a file that cannot be read."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Protocol

from product_importer.core.edges import trim
from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType
from product_importer.imports.error_codes import ImportErrorCode, RowErrorCode

RECORDS_PER_CHUNK = 5_000
# The maximum length of a record, which bounds a reader's memory.
MAX_RECORD_CHARACTERS = 4 * 1024 * 1024


class Unreadable(Exception):
    """The rest of a file cannot be read; `line` is the physical line, where known."""

    def __init__(self, code: ImportErrorCode | RowErrorCode, message: str, line: int | None = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line


@dataclass(frozen=True)
class RowError:
    """A row that is not imported: its first physical line, a code for programs, a reason for people, its cells."""

    line: int
    code: RowErrorCode
    reason: str
    row: list[str]


@dataclass(frozen=True)
class Chunk:
    """Consecutive records: the good ones with the physical line on which each begins, and the bad ones.

    `shortened` has the line of each cell with a number of which digits may be lost.
    """

    lines: Sequence[int] = ()
    rows: Sequence[list[str]] = ()
    errors: Sequence[RowError] = ()
    shortened: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.rows) + len(self.errors)

    def widths(self) -> set[int]:
        """Return how many fields the good records have."""
        return set(map(len, self.rows))

    def width(self) -> int | None:
        """Return how many fields the good records have; None where that differs."""
        widths = self.widths()
        return widths.pop() if len(widths) == 1 else None

    def column(self, position: int) -> Sequence[str]:
        """Return one field of each good record; they must all have as many fields."""
        return self._columns[position]

    def has_blank(self, position: int) -> bool:
        """Whether a record has nothing that counts in a column."""
        return not all(map(trim, self._columns[position]))

    def longest(self, position: int) -> int:
        """Return the length of the longest value of a column."""
        return max(map(len, self._columns[position]))

    def distinct(self, position: int) -> set[str]:
        """Return the values that a column has."""
        return set(self._columns[position])

    def has_nul(self) -> bool:
        """Whether a value holds a NUL character."""
        return any("\0" in "".join(values) for values in self._columns)

    def has_value(self, position: int, value: str) -> bool:
        """Whether a column has a value, without outer spaces."""
        return value in map(trim, self._columns[position])

    def has_match(self, position: int, part: str, pattern: re.Pattern[str]) -> bool:
        """Whether a pattern matches a whole value of a column, without outer spaces; such a value holds `part`."""
        values = self._columns[position]
        return part in "".join(values) and any(pattern.fullmatch(trim(value)) for value in values)

    def fitted(self, width: int, needed: int) -> "Chunk | None":
        """Return the chunk with `width` fields in each record, as `fitted_row` does; None if one does not fit.

        An empty record stays empty.
        """
        if self.width() == width:
            return self
        rows = [row for old in self.rows if (row := fitted_row(old, width, needed) if old else old) is not None]
        return replace(self, rows=rows) if len(rows) == len(self.rows) else None

    def mapped(
        self, marks: Iterable[str], change: Callable[[str], str], at_start: bool = False
    ) -> tuple["Chunk", list[int]]:
        """Return the chunk with each cell changed that holds a mark, and for each the place of its record.

        Only marks at the start of a cell count if `at_start`.
        """
        text = "\0".join(chain([""], *self.rows))
        if not any(f"\0{mark}" in text if at_start else mark in text for mark in marks):
            return self, []
        rows = [list(map(change, row)) for row in self.rows]
        places = [
            place
            for place, (old, new) in enumerate(zip(self.rows, rows, strict=True))
            for before, after in zip(old, new, strict=True)
            if before != after
        ]
        return replace(self, rows=rows), places

    @cached_property
    def _columns(self) -> list[tuple[str, ...]]:
        return list(zip(*self.rows, strict=True))


def is_blank(cells: Iterable[str]) -> bool:
    """Whether cells hold nothing but white space."""
    return not any(map(trim, cells))


def is_padding(cells: Sequence[str]) -> bool:
    """Whether a row is a line of what old programs pad to the end of a file, Ctrl-Z and NULs, in a joined file."""
    return len(cells) == 1 and is_blank([cells[0].strip("\x1a\0")])


def filled_width(cells: Sequence[str]) -> int:
    """Return how many cells a row has up to the last one that is not blank."""
    return next((width for width in range(len(cells), 0, -1) if trim(cells[width - 1])), 0)


def fitted_row(row: list[str], width: int, needed: int) -> list[str] | None:
    """Return a row with `width` cells: without blank ones beyond, with empty ones for those missing after `needed`.

    None if a value is beyond, or one of the `needed` cells is missing.
    """
    if len(row) < needed or not is_blank(row[width:]):
        return None
    return row if len(row) == width else row[:width] + [""] * (width - len(row))


class RecordReader(Protocol):
    """A reader of any format: call `header()`, then `chunks()`. Both raise `Unreadable`."""

    def header(self) -> tuple[list[str], int]:
        """Return the column names in the first record, and its physical line; ([], 0) if there is none."""

    def chunks(self) -> Iterator[Chunk]:
        """Yield the records after the header."""


def not_csv(detail: str) -> Invalid:
    """Return the error for a file that holds no rows that can be read; the detail says what to do."""
    return Invalid(detail, kind=ProblemType.NOT_CSV, title="The file cannot be read")


def height(row: list[str]) -> int:
    """Return how many physical lines a record covers: one more than the line breaks inside its quotes."""
    return 1 + sum(
        value.count("\n") + value.count("\r") - value.count("\r\n") for value in row if "\n" in value or "\r" in value
    )
