"""The strict, streaming reader: the records of a CSV with the physical line of each, losing none."""

import csv
import io
import re
from bisect import bisect_left
from collections.abc import Generator, Iterator
from itertools import accumulate
from typing import NamedTuple, Protocol

from product_importer.imports.parsing.csv import broken_records
from product_importer.imports.parsing.csv.broken_extent import NEAR_LINES
from product_importer.imports.parsing.csv.broken_records import Fault
from product_importer.imports.parsing.csv.physical_lines import Lines
from product_importer.imports.parsing.csv.record_parser import RecordParser, Rows
from product_importer.imports.parsing.records import Chunk, Unreadable, height

# So much is taken apart at once where nothing in it is odd, and so much more to reach the end of a record.
BLOCK_CHARACTERS = 512 * 1024
MAX_EXTENSION = 64 * 1024

# A line for Excel, which is no record: it names the delimiter.
SEP_RECORD = re.compile(r"sep=[,;\t|]", re.IGNORECASE)


class Parse(Protocol):
    """A quicker way to take whole lines apart, the first of which is `first_line`; None where they are not for it."""

    def __call__(self, text: str, delimiter: str, first_line: int) -> Chunk | None: ...


class Held(NamedTuple):
    """Records that wait until those behind them show that they are whole, and the text that they stand in.

    `first` is the number of its first line; `header` is that of a header in it that has several lines.
    """

    chunk: Chunk
    first: int
    text: str
    header: int | None = None


class Records:
    """The records of a text, strictly read. It comes as physical lines with their line breaks, whatever these are.

    Where a record is not well-formed, or has not as many fields as the header, a quote may be missing or too much.
    The lines that can then belong to it become errors, as `extent` finds them, and reading goes on behind them. They
    can begin before it, so a chunk is held back until the next one is read.
    """

    def __init__(self, text: io.TextIOBase, delimiter: str = ",", parse: Parse | None = None):
        csv.field_size_limit(broken_records.MAX_FIELD_CHARACTERS)
        self._parse = parse
        self._lines = Lines(text)
        self._delimiter = delimiter
        self._careful = RecordParser(self._lines, delimiter)
        self._held = Held(Chunk(), 1, "")

    def header(self) -> tuple[list[str], int]:
        """Return the first record that is not empty, and its line; ([], 0) when there is none.

        Raises:
            Unreadable: it is not well-formed.
        """
        for read in self._careful.records(1):
            if isinstance(read, Fault):
                raise Unreadable(*broken_records.reason(read, 0), read.line)
            line, end, row = read
            text = "".join(self._lines.between(line, end))
            self._lines.drop(end)
            if row and not (line == 1 and SEP_RECORD.fullmatch(self._delimiter.join(row))):
                self._careful.width = len(row)
                self._held = Held(Chunk(), line, text, line if end > line + 1 else None)
                return row, line
        return [], 0

    def chunks(self) -> Iterator[Chunk]:
        """Yield what follows, some thousand records at a time; an empty line is an empty record, or left out.

        Raises:
            Unreadable: the bytes are not text, a line has no end, or a quote is wrong in a header of several lines.
        """
        held = self._held
        while text := self._lines.read_block(BLOCK_CHARACTERS):
            block = self._read_block(text)
            if isinstance(block, Held):
                if held.chunk:
                    yield held.chunk
                held = block
            else:
                held = yield from self._read_slowly(held, block)
        if held.chunk:
            yield held.chunk

    def _read_block(self, text: str) -> Held | list[str]:
        """Take whole lines apart at once, twice as fast as one by one; return their lines where something is odd."""
        first = self._lines.first
        if self._parse and (chunk := self._parse(text, self._delimiter, first)) and self._fits(chunk):
            self._lines.pass_by(len(chunk))
            return Held(chunk, first, text)
        text += self._rest_of_a_record(text)
        lines = _lines_of(text)
        try:
            rows = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
        except csv.Error:
            return lines
        chunk = Chunk(_first_lines(first, len(lines), rows), rows)
        if not self._fits(chunk):
            return lines
        self._lines.pass_by(len(lines))
        return Held(chunk, first, text)

    def _fits(self, chunk: Chunk) -> bool:
        """Whether every record has as many fields as the header, or is an empty line."""
        return not self._careful.width or chunk.widths() <= {0, self._careful.width}

    def _rest_of_a_record(self, text: str) -> str:
        """Return further lines while a quote is open, as an odd number of quotes tells, but not for long."""
        if text.count('"') % 2 == 0:
            return ""
        rest: list[str] = []
        size = 0
        while size < MAX_EXTENSION and (line := self._lines.read_line()):
            rest.append(line)
            size += len(line)
            if line.count('"') % 2:
                break
        return "".join(rest)

    def _read_slowly(self, held: Held, lines: list[str]) -> Generator[Chunk, None, Held]:
        """Yield the records of lines behind those that are held, one by one; return those that must be held now."""
        at, records = self._lines.first, held.chunk.lines
        place = bisect_left(records, at - NEAR_LINES)
        yield Chunk(records[:place], held.chunk.rows[:place])
        waiting = Rows(list(records[place:]), list(held.chunk.rows[place:]))
        first = held.header or next(iter(waiting.lines), at)
        self._lines.put(first, [*_lines_of(held.text)[first - held.first :], *lines])
        certain = yield from self._careful.read(at, waiting, held.header)
        text = "".join(self._lines.between(certain, self._lines.end))
        self._lines.drop(self._lines.end)
        return Held(waiting.chunk(), certain, text)


def _lines_of(text: str) -> list[str]:
    return io.StringIO(text, newline="").readlines()


def _first_lines(first: int, lines: int, rows: list[list[str]]) -> list[int]:
    """Return the physical line on which each record begins; together they cover `lines`, from `first` on."""
    if lines == len(rows):
        return list(range(first, first + lines))
    return list(accumulate(map(height, rows), initial=first))[: len(rows)]
