"""The head of a workbook, read by a process of its own: `python -m` this module is that process."""

import json
from typing import BinaryIO

from product_importer.core import limited_process
from product_importer.core.errors import DomainError, Invalid
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.header_sample import HeaderSample, read_head
from product_importer.imports.parsing.records import NOT_CSV, Unreadable
from product_importer.imports.parsing.xlsx.reader import Sheet


def read_sheet(stream: BinaryIO) -> tuple[Format, HeaderSample]:
    """Return the format and the head of a workbook, all of which is unpacked once.

    Raises:
        Invalid: it is damaged, or its first row holds no names.
        TooLarge: more than `MAX_UPLOAD_MB` is packed in it.
    """
    try:
        sheet = Sheet(stream)
        sheet.check_size()
        return Format(container="xlsx", part=sheet.title), read_head(sheet)
    except Unreadable as error:
        raise Invalid(error.message, **NOT_CSV) from error


def _answer(stream: BinaryIO) -> bytes:
    """Return as JSON the title, the names and the sample, or why there are none."""
    answer: dict[str, object]
    try:
        format, head = read_sheet(stream)
        answer = {"title": format.part, "head": head}
    except DomainError as error:
        told = {"detail": error.detail, "kind": error.kind, "title": error.title, **error.extra}
        answer = {"refusal": type(error).__name__, "told": told}
    return json.dumps(answer).encode()


if __name__ == "__main__":
    limited_process.serve(_answer)
