"""Read the header of a workbook; `python -m` this module does so in a process of its own."""

import json
from typing import BinaryIO

from product_importer.core.errors import DomainError
from product_importer.imports.parsing import limited_process
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.header_sample import HeaderSample, read_header_sample
from product_importer.imports.parsing.records import Unreadable, not_csv
from product_importer.imports.parsing.xlsx.reader import Sheet


def read_sheet(stream: BinaryIO) -> tuple[Format, HeaderSample]:
    """Return the format of a workbook and the sample of its header; all of it is unpacked once.

    Raises:
        Invalid: it is damaged, or its first row holds no names.
        TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
    """
    try:
        sheet = Sheet(stream)
        sheet.check_size()
        return Format(container="xlsx", part=sheet.title), read_header_sample(sheet)
    except Unreadable as error:
        raise not_csv(error.message) from error


def _answer(stream: BinaryIO) -> bytes:
    """Return as JSON the sheet's title and the sample of its header, or the error."""
    answer: dict[str, object]
    try:
        format, head = read_sheet(stream)
        answer = {"title": format.part, "head": head}
    except DomainError as error:
        arguments = {"detail": error.detail, "kind": error.kind, "title": error.title, **error.extra}
        answer = {"error": type(error).__name__, "arguments": arguments}
    return json.dumps(answer).encode()


if __name__ == "__main__":
    limited_process.serve(_answer)
