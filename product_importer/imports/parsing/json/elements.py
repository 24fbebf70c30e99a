"""The objects of a JSON file one after another: each with its cells, or the reason why it is no row."""

import io
from collections.abc import Iterator
from json import JSONDecodeError
from typing import NamedTuple

from product_importer.imports.error_codes import ImportErrorCode, RowErrorCode
from product_importer.imports.parsing.csv.physical_lines import decoding
from product_importer.imports.parsing.exact_texts import as_cell
from product_importer.imports.parsing.json.values import DECODER, BadValue, cells_of
from product_importer.imports.parsing.records import MAX_RECORD_CHARACTERS, RowError, Unreadable

# What JSON skips, and byte order marks, which files that were joined have inside.
SPACE = " \t\r\n\ufeff"
# How much of an array is parsed at first.
WINDOW_CHARACTERS = 256 * 1024
# The text kept of an object that is no row.
MAX_RAW_CHARACTERS = 100_000


class Element(NamedTuple):
    """An object: its line, its cells by their keys, its length in characters; or the error of its row.

    `is_cut` if its line ends before it does.
    """

    line: int
    length: int
    cells: dict[str, str]
    error: RowError | None = None
    is_cut: bool = False


def in_lines(text: io.TextIOBase) -> Iterator[Element]:
    """Yield the objects of JSON Lines; `line` is the physical line. Blank lines are left out.

    Raises:
        Unreadable: the bytes are not text, or a line is too long to be read.
    """
    with decoding():
        for number, line in enumerate(text, start=1):
            if stripped := line.strip(SPACE):
                yield _of_line(number, stripped)


def in_array(text: io.TextIOBase) -> Iterator[Element]:
    """Yield the objects of a JSON array; `line` is the number of the object in the array, from 1.

    Raises:
        Unreadable: the bytes are not text, or the array is not well-formed; `line` is then the physical line.
    """
    window = _Window(text)
    window.take("[")
    number = 0
    # A comma must be followed by a value, the first bracket need not.
    is_open = window.next_character() != "]" or not window.take("]")
    while is_open:
        number += 1
        yield window.element(number)
        is_open = window.take(",]") == ","
    window.expect_end()


def _of_line(number: int, line: str) -> Element:
    if len(line) > MAX_RECORD_CHARACTERS:
        reason = f"The line has more than {MAX_RECORD_CHARACTERS:,} characters."
        return _refused(number, line, RowErrorCode.TOO_LONG, reason)
    try:
        value, end = DECODER.raw_decode(line)
    except JSONDecodeError as error:
        reason = f"The line is not well-formed JSON: {error.msg.strip(' :')} at character {error.pos + 1:,}."
        return _refused(number, line, RowErrorCode.MALFORMED, reason, error.pos == len(line))
    except RecursionError:
        return _refused(number, line, RowErrorCode.TOO_DEEP, "Arrays and objects are nested too deeply.")
    if end < len(line):
        reason = f"There is more text in the line after its first value, from character {end + 1:,} on."
        return _refused(number, line, RowErrorCode.MALFORMED, reason)
    return _element(number, value, line)


def _element(number: int, value: object, text: str) -> Element:
    try:
        return Element(number, len(text), cells_of(value, text))
    except BadValue as error:
        return _refused(number, text, error.code, error.reason)


def _refused(number: int, text: str, code: RowErrorCode, reason: str, is_cut: bool = False) -> Element:
    if len(text) > MAX_RAW_CHARACTERS:
        reason += f" Only the first {MAX_RAW_CHARACTERS:,} characters are kept here."
    kept = as_cell(text[:MAX_RAW_CHARACTERS])
    return Element(number, len(text), {}, RowError(number, code, reason, [kept]), is_cut)


class _Window:
    """The part of an array that is in memory: what follows the objects that were taken."""

    def __init__(self, text: io.TextIOBase):
        self._rest = text
        self._is_over = False
        self._text = ""
        self._at = 0
        self._line = 1
        # Line breaks before this place are in `_line` already.
        self._counted = 0

    def next_character(self) -> str:
        """Move behind white space, and return the next character; "" at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in SPACE:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if self._is_over:
                return ""
            self._read_on()

    def take(self, wanted: str) -> str:
        """Take the next character, which must be one of these.

        Raises:
            Unreadable: it is another one.
        """
        found = self.next_character()
        if not found or found not in wanted:
            words = " or ".join(f"“{character}”" for character in wanted)
            raise self._broken(f"{words} is missing{'' if found else ', and the file ends'}", self._at)
        self._at += 1
        return found

    def expect_end(self) -> None:
        """Check that nothing follows.

        Raises:
            Unreadable: there is more text.
        """
        if self.next_character():
            raise self._broken("there is more text after the end of the array", self._at)

    def element(self, number: int) -> Element:
        """Take the next value.

        Raises:
            Unreadable: it is not well-formed, too deep or too long.
        """
        self.next_character()
        while True:
            what, place = "it is too long", self._at
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
                # A number at the end of the window may go on.
                if end < len(self._text) or self._is_over:
                    break
            except JSONDecodeError as error:
                what, place = error.msg.strip(" :"), error.pos
            except RecursionError:
                raise self._broken(f"object {number:,} is nested too deeply", self._at) from None
            if self._is_over:
                raise self._broken(f"object {number:,}: {what}", place)
            if len(self._text) - self._at > MAX_RECORD_CHARACTERS:
                limit = f"or it has more than {MAX_RECORD_CHARACTERS:,} characters"
                raise self._broken(f"object {number:,}: {what}, {limit}", place)
            self._read_on()
            place = self._at
        text = self._text[self._at : end]
        self._at = end
        if len(text) > MAX_RECORD_CHARACTERS:
            reason = f"The object has more than {MAX_RECORD_CHARACTERS:,} characters."
            return _refused(number, text, RowErrorCode.TOO_LONG, reason)
        return _element(number, value, text)

    def _read_on(self) -> None:
        """Forget what was taken, and read as much again as is left: an object is not parsed often."""
        self._count_to(self._at)
        left = self._text[self._at :]
        with decoding():
            more = self._rest.read(max(WINDOW_CHARACTERS, len(left)))
        self._is_over = not more
        self._text, self._at, self._counted = left + more, 0, 0

    def _count_to(self, place: int) -> None:
        passed = self._text[self._counted : place]
        self._line += passed.count("\n") + passed.count("\r") - passed.count("\r\n")
        self._counted = place

    def _broken(self, what: str, place: int) -> Unreadable:
        self._count_to(max(place, self._counted))
        message = f"The JSON array is not well-formed in line {self._line:,}: {what}."
        return Unreadable(ImportErrorCode.BAD_JSON, message, self._line)
