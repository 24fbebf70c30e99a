"""Parse a text record by record, and recover from broken records."""

import csv
from bisect import bisect_left
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing.csv import broken_records
from product_importer.imports.parsing.csv.broken_records import ENDLESS, BrokenRecord
from product_importer.imports.parsing.csv.physical_lines import PhysicalLines
from product_importer.imports.parsing.csv.quote_readings import Grammar
from product_importer.imports.parsing.csv.recovery import NEAR_LINES, LostLines, Recovery
from product_importer.imports.parsing.csv.row_shape import RowShape
from product_importer.imports.parsing.records import (
    MAX_RECORD_CHARACTERS,
    RECORDS_PER_CHUNK,
    Chunk,
    RowError,
    Unreadable,
)

# How many characters of a text may be read twice, because of quotes that are never closed.
MAX_REREAD_CHARACTERS = 64 * 1024 * 1024


class Record(NamedTuple):
    """A record: its first line, the line after its last one, and its fields; none for an empty line."""

    line: int
    end: int
    row: list[str]


@dataclass
class RowBuffer:
    """Consecutive rows with their first lines, and errors."""

    lines: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def add(self, line: int, row: list[str]) -> None:
        """Append a row."""
        self.lines.append(line)
        self.rows.append(row)

    def move_before(self, line: int, target: "RowBuffer") -> None:
        """Append the rows before a line to another buffer, and forget the rest."""
        place = bisect_left(self.lines, line)
        target.lines += self.lines[:place]
        target.rows += self.rows[:place]
        self.lines.clear()
        self.rows.clear()

    def is_full(self) -> bool:
        """Whether the buffer holds enough for a chunk."""
        return len(self.lines) + len(self.errors) >= RECORDS_PER_CHUNK

    def chunk(self) -> Chunk:
        """Return the rows and errors as a chunk."""
        return Chunk(self.lines, self.rows, self.errors)


class RecordParser:
    """Parses the lines of one text; `shape` says how many fields its records have, once the header is read."""

    def __init__(self, lines: PhysicalLines, delimiter: str):
        self._lines = lines
        self._delimiter = delimiter
        self._reread_characters = 0
        self.shape = RowShape()

    def records(self, number: int) -> Iterator[Record | BrokenRecord]:
        """Yield the records from a line on, up to the first one that is malformed."""
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
                # A line of white space is no row; other lines of blank fields may be part of a broken record.
                fields = [] if len(row) == 1 and row[0].isspace() and self.shape.usual > 1 else row
                is_ragged = fields and not self.shape.fits(fields)
                yield BrokenRecord(line, end, "", fields) if is_ragged else Record(line, end, fields)
        except csv.Error as error:
            yield BrokenRecord(end, number + parser.line_num, str(error), [])

    def read(self, at: int, waiting: RowBuffer, header: int | None) -> Generator[Chunk, None, int]:
        """Yield the records from `at` to the last line read, as far as no later line can change them.

        The others are left in `waiting`, which comes with the rows before `at` that are not certain yet. Return the
        line from which on nothing is certain. `header` is the first line of a header that is not certain.

        Raises:
            Unreadable: the header is broken, or too much was read twice.
        """
        done, certain = RowBuffer(), at
        while at < self._lines.end:
            for read in self.records(at):
                if isinstance(read, BrokenRecord):
                    at = certain = self._recover(read, waiting, done, header)
                    header = None
                else:
                    at = read.end
                    if read.row:
                        waiting.add(read.line, read.row)
                if at != read.end or at >= self._lines.end or done.is_full():
                    break
            if done.is_full():
                yield done.chunk()
                done = RowBuffer()
        yield done.chunk()
        # Rows that came with it may still wait, if nothing was broken.
        return min([certain, *waiting.lines[:1]])

    def _recover(self, broken: BrokenRecord, waiting: RowBuffer, done: RowBuffer, header: int | None) -> int:
        """Move the rows before the lost lines to `done`, with the errors; return the line at which to read on."""
        starts = [*([] if header is None else [header]), *waiting.lines, broken.line]
        starts = starts[bisect_left(starts, broken.line - NEAR_LINES) :]
        explained = self._explained(starts, broken)
        lost = explained or self._unexplained(broken)
        if header is not None and lost.first == header:
            message = "A quote is missing, or there is one too many, in the column names or in the lines after them."
            raise Unreadable(ImportErrorCode.MALFORMED, message, header)
        waiting.move_before(lost.first, done)
        is_alone = broken.row and (lost.first, lost.end) == (broken.line, broken.end)
        if is_alone and not (explained and self.shape.is_acceptable(broken.row)):
            # The validation of rows reports it. Or quotes do not explain its number of fields, and it loses nothing.
            done.add(broken.line, broken.row)
        else:
            done.errors += broken_records.errors(self._lines, lost, broken, self._delimiter, self.shape.usual)
            self._count_reread(lost.end, broken.end)
        self._lines.drop(lost.end)
        return lost.end

    def _explained(self, starts: list[int], broken: BrokenRecord) -> LostLines | None:
        # Two wrong quotes are not looked for where only the number of fields is wrong: often all quotes are right.
        return self._recovery.explain(starts, max_mistakes=1 if broken.row else 2)

    def _unexplained(self, broken: BrokenRecord) -> LostLines:
        if broken.row:
            return LostLines(broken.line, broken.end, is_one=True)
        return self._recovery.unexplained(broken.line)

    @cached_property
    def _recovery(self) -> Recovery:
        # The header is read again, too, if it has several lines.
        widths = (*self.shape.others, self.shape.header)
        return Recovery(self._lines, Grammar(self._delimiter, self.shape.usual, widths if self.shape.usual else ()))

    def _count_reread(self, number: int, end: int) -> None:
        self._reread_characters += sum(map(len, self._lines.between(number, max(number, end))))
        if self._reread_characters > MAX_REREAD_CHARACTERS:
            message = "From this line on the file's quotes do not close where they should."
            raise Unreadable(ImportErrorCode.UNCLOSED_QUOTE, message, number)
