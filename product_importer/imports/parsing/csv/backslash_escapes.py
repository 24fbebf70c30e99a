r"""Read quotes that are written `\"` inside quoted fields, as programs do that do not write them twice.

Before a text is parsed, each escaped quote and backslash becomes a letter that no text has. All quotes that are left
then have a meaning, for every parser alike. In the cells that were parsed, the letters become what they stand for.
"""

import csv
import io
import re
from collections import Counter
from dataclasses import replace

from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing.csv.broken_records import ESCAPED_QUOTE
from product_importer.imports.parsing.records import Chunk, RowError, Unreadable, is_blank

# Two of Unicode's noncharacters, which are never interchanged.
QUOTE, BACKSLASH = "\ufdd0", "\ufdd1"
STANDS_FOR = {'"': QUOTE, "\\": BACKSLASH}
ESCAPED = re.compile(r'\\(["\\])')
# Quotes that are not the two of an empty field.
DOUBLED = re.compile(r'(?<![",;|\t\r\n])""|""(?![",;|\t\r\n]|$)|"""')


def hide(lines: str) -> str:
    """Return lines with other letters in place of what is escaped.

    Raises:
        Unreadable: they hold one of these letters.
    """
    if QUOTE in lines or BACKSLASH in lines:
        raise Unreadable(ImportErrorCode.UNDECODABLE, "The text holds U+FDD0 or U+FDD1, which no text may hold.")
    return ESCAPED.sub(lambda found: STANDS_FOR[found[1]], lines) if "\\" in lines else lines


def reveal(cell: str) -> str:
    """Return a cell with what was escaped in it."""
    return cell.replace(QUOTE, '"').replace(BACKSLASH, "\\")


def reveal_chunk(chunk: Chunk) -> Chunk:
    """Return a chunk with what was escaped in its cells; text that is not split into cells is as the file has it."""
    errors = list(map(_reveal_error, chunk.errors))
    return replace(chunk.mapped((QUOTE, BACKSLASH), reveal)[0], errors=errors)


def _reveal_error(error: RowError) -> RowError:
    restore = reveal if len(error.row) > 1 else _restore
    return replace(error, row=list(map(restore, error.row)))


def _restore(text: str) -> str:
    return text.replace(QUOTE, '\\"').replace(BACKSLASH, "\\\\")


def are_used(text: str, delimiter: str, header_line: int | None, is_cut: bool) -> bool:
    """Whether the quotes inside fields are all escaped in the beginning of a text, from the line of its header on.

    They are if the text is well-formed only when it is read so. `is_cut` if the text may end within a record.
    """
    if ESCAPED_QUOTE not in text or QUOTE in text or BACKSLASH in text:
        return False
    text = "".join(io.StringIO(text, newline="").readlines()[max(0, (header_line or 0) - 1) :])
    hidden = hide(text)
    if DOUBLED.search(hidden):
        return False
    escaped, end = _fitting_rows(hidden, delimiter)
    return (end == "" or (is_cut and end == "unexpected end of data")) and escaped > _fitting_rows(text, delimiter)[0]


def _fitting_rows(text: str, delimiter: str) -> tuple[int, str]:
    """Return how many records have as many fields as most have, and the error that ended the reading or ""."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    widths: Counter[int] = Counter()
    end = ""
    try:
        for row in rows:
            widths[len(row)] += not is_blank(row)
    except csv.Error as error:
        end = str(error)
    return max(widths.values(), default=0), end
