"""Give access to the physical lines of a text by number; those already handled are forgotten."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing.records import Unreadable

# The list is shortened only when it holds more lines that are done, because that moves all others.
MAX_DONE_LINES = 1_000
BYTE_ORDER_MARK = "\ufeff"
# Joined files have such marks at the beginning of any line.
LEADING_MARKS = re.compile(f"(?:^|(?<=[\r\n])){BYTE_ORDER_MARK}+")
# What old programs put behind the end of a text: Ctrl-Z, or NULs up to the end of a block.
PADDING = ("\x1a", "\0")


class PhysicalLines:
    """A window of consecutive lines with their line breaks, of any kind; `first` is the number of its first line.

    `get`, `from_` and `next_quote` read on where they must; like the `read_…` methods they raise `Unreadable` where
    the bytes are not text. The lines have no byte order marks at their beginnings, and the last one no padding.
    `prepare` changes whole lines before they are parsed, without changing their number.
    """

    def __init__(self, text: io.TextIOBase, prepare: Callable[[str], str] | None = None):
        self._text = text
        self._prepare = prepare
        self._lines: list[str] = []
        self._done = 0
        # Lines known to have no quote, from the first number until before the second.
        self._quoteless_from = self._quoteless_to = 0
        self.first = 1

    @property
    def end(self) -> int:
        """The number of the first line that has not been read."""
        return self.first + len(self._lines) - self._done

    def get(self, number: int) -> str:
        """Return a line; "" after the last one."""
        place = self._done + number - self.first
        while place >= len(self._lines):
            line = self.read_line()
            if not line:
                return ""
            self._lines.append(line)
        return self._lines[place]

    def between(self, number: int, end: int) -> list[str]:
        """Return the lines from `number` until before `end`, as far as they have been read."""
        offset = self._done - self.first
        return self._lines[offset + number : offset + end]

    def from_(self, number: int) -> Iterator[str]:
        """Yield the lines from `number` to the end of the text."""
        while line := self.get(number):
            yield line
            number += 1

    def next_quote(self, number: int, limit: int) -> int:
        """Return the number of the first line with a quote from `number` until before `limit`; else `limit`."""
        if self._quoteless_from <= number < self._quoteless_to:
            number = self._quoteless_to
        else:
            self._quoteless_from = number
        while number < limit and (line := self.get(number)) and '"' not in line:
            number += 1
        self._quoteless_to = number
        return min(number, limit)

    def read_block(self, characters: int) -> str:
        """Return the next whole lines, at least `characters` long together; none is kept, and the window is empty."""
        known = "".join(self._lines[self._done :])
        self.keep(self.first, [])
        with decoding():
            text = self._text.read(characters) + self._text.readline()
        return known + self._cleaned(text)

    def read_line(self) -> str:
        """Return the next line; like a block, it is not kept."""
        with decoding():
            line = self._text.readline()
        return self._cleaned(line)

    def skip(self, count: int) -> None:
        """Move the empty window past lines that were read as a block."""
        self.first += count

    def keep(self, first: int, lines: list[str]) -> None:
        """Take lines that were read as a block into the window; `first` is the number of the first one."""
        self.first = first
        self._done = 0
        self._lines = lines

    def drop(self, number: int) -> None:
        """Forget the lines before `number`."""
        self._done += number - self.first
        self.first = number
        if self._done > MAX_DONE_LINES or self.first >= self.end:
            del self._lines[: self._done]
            self._done = 0

    def _cleaned(self, lines: str) -> str:
        # Each search is one pass at the speed of memory.
        if BYTE_ORDER_MARK in lines:
            lines = LEADING_MARKS.sub("", lines)
        # Only the last line of a text has no line break.
        if lines.endswith(PADDING):
            lines = lines.rstrip("".join(PADDING))
        return self._prepare(lines) if self._prepare else lines


@contextmanager
def decoding() -> Iterator[None]:
    """Convert a decoding error to `Unreadable`."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise Unreadable(ImportErrorCode.UNDECODABLE, f"The stored bytes are not text: {error}.") from error
