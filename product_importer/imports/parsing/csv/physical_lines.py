"""The physical lines of a text by their numbers: as far ahead as somebody asks, without those that are done."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing.records import Unreadable

# So many lines that are done are kept before the list is shortened, which moves all others.
DONE_LINES = 1_000


class Lines:
    """Some consecutive lines of a text with their line breaks, whatever these are; `first` is the first one's number.

    Every method but `drop` reads on where it must, and raises `Unreadable` where the bytes are no text.
    """

    def __init__(self, text: io.TextIOBase):
        self._text = text
        self._lines: list[str] = []
        self._done = 0
        self._free_from = self._free_to = 0
        self.first = 1

    @property
    def end(self) -> int:
        """The number of the first line that has not been read."""
        return self.first + len(self._lines) - self._done

    def get(self, number: int) -> str:
        """Return a line, or nothing behind the last one."""
        place = self._done + number - self.first
        while place >= len(self._lines):
            with decoding():
                line = self._text.readline()
            if not line:
                return ""
            self._lines.append(line)
        return self._lines[place]

    def between(self, number: int, end: int) -> list[str]:
        """Return the lines from a number on, up to another one, as far as they have been read."""
        offset = self._done - self.first
        return self._lines[offset + number : offset + end]

    def from_(self, number: int) -> Iterator[str]:
        """Yield the lines from a number on, up to the end of the text."""
        while line := self.get(number):
            yield line
            number += 1

    def next_quote(self, number: int, limit: int) -> int:
        """Return the number of the first line from `number` on with a quote; `limit` where none before it has one."""
        if self._free_from <= number < self._free_to:
            number = self._free_to
        else:
            self._free_from = number
        while number < limit and (line := self.get(number)) and '"' not in line:
            number += 1
        self._free_to = number
        return min(number, limit)

    def read_block(self, characters: int) -> str:
        """Return the next whole lines, at least so many characters of them; they are not kept.

        All lines before them have to be dropped.
        """
        assert self.first == self.end
        with decoding():
            return self._text.read(characters) + self._text.readline()

    def read_line(self) -> str:
        """Return the next line without keeping it, as `read_block` does."""
        with decoding():
            return self._text.readline()

    def pass_by(self, count: int) -> None:
        """Count lines that were read without being kept."""
        self.first += count

    def put(self, first: int, lines: list[str]) -> None:
        """Keep lines that were read as a block, the first of which has this number."""
        self.first = first
        self._done = 0
        self._lines = lines

    def drop(self, number: int) -> None:
        """Forget the lines before a number."""
        self._done += number - self.first
        self.first = number
        if self._done > DONE_LINES or self.first >= self.end:
            del self._lines[: self._done]
            self._done = 0


@contextmanager
def decoding() -> Iterator[None]:
    """Say of bytes that are no text what they are."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise Unreadable(ImportErrorCode.UNDECODABLE, f"The stored bytes are not text: {error}.") from error
