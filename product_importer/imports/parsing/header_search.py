"""Find the delimiter of a CSV and the line with its column names: title rows can come before it."""

import io
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, get_args

from product_importer.core.errors import Invalid
from product_importer.imports.columns.header import REJECT_COLUMNS, REQUIRED, fold
from product_importer.imports.columns.suggestions import is_usual_name
from product_importer.imports.options import Delimiter, ImportOptions
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.header_sample import read_names
from product_importer.imports.parsing.records import not_csv

DELIMITERS: tuple[str, ...] = get_args(Delimiter)
# How many rows that are not blank are searched, and how many columns of each.
MAX_ROWS = 20
MAX_COLUMNS = 200


class CsvLayout(NamedTuple):
    """Where a CSV has its column names, and how they are delimited.

    `header_line` is None for the first line that is not blank.
    """

    delimiter: str
    header_line: int | None
    names: list[str]


def csv_layout(head: str, options: ImportOptions, delimiter: str | None) -> CsvLayout:
    """Return the layout of a text by its beginning; `delimiter` is the one that is known.

    Among several delimiters, the one with which the header has most of the known columns wins, then most columns.

    Raises:
        Invalid: the column names cannot be read; or each line is one quoted cell.
    """
    mapped = set(map(fold, options.columns or ()))
    known = {*REQUIRED, *REJECT_COLUMNS, *mapped}
    layouts: dict[tuple[int, int, int], CsvLayout] = {}
    errors: list[Invalid] = []
    for candidate in (delimiter,) if delimiter else DELIMITERS:
        try:
            layout = _layout(head, options.header_line, candidate, mapped)
        except Invalid as error:
            errors.append(error)
            continue
        # A header in the first line is more likely than one below it, and that than none.
        likeness = looks_like_header(layout.names, mapped) * (2 if layout.header_line is None else 1)
        rank = (likeness, _matches(layout.names, known), len(layout.names))
        layouts.setdefault(rank, layout)
    if not layouts:
        raise errors[0]
    best = layouts[max(layouts)]
    if len(best.names) == 1 and best.delimiter in best.names[0]:
        raise _whole_line(best.names[0])
    return best


def header_place(rows: Sequence[Sequence[str]], mapped: Collection[str] = ()) -> int | None:
    """Return the place of the first row that looks like a header among the first `MAX_ROWS`; None if none does.

    `mapped` are the folded names of the columns that an option maps.
    """
    return next((place for place, row in enumerate(rows[:MAX_ROWS]) if looks_like_header(row, mapped)), None)


def looks_like_header(names: Sequence[str], mapped: Collection[str] = ()) -> bool:
    """Whether a row has the mapped columns or, if none is mapped, one with a usual name for each needed field."""
    if mapped:
        return set(mapped) <= set(map(fold, names))
    found = [
        {place for place, name in enumerate(names[:MAX_COLUMNS]) if fold(name) == field or is_usual_name(name, field)}
        for field in REQUIRED
    ]
    # By Hall's theorem each field can have a column of its own.
    sku, name, description = found
    return (
        all(found)
        and all(len(one | other) > 1 for one, other in ((sku, name), (sku, description), (name, description)))
        and len(sku | name | description) > 2
    )


def _layout(head: str, header_line: int | None, delimiter: str, mapped: Collection[str]) -> CsvLayout:
    names = read_names(_records(head, delimiter, header_line), header_line)
    if header_line is not None or looks_like_header(names, mapped):
        return CsvLayout(delimiter, header_line, names)
    rows = _records(head, delimiter).first_rows(MAX_ROWS)
    place = header_place([read.row for read in rows], mapped)
    if place is None:
        return CsvLayout(delimiter, None, names)
    return CsvLayout(delimiter, rows[place].line, rows[place].row)


def _records(head: str, delimiter: str, header_line: int | None = None) -> Records:
    return Records(io.StringIO(head, newline=""), delimiter, header_line=header_line)


def _matches(names: Iterable[str], known: set[str]) -> int:
    return len(known.intersection(map(fold, names)))


def _whole_line(line: str) -> Invalid:
    return not_csv(
        f"Each line is one quoted cell, such as “{line[:100]}”: a program has read the file with another delimiter, "
        "and saved it. Export it anew, or remove the quotes around the lines and write those inside them once."
    )
