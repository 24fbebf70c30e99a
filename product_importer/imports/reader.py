"""The strict, streaming reader: the records of a CSV with the physical line of each, losing none."""

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, chain, islice
from typing import Any, BinaryIO

from product_importer.core.errors import Invalid

RECORDS_PER_CHUNK = 5_000
READ_BYTES = 1024 * 1024

# The most one field or one physical line may hold: they bound the reader's memory.
MAX_FIELD_CHARACTERS = 4 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
# The same for a record of many fields, and for all that is read a second time behind malformed records.
MAX_RECORD_CHARACTERS = 4 * 1024 * 1024
MAX_REREAD_CHARACTERS = 64 * 1024 * 1024
# What is kept of a line that cannot be taken apart into fields.
MAX_RAW_CHARACTERS = 2_000

ENDLESS = "record runs on"

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

    lines: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.errors)


class Counted(io.RawIOBase):
    """Counts the bytes that pass, so that parsing does not know of progress, and refuses endless lines."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._line_bytes = 0
        self.bytes_read = 0

    def readable(self) -> bool:
        """Tell the buffers above that this is a source."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the stream; return the number of bytes."""
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self.bytes_read += len(chunk)
        self._guard(chunk)
        return len(chunk)

    def _guard(self, chunk: bytes) -> None:
        last_break = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self._line_bytes = len(chunk) - last_break - 1 + (self._line_bytes if last_break < 0 else 0)
        if self._line_bytes > MAX_LINE_BYTES:
            raise Unreadable("line_too_long", "A line is longer than 16 MiB: this is not a table of rows.")


def read_header(stream: BinaryIO) -> list[str]:
    """Return the column names in a file's first record.

    Raises:
        Invalid: there is none, or it is not text; the detail says what was found and where.
    """
    names, _ = read_head(stream, 0)
    return names


def read_head(stream: BinaryIO, most: int) -> tuple[list[str], list[list[str]]]:
    """Return the column names in a file's first record, and at most `most` of the rows behind it.

    Raises:
        Invalid: there is no first record, or it is not text; the detail says what was found and where.
    """
    records = Records(Counted(stream))
    try:
        names, _ = records.header()
    except Unreadable as error:
        raise Invalid(f"The first line cannot be read: {error.message}", **NOT_CSV) from error
    if not names:
        raise Invalid(
            "The file has no first line with column names. Needed are sku, name and description.",
            kind="empty-file",
            title="The file is empty",
        )
    if any(not character.isprintable() for name in names for character in "".join(name.split())):
        raise Invalid("The first line holds control characters: this is not a text file.", **NOT_CSV)
    return names, records.sample(most)


class Records:
    """The records of a stream, strictly read.

    A record that is not well-formed becomes one error for its first physical line, and reading goes on at the
    very next one: a quote that is never closed cannot swallow the rows behind it.
    """

    def __init__(self, counted: Counted):
        csv.field_size_limit(MAX_FIELD_CHARACTERS)
        # newline="": line breaks inside quotes stay as they are, and every kind of them ends a physical line.
        self._text = io.TextIOWrapper(io.BufferedReader(counted, READ_BYTES), encoding="utf-8-sig", newline="")
        self._again: deque[str] = deque()
        self._seen: list[str] = []
        self._rows: list[list[str]] = []
        self._reread_characters = 0
        self._next_line = 1
        self._parser = csv.reader(self._lines(), strict=True)

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
            if chunk.rows[0]:
                return chunk.rows[0], chunk.lines[0]

    def sample(self, most: int) -> list[list[str]]:
        """Return at most `most` of the next rows; those before one that cannot be read, where there is one."""
        try:
            return [row for row in self._read(most).rows if row]
        except Unreadable:
            return []

    def chunks(self) -> Iterator[Chunk]:
        """Yield what follows, at most `RECORDS_PER_CHUNK` records at a time; an empty line is an empty record.

        Raises:
            Unreadable: the bytes are not text, or a line has no end.
        """
        while chunk := self._read(RECORDS_PER_CHUNK):
            yield chunk

    def _read(self, count: int) -> Chunk:
        rows = self._rows = []
        errors: list[RowError] = []
        self._seen.clear()
        try:
            # One by one: `_lines` sees by their number where a record begins.
            for row in islice(self._parser, count):
                rows.append(row)
        except csv.Error as error:
            # The lines that the records before this one do not cover are this one's.
            covered = sum(map(_height, rows))
            errors.append(_malformed(str(error), self._next_line + covered, self._seen[covered]))
            self._reread(covered + 1)
        except UnicodeDecodeError as error:
            raise Unreadable("undecodable", f"The file is not UTF-8: {error}.") from error
        lines = self._first_lines(rows)
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
        self._parser = csv.reader(self._lines(), strict=True)

    def _first_lines(self, rows: list[list[str]]) -> list[int]:
        """Return the physical line on which each record begins."""
        if len(self._seen) == len(rows):
            return list(range(self._next_line, self._next_line + len(rows)))
        return list(accumulate(map(_height, rows), initial=self._next_line))[: len(rows)]


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
