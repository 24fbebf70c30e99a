"""Turn a stored file into the row of its import: detect its format, and match its columns."""

from collections.abc import Mapping
from typing import Any, BinaryIO
from uuid import UUID
from zipfile import ZipFile

from product_importer.core import db
from product_importer.core.storage import opened
from product_importer.imports.columns import header, saved_mappings
from product_importer.imports.columns.header import Header
from product_importer.imports.models import ImportJob
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.archives import open_archive
from product_importer.imports.parsing.books.kinds import NAMES, is_read_by_calamine
from product_importer.imports.parsing.file_format import Kind
from product_importer.imports.parsing.format_detection import Detected, detect_format
from product_importer.imports.parsing.header_sample import HeaderSample
from product_importer.imports.parsing.sheet_choice import naming_sheet
from product_importer.imports.parsing.stream_inspection import StreamInspection
from product_importer.imports.upload.incoming_file import StoredFile

# Smaller files are read and merged in a second or two; larger ones may delay other imports.
LARGE_BYTES = 16 * 1024 * 1024


def prepare(
    file: StoredFile,
    inspection: StreamInspection,
    options: ImportOptions,
    *,
    job_id: UUID,
    filename: str,
    kind: Kind | None = None,
) -> tuple[ImportJob, Mapping[str, str] | None]:
    """Return the row of the import of a file that was inspected, for `service.start_import`, and its column mapping.

    A file of a known `kind` is read as that, whatever its text looks like.

    Raises:
        Invalid: the file is empty, is not text, or lacks a required column.
        Unprocessable: an option means nothing for this kind of file, or a mapped column does not exist.
        UnsupportedMedia: the file is not of the known kind.
        TooLarge: more than `MAX_UPLOAD_MB` is packed in the file.
        TooMany: too many workbooks or packed files wait to be read.
    """
    with opened(file.key) as stream:
        found = detect_format(stream, inspection, options, kind)
        size = _workbook_bytes(stream, inspection, file) if found.size is None else found.size
    format = found.format
    with naming_sheet(format.part if format.kind in NAMES else None, lambda: found.other_sheets):
        matched, columns = match(found.head, options)
    job = ImportJob(
        id=job_id,
        filename=filename,
        storage_key=file.key,
        size_bytes=file.size_bytes,
        is_large=size > LARGE_BYTES,
        sha256=file.sha256,
        header=list(matched.names),
        fields=list(matched.fields),
        **_reading(found, options),
    )
    return job, columns


def match(head: HeaderSample, options: ImportOptions) -> tuple[Header, Mapping[str, str] | None]:
    """Return a file's matched header, and the column mapping that was used: the given or the saved one, or None.

    Raises:
        Invalid, Unprocessable: the header lacks a required column, or one that is mapped.
    """
    header.check_column_count(head.names)
    columns: Mapping[str, str] | None
    columns = options.columns if options.columns is not None else db.run(saved_mappings.find, head.names)
    return header.match(head.names, columns, head.sample), columns


def _reading(found: Detected, options: ImportOptions) -> dict[str, Any]:
    """Return what the job's row keeps of how the file is read.

    Where a formula without a value looks like a blank cell, blank cells keep values: none is cleared by mistake.
    """
    choices = options.stored() | ({"blank": "keep"} if is_read_by_calamine(found.format) else {})
    return {"format": found.format.model_dump(), "warnings": found.warnings.stored(), "choices": choices}


def _workbook_bytes(stream: BinaryIO, inspection: StreamInspection, file: StoredFile) -> int:
    if inspection.container == "ole":
        return file.size_bytes
    with open_archive(stream, ZipFile) as archive:
        return sum(member.file_size for member in archive.infolist())
