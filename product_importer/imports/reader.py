"""The strict, streaming reader: the records of a CSV with the physical line of each, losing none."""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, islice
from typing import Protocol

RECORDS_PER_CHUNK = 5_000
# So much is taken apart at once where nothing in it is odd, and so much more to reach the end of a record.
BLOCK_CHARACTERS = 512 * 1024
MAX_EXTENSION = 64 * 1024

# The most one field may hold: it bounds the reader's memory.
MAX_FIELD_CHARACTERS = 4 * 1024 * 1024
# The same for a record of many fields, and for all that is read a second time behind malformed records.
MAX_RECORD_CHARACTERS = 4 * 1024 * 1024
MAX_REREAD_CHARACTERS = 64 * 1024 * 1024
# What is kept of a line that cannot be taken apart into fields.
MAX_RAW_CHARACTERS = 2_000

ENDLESS = "record runs on"
# A line for Excel, which is no record: it names the delimiter.
SEP_RECORD = re.compile(r"sep=[,;\t|]", re.IGNORECASE)

NOT_CSV = {"kind": "not-csv", "title": "The file is not a CSV file"}


class Unreadable(Exception):
    """Nothing can be read from here on; `code` names the reason, `line` is the physical line, where known."""

    def __init__(self, code: str, message: str, line: int | None = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line


@dataclass(frozen=True)
class RowError:
    """A row that is not imported: its first physical line, a code for programs, a reason for people."""

    line: int
    code: str
    reason: str
    row: list[str]


@dataclass(frozen=True)
class Chunk:
    """Consecutive records: the good ones with the physical line on which each begins, and the bad ones."""

    lines: Sequence[int] = ()
    rows: Sequence[list[str]] = ()
    errors: Sequence[RowError] = ()

    def __len__(self) -> int:
        return len(self.rows) + len(self.errors)

    def width(self) -> int | None:
        """Return how many fields the good records have; None where that differs."""
        widths = set(map(len, self.rows))
        return widths.pop() if len(widths) == 1 else None

    def column(self, position: int) -> Sequence[str]:
        """Return one field of each good record; they must all have as many fields."""
        return self._columns[position]

    def has_blank(self, position: int) -> bool:
        """Whether a record has nothing but spaces in a column."""
        return not all(map(str.strip, self._columns[position]))

    def longest(self, position: int) -> int:
        """Return the length of the longest value of a column."""
        return max(map(len, self._columns[position]))

    def distinct(self, position: int) -> set[str]:
        """Return the values that a column has."""
        return set(self._columns[position])

    def has_nul(self) -> bool:
        """Whether a value holds a NUL character."""
        return any("\0" in "".join(values) for values in self._columns)

    @cached_property
    def _columns(self) -> list[tuple[str, ...]]:
        return list(zip(*self.rows, strict=True))


class Parse(Protocol):
    """A quicker way to take whole lines apart, the first of which is `first_line`; None where they are not for it."""

    def __call__(self, text: str, delimiter: str, first_line: int) -> Chunk | None: ...


class Records:
    """The records of a text, strictly read. It comes as physical lines with their line breaks, whatever these are.

    A record that is not well-formed becomes one error for its first physical line, and reading goes on at the
    very next one: a quote that is never closed cannot swallow the rows behind it.
    """

    def __init__(self, text: io.TextIOBase, delimiter: str = ",", parse: Parse | None = None):
        csv.field_size_limit(MAX_FIELD_CHARACTERS)
        self._parse = parse
        self._text = text
        self._delimiter = delimiter
        self._again: deque[str] = deque()
        self._seen: list[str] = []
        self._rows: list[list[str]] = []
        self._reread_characters = 0
        self._next_line = 1
        self._begin_parser()

    def header(self) -> tuple[list[str], int]:
        """Return the first record that is not empty, and its line; ([], 0) when there is none.

        Raises:
            Unreadable: it is not well-formed.
        """
        while True:
            chunk = self._read(1)
            if chunk.errors:
                raise Unreadable(chunk.errors[0].code, chunk.errors[0].reason, chunk.errors[0].line)
            if not chunk.rows:
                return [], 0
            [row], [line] = chunk.rows, chunk.lines
            if row and not (line == 1 and SEP_RECORD.fullmatch(self._delimiter.join(row))):
                return row, line

    def chunks(self) -> Iterator[Chunk]:
        """Yield what follows, some thousand records at a time; an empty line is an empty record.

        Raises:
            Unreadable: the bytes are not text, or a line has no end.
        """
        while chunk := self._read_block() or self._read(RECORDS_PER_CHUNK):
            yield chunk

    def _read_block(self) -> Chunk | None:
        """Read whole records at once, twice as fast as one by one; None where something in them is odd.

        Then their lines are read again by `_read`, which finds out what it is and where.
        """
        if self._again:
            return None
        with _decoding():
            text = self._text.read(BLOCK_CHARACTERS)
            text += self._text.readline()
            if self._parse and (chunk := self._parse(text, self._delimiter, self._next_line)):
                self._next_line += len(chunk)
                return chunk
            lines = io.StringIO(text, newline="").readlines()
            self._reach_the_end_of_a_record(lines)
        try:
            rows = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
        except csv.Error:
            self._again.extend(lines)
            self._begin_parser()
            return None
        first_lines = _first_lines(self._next_line, len(lines), rows)
        self._next_line += len(lines)
        return Chunk(first_lines, rows)

    def _reach_the_end_of_a_record(self, lines: list[str]) -> None:
        """Add lines while a quote is open, as an odd number of quotes tells, but not for long."""
        if "".join(lines).count('"') % 2 == 0:
            return
        size = 0
        while size < MAX_EXTENSION and (line := self._text.readline()):
            lines.append(line)
            size += len(line)
            if line.count('"') % 2:
                return

    def _read(self, count: int) -> Chunk:
        rows = self._rows = []
        errors: list[RowError] = []
        self._seen.clear()
        try:
            # One by one: `_lines` sees by their number where a record begins.
            with _decoding():
                for row in islice(self._parser, count):
                    rows.append(row)
        except csv.Error as error:
            # The lines that the records before this one do not cover are this one's.
            covered = sum(map(_height, rows))
            errors.append(_malformed(str(error), self._next_line + covered, self._seen[covered]))
            self._reread(covered + 1)
        lines = _first_lines(self._next_line, len(self._seen), rows)
        self._next_line += len(self._seen)
        return Chunk(lines, rows, errors)

    def _lines(self) -> Iterator[str]:
        """Yield physical lines, those to be read again first, and remember them until the chunk is done.

        Raises:
            csv.Error: a record runs on over so many that a quote in it must be open.
        """
        seen, records, size = self._seen, 0, 0
        for line in chain(self._pop_again(), self._text):
            seen.append(line)
            if len(self._rows) != records:
                records, size = len(self._rows), 0
            size += len(line)
            if size > MAX_RECORD_CHARACTERS and size > len(line):
                raise csv.Error(ENDLESS)
            yield line

    def _pop_again(self) -> Iterator[str]:
        while self._again:
            yield self._again.popleft()

    def _reread(self, start: int) -> None:
        """Put the lines seen from `start` on back, and begin a record there.

        Raises:
            Unreadable: so much has been read again that the quotes of the file must be out of step.
        """
        self._reread_characters += sum(map(len, self._seen[start:]))
        if self._reread_characters > MAX_REREAD_CHARACTERS:
            message = "From this line on the file's quotes do not close where they should."
            raise Unreadable("unclosed_quote", message, self._next_line + start - 1)
        self._again.extendleft(reversed(self._seen[start:]))
        del self._seen[start:]
        self._begin_parser()

    def _begin_parser(self) -> None:
        self._parser = csv.reader(self._lines(), delimiter=self._delimiter, strict=True)


@contextmanager
def _decoding() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise Unreadable("undecodable", f"The stored bytes are not text: {error}.") from error


def _first_lines(first: int, lines: int, rows: list[list[str]]) -> list[int]:
    """Return the physical line on which each record begins; together they cover `lines`, from `first` on."""
    if lines == len(rows):
        return list(range(first, first + lines))
    return list(accumulate(map(_height, rows), initial=first))[: len(rows)]


def _height(row: list[str]) -> int:
    """Return how many physical lines a record covers: one more than the line breaks inside its quotes."""
    return 1 + sum(
        value.count("\n") + value.count("\r") - value.count("\r\n") for value in row if "\n" in value or "\r" in value
    )


def _malformed(message: str, line: int, raw: str) -> RowError:
    row = [raw[:MAX_RAW_CHARACTERS].rstrip("\r\n")]
    if message in ("unexpected end of data", ENDLESS):
        return RowError(line, "unclosed_quote", "A quote that opens in this line is never closed.", row)
    if "field limit" in message:
        reason = f"A field is longer than {MAX_FIELD_CHARACTERS:,} characters, or its quote is never closed."
        return RowError(line, "too_long", reason, row)
    return RowError(line, "malformed", f"The line is not well-formed CSV: {message}.", row)
