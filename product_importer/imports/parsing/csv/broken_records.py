"""Make the errors that report the lines lost to a broken record."""

import csv
from collections.abc import Iterator
from typing import NamedTuple

from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.parsing.csv.physical_lines import PhysicalLines
from product_importer.imports.parsing.csv.recovery import MAX_CHARACTERS, LostLines
from product_importer.imports.parsing.records import RowError

# The maximum length of a field, which bounds the reader's memory.
MAX_FIELD_CHARACTERS = 4 * 1024 * 1024
# The maximum length of text kept of lines that cannot be split into fields.
MAX_RAW_CHARACTERS = MAX_CHARACTERS

# The way of some programs to write a quote inside a field. It is read if the beginning of the file is written so.
ESCAPED_QUOTE = '\\"'
ESCAPES = ' It has quotes that are written \\": write them twice instead, as in “19"" screen”.'

# The message of a record that has no end within the limit; the others are those of `csv.Error`.
ENDLESS = "record runs on"


class BrokenRecord(NamedTuple):
    """A record that is malformed (`message` says how), or a `row` with too many or too few fields.

    It begins in `line` and was read until before the line `end`.
    """

    line: int
    end: int
    message: str
    row: list[str]


def errors(
    lines: PhysicalLines, lost: LostLines, broken: BrokenRecord, delimiter: str, width: int
) -> Iterator[RowError]:
    """Yield the errors that name the lost lines: one if they are one record, else one for each row or full line."""
    code, why = reason(broken, width)
    if any(ESCAPED_QUOTE in line for line in lines.between(lost.first, lost.end)):
        why += ESCAPES
    if lost.is_one:
        text = "".join(lines.between(lost.first, lost.end))
        yield _raw(lost.first, code, _covered(lost) + why, text)
        return
    doubt = (
        f"Near line {broken.line} a quote is missing, or there is one too many: this may be text inside a field. "
        f"Lines {lost.first} to {lost.end - 1} were not imported: correct them, and upload those that are rows."
    )
    for number, end, row in _pieces(lines, lost, delimiter, width):
        text = "".join(lines.between(number, end))
        if number <= broken.line < end:
            yield _raw(number, code, why, text)
        elif row:
            yield RowError(number, RowErrorCode.DOUBTFUL, doubt, row)
        elif text.strip("\r\n"):
            yield _raw(number, RowErrorCode.DOUBTFUL, doubt, text)


def _pieces(
    lines: PhysicalLines, lost: LostLines, delimiter: str, width: int
) -> Iterator[tuple[int, int, list[str]]]:
    """Yield the first line, the end and the fields of each row that can be split; else single lines and []."""
    number = lost.first
    while number < lost.end:
        parser = csv.reader(iter(lines.between(number, lost.end)), delimiter=delimiter, strict=True)
        try:
            row, height = next(parser), parser.line_num
        except csv.Error:
            row, height = [], 1
        if width and len(row) != width:
            row, height = [], 1
        yield number, number + height, row
        number += height


def _raw(line: int, code: RowErrorCode, reason: str, text: str) -> RowError:
    text = text.rstrip("\r\n")
    if len(text) > MAX_RAW_CHARACTERS:
        reason += f" Only the first {MAX_RAW_CHARACTERS:,} characters are kept here."
    return RowError(line, code, reason, [text[:MAX_RAW_CHARACTERS]])


def _covered(lost: LostLines) -> str:
    last = lost.end - 1
    return f"Lines {lost.first} to {last} are one broken record. " if last > lost.first else ""


def reason(broken: BrokenRecord, width: int) -> tuple[RowErrorCode, str]:
    """Return the code and the reason for the line in which a broken record begins."""
    if broken.row:
        fields = f"The row has {len(broken.row)} fields, the header has {width}"
        return RowErrorCode.RAGGED, f"{fields}: near it a quote is missing, or there is one too many."
    if broken.message in ("unexpected end of data", ENDLESS):
        return RowErrorCode.UNCLOSED_QUOTE, "A quote that opens in this line is never closed."
    if "field limit" in broken.message:
        return (
            RowErrorCode.TOO_LONG,
            f"A field is longer than {MAX_FIELD_CHARACTERS:,} characters, or its quote is never closed.",
        )
    return RowErrorCode.MALFORMED, f"The line is not well-formed CSV: {broken.message}."
