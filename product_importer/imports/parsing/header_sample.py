"""Read the header of a file, and a sample of the rows after it."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from product_importer.core.edges import hidden_in
from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.records import Chunk, RecordReader, Unreadable, filled_width, not_csv
from product_importer.imports.parsing.text_formulas import unwrap

# The maximum length of the first record.
MAX_HEADER_CHARACTERS = 1024 * 1024
# Enough rows, and enough of each cell, to tell what a column holds.
SAMPLE_ROWS = 300
SAMPLE_CHARACTERS = 100
# The whole sample, each cell counted as one character more.
MAX_SAMPLE_CHARACTERS = MAX_HEADER_CHARACTERS


class HeaderSample(NamedTuple):
    """The column names of a file, and the beginnings of the cells of some rows."""

    names: list[str]
    sample: list[list[str]]


def read_header_sample(records: RecordReader, header_line: int | None = None) -> HeaderSample:
    """Return the column names of a file, and a sample of its rows.

    Columns at the end that have neither a name nor a value in these rows are left out.

    Raises:
        Invalid: as `read_names` does.
    """
    names = read_names(records, header_line)
    if isinstance(records, Records):
        rows: Sequence[list[str]] = records.next_rows(SAMPLE_ROWS)
    else:
        rows = next(records.chunks(), Chunk()).rows[:SAMPLE_ROWS]
    width = max(filled_width(names), *(filled_width(row[: len(names)]) for row in rows), 0)
    return HeaderSample(names[:width], list(_sample(rows, width)))


def _sample(rows: Sequence[list[str]], width: int) -> Iterator[list[str]]:
    left = MAX_SAMPLE_CHARACTERS
    for row in filter(None, rows):
        cells = [unwrap(cell)[:SAMPLE_CHARACTERS] for cell in row[:width]]
        left -= len(cells) + sum(map(len, cells))
        if left < 0:
            return
        yield cells


def read_names(records: RecordReader, header_line: int | None = None) -> list[str]:
    """Return the column names of a file: those in its first row, or in the line that was chosen.

    Raises:
        Invalid: there is no such row, or it holds no column names; `empty-file`, `invalid-csv-header`, `not-csv`.
    """
    try:
        names, line = records.header()
    except Unreadable as error:
        where = f"Line {header_line}" if header_line else "The first line"
        raise not_csv(f"{where} cannot be read: {error.message}") from error
    if not names and header_line:
        raise Invalid(
            f"There are no column names in line {header_line}: the line is blank, or the file ends before it. "
            "Correct the header line, or leave it out.",
            kind=ProblemType.INVALID_CSV_HEADER,
            title="The file has no such header line",
        )
    if not names:
        raise Invalid(
            "The file has no first line with column names. Needed are sku, name and description.",
            kind=ProblemType.EMPTY_FILE,
            title="The file is empty",
        )
    if sum(map(len, names)) > MAX_HEADER_CHARACTERS:
        raise not_csv(f"Line {line} holds more than a million characters: these are no column names.")
    if hidden := next(filter(None, map(hidden_in, names)), ""):
        if unicodedata.category(hidden) == "Cc":
            raise not_csv("The first line holds control characters: this is not a text file.")
        raise not_csv(
            f"A column's name in the first line has the invisible character U+{ord(hidden):04X} inside. Remove it."
        )
    return list(map(unwrap, names))
