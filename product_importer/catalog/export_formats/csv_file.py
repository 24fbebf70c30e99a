"""Write products as CSV. Cells that a spreadsheet would run as a formula are escaped."""

from collections.abc import Iterable, Iterator

from product_importer.catalog.export_formats.records import Columns, Record
from product_importer.core.csv_injection import escape
from product_importer.core.csv_text import to_csv


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
