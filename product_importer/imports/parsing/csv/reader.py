"""Stream the records of a CSV text strictly, each with its physical line; no line is lost without an error."""

import csv
import io
import re
from bisect import bisect_left
from collections.abc import Generator, Iterator
from itertools import accumulate
from typing import NamedTuple, Protocol

from product_importer.imports.parsing.csv import broken_records
from product_importer.imports.parsing.csv.broken_records import BrokenRecord
from product_importer.imports.parsing.csv.physical_lines import PhysicalLines
from product_importer.imports.parsing.csv.record_parser import RecordParser, RowBuffer
from product_importer.imports.parsing.csv.recovery import NEAR_LINES
from product_importer.imports.parsing.records import Chunk, Unreadable, height

# How many characters are parsed at once, and how many more to reach the end of a record.
BLOCK_CHARACTERS = 512 * 1024
MAX_EXTENSION = 64 * 1024

# The line with which a file names its delimiter for Excel; it is no record.
SEP_RECORD = re.compile(r"sep=[,;\t|]", re.IGNORECASE)


class ParseBlock(Protocol):
    """A quicker parser of whole records, which begin with `first_line`; None for those that it does not parse."""

    def __call__(self, text: str, delimiter: str, first_line: int) -> Chunk | None: ...


class PendingBlock(NamedTuple):
    """The records of a block, held until the next block shows that they are no part of a broken record; and its text.

    `first` is the number of its first line; `header` that of a header of several lines in it.
    """

    chunk: Chunk
    first: int
    text: str
    header: int | None = None


class Records:
    """The records of a text, strictly read. The text must keep its line breaks as they are.

    The lines that can belong to a broken record become errors, and reading goes on after them. They can begin before
    that record, so a block is held back until the next one is read.
    """

    def __init__(self, text: io.TextIOBase, delimiter: str = ",", parse: ParseBlock | None = None):
        csv.field_size_limit(broken_records.MAX_FIELD_CHARACTERS)
        self._parse_block = parse
        self._lines = PhysicalLines(text)
        self._delimiter = delimiter
        self._parser = RecordParser(self._lines, delimiter)
        self._held = PendingBlock(Chunk(), 1, "")

    def header(self) -> tuple[list[str], int]:
        """Return the first record that is not empty, and its line; ([], 0) when there is none.

        Raises:
            Unreadable: it is not well-formed.
        """
        for read in self._parser.records(1):
            if isinstance(read, BrokenRecord):
                raise Unreadable(*broken_records.reason(read, 0), read.line)
            line, end, row = read
            text = "".join(self._lines.between(line, end))
            self._lines.drop(end)
            if row and not (line == 1 and SEP_RECORD.fullmatch(self._delimiter.join(row))):
                self._parser.width = len(row)
                self._held = PendingBlock(Chunk(), line, text, line if end > line + 1 else None)
                return row, line
        return [], 0

    def chunks(self) -> Iterator[Chunk]:
        """Yield the records after the header, some thousand at a time; an empty line is an empty record, or left out.

        Raises:
            Unreadable: the bytes are not text, a line is too long, or a header of several lines has a wrong quote.
        """
        held = self._held
        while text := self._lines.read_block(BLOCK_CHARACTERS):
            block = self._read_block(text)
            if isinstance(block, PendingBlock):
                if held.chunk:
                    yield held.chunk
                held = block
            else:
                held = yield from self._read_slowly(held, block)
        if held.chunk:
            yield held.chunk

    def _read_block(self, text: str) -> PendingBlock | list[str]:
        """Parse whole lines at once, twice as fast as one by one; return the lines if one of them is wrong."""
        first = self._lines.first
        text += self._rest_of_a_record(text)
        if self._parse_block and (chunk := self._parse_block(text, self._delimiter, first)) and self._fits(chunk):
            self._lines.skip(chunk.lines[-1] + height(chunk.rows[-1]) - first)
            return PendingBlock(chunk, first, text)
        lines = _lines_of(text)
        try:
            rows = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
        except csv.Error:
            return lines
        chunk = Chunk(_first_lines(first, len(lines), rows), rows)
        if not self._fits(chunk):
            return lines
        self._lines.skip(len(lines))
        return PendingBlock(chunk, first, text)

    def _fits(self, chunk: Chunk) -> bool:
        """Whether every record has as many fields as the header, or none."""
        return not self._parser.width or chunk.widths() <= {0, self._parser.width}

    def _rest_of_a_record(self, text: str) -> str:
        """Return further lines while a quote is open (the number of quotes is odd), up to `MAX_EXTENSION`."""
        if '"' not in text or text.count('"') % 2 == 0:
            return ""
        rest: list[str] = []
        size = 0
        while size < MAX_EXTENSION and (line := self._lines.read_line()):
            rest.append(line)
            size += len(line)
            if line.count('"') % 2:
                break
        return "".join(rest)

    def _read_slowly(self, held: PendingBlock, lines: list[str]) -> Generator[Chunk, None, PendingBlock]:
        """Parse lines one by one, after those held; yield what is certain and return what must be held now."""
        at, records = self._lines.first, held.chunk.lines
        place = bisect_left(records, at - NEAR_LINES)
        yield Chunk(records[:place], held.chunk.rows[:place])
        waiting = RowBuffer(list(records[place:]), list(held.chunk.rows[place:]))
        first = held.header or next(iter(waiting.lines), at)
        self._lines.keep(first, [*_lines_of(held.text)[first - held.first :], *lines])
        certain = yield from self._parser.read(at, waiting, held.header)
        text = "".join(self._lines.between(certain, self._lines.end))
        self._lines.drop(self._lines.end)
        return PendingBlock(waiting.chunk(), certain, text)


def _lines_of(text: str) -> list[str]:
    return io.StringIO(text, newline="").readlines()


def _first_lines(first: int, lines: int, rows: list[list[str]]) -> list[int]:
    """Return the physical line on which each record begins; together they cover `lines`, from `first` on."""
    if lines == len(rows):
        return list(range(first, first + lines))
    return list(accumulate(map(height, rows), initial=first))[: len(rows)]
