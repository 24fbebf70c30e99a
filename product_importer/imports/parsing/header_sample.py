"""The beginning of a file's rows: the names of its columns, and some rows behind them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.records import NOT_CSV, Chunk, Unreadable
from product_importer.imports.parsing.xlsx.reader import Sheet

# In which the first record ends.
MAX_HEADER_CHARACTERS = 1024 * 1024
# So many rows tell which columns are filled, and so much of each cell what with.
SAMPLE_ROWS = 300
SAMPLE_CHARACTERS = 100
# All together, a cell counted as one more: as much as is read of a text.
MAX_SAMPLE_CHARACTERS = MAX_HEADER_CHARACTERS


class HeaderSample(NamedTuple):
    """The column names of a file, and the beginnings of the cells in some of the rows behind them."""

    names: list[str]
    sample: list[list[str]]


def read_head(records: Records | Sheet) -> HeaderSample:
    """Return the column names in the first record, and the rows behind it that can be read.

    Raises:
        Invalid: there is no such record.
    """
    names = read_names(records)
    first = next(records.chunks(), Chunk())
    return HeaderSample(names, list(_sample(first.rows[:SAMPLE_ROWS], len(names))))


def _sample(rows: Sequence[list[str]], width: int) -> Iterator[list[str]]:
    left = MAX_SAMPLE_CHARACTERS
    for row in filter(None, rows):
        cells = [cell[:SAMPLE_CHARACTERS] for cell in row[:width]]
        left -= len(cells) + sum(map(len, cells))
        if left < 0:
            return
        yield cells


def read_names(records: Records | Sheet) -> list[str]:
    """Return the column names in the first record.

    Raises:
        Invalid: there is none, or it is not text; the detail says what was found and where.
    """
    try:
        names, line = records.header()
    except Unreadable as error:
        raise Invalid(f"The first line cannot be read: {error.message}", **NOT_CSV) from error
    if not names:
        raise Invalid(
            "The file has no first line with column names. Needed are sku, name and description.",
            kind=ProblemType.EMPTY_FILE,
            title="The file is empty",
        )
    if sum(map(len, names)) > MAX_HEADER_CHARACTERS:
        raise Invalid(f"Line {line} holds more than a million characters: these are no column names.", **NOT_CSV)
    if any(not character.isprintable() for name in names for character in "".join(name.split())):
        raise Invalid("The first line holds control characters: this is not a text file.", **NOT_CSV)
    return names
