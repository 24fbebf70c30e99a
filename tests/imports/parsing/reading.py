"""Detect the format of a file and read its rows, without a database."""

import io

from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.format_detection import detect_format
from product_importer.imports.parsing.opening import CountingReader, open_records
from product_importer.imports.parsing.records import RowError
from product_importer.imports.parsing.stream_inspection import StreamInspection

Rows = list[tuple[int, list[str]]]


def detected(content: bytes, options: ImportOptions | None = None, piece: int = 1_000) -> tuple[Format, list[str]]:
    options = options or ImportOptions()
    found = detect_format(io.BytesIO(content), inspected(content, piece), options)
    return found.format, found.head.names


def inspected(content: bytes, piece: int = 1_000) -> StreamInspection:
    inspection = StreamInspection()
    for start in range(0, len(content), piece):
        inspection.feed(content[start : start + piece])
    inspection.feed(b"", final=True)
    return inspection


def rows_of(content: bytes, format: Format) -> tuple[Rows, list[RowError]]:
    """Return the non-empty rows after the header, each with its line, and the errors."""
    records = open_records(CountingReader(io.BytesIO(content)), format)
    records.header()
    rows: Rows = []
    errors: list[RowError] = []
    for chunk in records.chunks():
        rows += [(line, row) for line, row in zip(chunk.lines, chunk.rows, strict=True) if row]
        errors += chunk.errors
    return rows, errors
