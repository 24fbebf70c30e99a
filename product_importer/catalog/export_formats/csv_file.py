"""Write products as CSV. Cells that a spreadsheet would run as a formula are escaped."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from product_importer.catalog.csv_injection import escape
from product_importer.catalog.export_formats.records import Columns, Record


def write(columns: Columns, pieces: Iterable[list[Record]]) -> Iterator[bytes]:
    """Yield a CSV: first the columns that are known, as finding the others takes a pass over the table."""
    yield to_csv([map(escape, columns.known)]).removesuffix("\r\n").encode()
    found = columns.all[len(columns.known) :]
    yield (to_csv([["", *map(escape, found)]]) if found else "\r\n").encode()
    for records in pieces:
        yield to_csv(_cells(record, columns.all) for record in records).encode()


def _cells(record: Record, columns: list[str]) -> list[str]:
    values = (record.get(name, "") for name in columns)
    return [escape(value) if isinstance(value, str) else "true" if value else "false" for value in values]


def to_csv(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as lines of CSV that end in CR LF."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
