"""Stream the records of a CSV text strictly, each with its physical line; no line is lost without an error."""

import csv
import io
import re
from bisect import bisect_left
from collections.abc import Generator, Iterator
from itertools import accumulate, islice
from typing import NamedTuple, Protocol

from product_importer.imports.columns.header import default_name
from product_importer.imports.parsing.csv import backslash_escapes, broken_records
from product_importer.imports.parsing.csv.broken_records import BrokenRecord
from product_importer.imports.parsing.csv.physical_lines import PhysicalLines
from product_importer.imports.parsing.csv.record_parser import Record, RecordParser, RowBuffer
from product_importer.imports.parsing.csv.recovery import NEAR_LINES
from product_importer.imports.parsing.csv.row_shape import RowShape, shape_of
from product_importer.imports.parsing.file_format import Escape
from product_importer.imports.parsing.records import Chunk, Unreadable, height, is_blank

# How many characters are parsed at once, and how many more to reach the end of a record.
BLOCK_CHARACTERS = 512 * 1024
MAX_EXTENSION = 64 * 1024
# How many records after the header tell how wide rows are.
MAX_PEEKED = 20

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

    `header_line` is the line with the column names, 0 if there is none; None is the first one that is not blank.
    `escape` says how quotes inside a field are written, if not twice.
    """

    def __init__(
        self,
        text: io.TextIOBase,
        delimiter: str = ",",
        parse: ParseBlock | None = None,
        *,
        header_line: int | None = None,
        escape: Escape | None = None,
    ):
        csv.field_size_limit(broken_records.MAX_FIELD_CHARACTERS)
        self._parse_block = parse
        self._header_line = header_line
        self._is_escaped = escape is not None
        self._lines = PhysicalLines(text, backslash_escapes.hide if escape else None)
        self._delimiter = delimiter
        self._parser = RecordParser(self._lines, delimiter)
        self._held = PendingBlock(Chunk(), 1, "")

    def header(self) -> tuple[list[str], int]:
        """Return the column names, and their line; ([], 0) when there are none.

        In a file without a header the names are those of unnamed columns.

        Raises:
            Unreadable: the record with the names is not well-formed.
        """
        self._skip_to(self._header_line or 1)
        for line, end, row in self._records(self._lines.first):
            if self._is_row(line, row):
                return self._begin(line, end, row)
            if self._header_line:
                break
            self._lines.drop(end)
        return [], 0

    def _begin(self, line: int, end: int, row: list[str]) -> tuple[list[str], int]:
        """Begin to read with the header or, where there is none, with the first record."""
        if self._header_line == 0:
            self._lines.drop(line)
            self._parser.shape = RowShape(len(row), header=len(row), needed=len(row))
            self._held = PendingBlock(Chunk(), line, "")
            return [default_name(position) for position in range(len(row))], line
        text = "".join(self._lines.between(line, end))
        self._lines.drop(end)
        self._parser.shape = shape_of(row, self._next_records(MAX_PEEKED))
        self._held = PendingBlock(Chunk(), line, text, line if end > line + 1 else None)
        return list(map(backslash_escapes.reveal, row)) if self._is_escaped else row, line

    def first_rows(self, count: int) -> list[Record]:
        """Return the first records that are not blank, before anything else is read.

        Raises:
            Unreadable: the first record is not well-formed. Another one that is not is the end.
        """
        found: list[Record] = []
        try:
            for read in self._records(1):
                if len(found) == count:
                    break
                if self._is_row(read.line, read.row):
                    found.append(read)
        except Unreadable:
            if not found:
                raise
        return found

    def _skip_to(self, line: int) -> None:
        """Go past the lines before one, as far as the text has them."""
        while self._lines.first < line and self._lines.get(self._lines.first):
            self._lines.drop(self._lines.first + 1)

    def _records(self, number: int) -> Iterator[Record]:
        """Yield the records from a line on.

        Raises:
            Unreadable: one is not well-formed.
        """
        for read in self._parser.records(number):
            if isinstance(read, BrokenRecord):
                raise Unreadable(*broken_records.reason(read, 0), read.line)
            yield read

    def _is_row(self, line: int, row: list[str]) -> bool:
        """Whether a record before the rows is one: it is not blank, and does not name the delimiter for Excel."""
        return not (is_blank(row) or (line == 1 and SEP_RECORD.fullmatch(self._delimiter.join(row))))

    def next_rows(self, count: int) -> list[list[str]]:
        """Return the next rows, of any width, up to the first record that is not well-formed; they are read again."""
        rows = [read.row for read in self._next_records(count)]
        return [list(map(backslash_escapes.reveal, row)) for row in rows] if self._is_escaped else rows

    def _next_records(self, count: int) -> list[Record | BrokenRecord]:
        """Return the next records that are not blank, among so many; the last one may be malformed."""
        records = islice(self._parser.records(self._lines.first), count)
        return [read for read in records if isinstance(read, BrokenRecord) or not is_blank(read.row)]

    def chunks(self) -> Iterator[Chunk]:
        """Yield the records after the header, some thousand at a time; an empty line is an empty record, or left out.

        Raises:
            Unreadable: the bytes are not text, a line is too long, or a header of several lines has a wrong quote.
        """
        return map(backslash_escapes.reveal_chunk, self._chunks()) if self._is_escaped else self._chunks()

    def _chunks(self) -> Iterator[Chunk]:
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
        """Whether every record has as many fields as it can have, or none."""
        shape = self._parser.shape
        if not shape.usual or chunk.widths() <= {0, shape.header} & {0, shape.usual}:
            return True
        return chunk.widths() <= {0, *shape.widths} and chunk.fitted(shape.header, shape.needed) is not None

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
