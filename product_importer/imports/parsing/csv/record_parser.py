"""A text read record by record, where something in it is odd: what is broken is judged, and told with its lines."""

import csv
from bisect import bisect_left
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing.csv import broken_records
from product_importer.imports.parsing.csv.broken_extent import NEAR_LINES, Extent, Judge
from product_importer.imports.parsing.csv.broken_records import ENDLESS, Fault
from product_importer.imports.parsing.csv.physical_lines import Lines
from product_importer.imports.parsing.csv.quote_readings import Grammar
from product_importer.imports.parsing.records import (
    MAX_RECORD_CHARACTERS,
    RECORDS_PER_CHUNK,
    Chunk,
    RowError,
    Unreadable,
)

# The most that is read in vain behind quotes that are never closed, and so read again.
MAX_VAIN_CHARACTERS = 64 * 1024 * 1024


class Record(NamedTuple):
    """A record: its first line, the line behind its last one, and its fields; none for an empty line."""

    line: int
    end: int
    row: list[str]


@dataclass
class Rows:
    """Consecutive rows with their first lines."""

    lines: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def add(self, line: int, row: list[str]) -> None:
        """Add a row behind the others."""
        self.lines.append(line)
        self.rows.append(row)

    def move(self, other: "Rows", line: int) -> None:
        """Put the rows before a line behind those of another one, and forget the rest."""
        place = bisect_left(self.lines, line)
        other.lines += self.lines[:place]
        other.rows += self.rows[:place]
        self.lines.clear()
        self.rows.clear()

    def is_full(self) -> bool:
        """Whether they are enough for a chunk."""
        return len(self.lines) + len(self.errors) >= RECORDS_PER_CHUNK

    def chunk(self) -> Chunk:
        """Return the rows and errors as a chunk of its own."""
        return Chunk(self.lines, self.rows, self.errors)


class RecordParser:
    """Reads the lines of one text; `width` is how many fields its header has, 0 where that is not known."""

    def __init__(self, lines: Lines, delimiter: str):
        self._lines = lines
        self._delimiter = delimiter
        self._vain_characters = 0
        self.width = 0

    def records(self, number: int) -> Iterator[Record | Fault]:
        """Yield the records from a line on, up to the first that is malformed."""
        size = 0

        def lines() -> Iterator[str]:
            nonlocal size
            for line in self._lines.from_(number):
                size += len(line)
                if size > MAX_RECORD_CHARACTERS and size > len(line):
                    raise csv.Error(ENDLESS)
                yield line

        parser = csv.reader(lines(), delimiter=self._delimiter, strict=True)
        end = number
        try:
            for row in parser:
                line, end, size = end, number + parser.line_num, 0
                is_ragged = row and self.width and len(row) != self.width
                yield Fault(line, end, "", row) if is_ragged else Record(line, end, row)
        except csv.Error as error:
            yield Fault(end, number + parser.line_num, str(error), [])

    def read(self, at: int, waiting: Rows, header: int | None) -> Generator[Chunk, None, int]:
        """Yield what the lines that were read hold from `at` on, as far as nothing behind them can change it.

        The rest is left in `waiting`, which begins with the rows before `at` that are not certain yet; what is
        returned is the line from which on nothing is. `header` is the first line of a header that is not certain.

        Raises:
            Unreadable: the header is broken, or too much was read in vain.
        """
        done, certain = Rows(), at
        while at < self._lines.end:
            for read in self.records(at):
                if isinstance(read, Fault):
                    at = certain = self._settle(read, waiting, done, header)
                    header = None
                else:
                    at = read.end
                    if read.row:
                        waiting.add(read.line, read.row)
                if at != read.end or at >= self._lines.end or done.is_full():
                    break
            if done.is_full():
                yield done.chunk()
                done = Rows()
        yield done.chunk()
        return certain

    def _settle(self, fault: Fault, waiting: Rows, done: Rows, header: int | None) -> int:
        """Judge a fault: move what is certain to `done`, with the errors; return the line from which to read on."""
        starts = [*([] if header is None else [header]), *waiting.lines, fault.line]
        starts = starts[bisect_left(starts, fault.line - NEAR_LINES) :]
        extent = self._extent(starts, fault)
        if header is not None and extent.first == header:
            message = "A quote is missing or too much in the column names, or in the lines behind them."
            raise Unreadable(ImportErrorCode.MALFORMED, message, header)
        waiting.move(done, extent.first)
        if fault.row and (extent.first, extent.end) == (fault.line, fault.end):
            # A row like others, with too many or too few fields: the checks say so.
            done.add(fault.line, fault.row)
        else:
            done.errors += broken_records.errors(self._lines, extent, fault, self._delimiter, self.width)
            self._count_vain(extent.end, fault.end)
        self._lines.drop(extent.end)
        return extent.end

    def _extent(self, starts: list[int], fault: Fault) -> Extent:
        # Rows with too many or too few fields are common where all quotes are right.
        explained = self._judge.explain(starts, most_mistakes=1 if fault.row else 2)
        if explained is None and fault.row:
            return Extent(fault.line, fault.end, is_one=True)
        return explained or self._judge.unexplained(fault.line)

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self._lines, Grammar(self._delimiter, self.width))

    def _count_vain(self, number: int, end: int) -> None:
        self._vain_characters += sum(map(len, self._lines.between(number, max(number, end))))
        if self._vain_characters > MAX_VAIN_CHARACTERS:
            message = "From this line on the file's quotes do not close where they should."
            raise Unreadable(ImportErrorCode.UNCLOSED_QUOTE, message, number)
