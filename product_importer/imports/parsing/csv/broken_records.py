"""What is said of the lines of a broken record: as much as a person needs to correct them."""

import csv
from collections.abc import Iterator
from typing import NamedTuple

from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.parsing.csv.broken_extent import MAX_CHARACTERS, Extent
from product_importer.imports.parsing.csv.physical_lines import Lines
from product_importer.imports.parsing.records import RowError

# The most one field may hold: it bounds the reader's memory.
MAX_FIELD_CHARACTERS = 4 * 1024 * 1024
# The most that is kept of lines that cannot be taken apart into fields: whatever one record can be.
MAX_RAW_CHARACTERS = MAX_CHARACTERS

ENDLESS = "record runs on"


class Fault(NamedTuple):
    """What is wrong with the record that begins in a line: the parser's words, or a row with too many or few fields.

    `end` is the line up to which the record was read.
    """

    line: int
    end: int
    message: str
    row: list[str]


def errors(lines: Lines, extent: Extent, fault: Fault, delimiter: str, width: int) -> Iterator[RowError]:
    """Yield the errors that name each line of an extent: one for a record, else one for each row or full line."""
    code, why = reason(fault, width)
    if extent.is_one:
        text = "".join(lines.between(extent.first, extent.end))
        yield _raw(extent.first, code, _of_lines(extent) + why, text)
        return
    doubt = (
        f"A quote is missing or too much near line {fault.line}, so that this may be text inside a field. "
        f"Lines {extent.first} to {extent.end - 1} were not imported: correct them, and upload those that are rows."
    )
    for number, end, row in _pieces(lines, extent, delimiter, width):
        text = "".join(lines.between(number, end))
        if number <= fault.line < end:
            yield _raw(number, code, why, text)
        elif row:
            yield RowError(number, RowErrorCode.DOUBTFUL, doubt, row)
        elif text.strip("\r\n"):
            yield _raw(number, RowErrorCode.DOUBTFUL, doubt, text)


def _pieces(lines: Lines, extent: Extent, delimiter: str, width: int) -> Iterator[tuple[int, int, list[str]]]:
    """Yield where rows of an extent begin and end if it is read from there, and the row; else single lines and []."""
    number = extent.first
    while number < extent.end:
        parser = csv.reader(iter(lines.between(number, extent.end)), delimiter=delimiter, strict=True)
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


def _of_lines(extent: Extent) -> str:
    last = extent.end - 1
    return f"Lines {extent.first} to {last} are one broken record. " if last > extent.first else ""


def reason(fault: Fault, width: int) -> tuple[RowErrorCode, str]:
    """Return the code and the reason for the line in which a record is broken."""
    if fault.row:
        fields = f"The row has {len(fault.row)} fields, the header has {width}"
        return RowErrorCode.RAGGED, f"{fields}: a quote is missing or too much near it."
    if fault.message in ("unexpected end of data", ENDLESS):
        return RowErrorCode.UNCLOSED_QUOTE, "A quote that opens in this line is never closed."
    if "field limit" in fault.message:
        return (
            RowErrorCode.TOO_LONG,
            f"A field is longer than {MAX_FIELD_CHARACTERS:,} characters, or its quote is never closed.",
        )
    return RowErrorCode.MALFORMED, f"The line is not well-formed CSV: {fault.message}."
