"""Read the header of a workbook; `python -m` this module does so in a process of its own."""

import json
from collections.abc import Collection
from typing import Any, BinaryIO, NamedTuple

from product_importer.imports.parsing import head_process, header_search, limited_process
from product_importer.imports.parsing.books.calamine_sheet import CalamineSheet
from product_importer.imports.parsing.file_format import Format, Kind
from product_importer.imports.parsing.header_sample import HeaderSample, read_header_sample
from product_importer.imports.parsing.limited_process import Task
from product_importer.imports.parsing.records import Unreadable, not_csv
from product_importer.imports.parsing.sheet_choice import naming_sheet
from product_importer.imports.parsing.xlsx.package import MissingPart
from product_importer.imports.parsing.xlsx.reader import Sheet


class WorkbookHead(NamedTuple):
    """How a workbook is read, the sample of its header, and the visible sheets with data that are not read."""

    format: Format
    head: HeaderSample
    other_sheets: list[str]


def read_head(
    stream: BinaryIO,
    kind: Kind = "xlsx",
    sheet: str | None = None,
    header_line: int | None = None,
    mapped: Collection[str] = (),
) -> WorkbookHead:
    """Return the head of the sheet of a name, or of the first visible one; all of an .xlsx is unpacked once.

    If no `header_line` is given, the column names are searched in the first rows; `mapped` are the folded names of
    columns that an option maps.

    Raises:
        Invalid: the workbook is damaged, has no sheet of that name, or the sheet's first row holds no names.
        TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
    """
    try:
        opened, format = _open(stream, kind, sheet)
        with naming_sheet(opened.title, opened.other_sheets):
            opened.header_line = _header_line(opened, mapped) if header_line is None else header_line
            head = read_header_sample(opened, opened.header_line)
        format = format.model_copy(update={"header_line": opened.header_line})
        return WorkbookHead(format, head, opened.other_sheets())
    except Unreadable as error:
        raise not_csv(error.message) from error


def _header_line(opened: Sheet | CalamineSheet, mapped: Collection[str]) -> int | None:
    """Return the row below the first one that looks like a header; None if the first one does, or none."""
    rows = opened.first_rows(header_search.MAX_ROWS)
    place = header_search.header_place([row.cells for row in rows], mapped)
    return rows[place].line if place else None


def _open(stream: BinaryIO, kind: Kind, sheet: str | None) -> tuple[Sheet | CalamineSheet, Format]:
    if kind == "xlsx":
        try:
            opened = Sheet(stream, sheet)
            opened.check_size()
            return opened, Format(container="xlsx", part=opened.title)
        except Unreadable as error:
            # calamine needs fewer parts. Whatever else is wrong is damage, which no reader should guess at.
            if not isinstance(error.__cause__, MissingPart):
                raise
            return _open_unusual(stream, sheet, error)
    return _open_by_calamine(stream, kind, sheet)


def _open_unusual(stream: BinaryIO, sheet: str | None, reason: Unreadable) -> tuple[CalamineSheet, Format]:
    """Open an .xlsx by calamine; `reason` is raised if that cannot open it either."""
    try:
        return _open_by_calamine(stream, "xlsx", sheet)
    except Unreadable:
        raise reason from None


def _open_by_calamine(stream: BinaryIO, kind: Kind, sheet: str | None) -> tuple[CalamineSheet, Format]:
    opened = CalamineSheet(stream, kind, sheet)
    return opened, Format(kind=kind, part=opened.title)


def _head(task: Task) -> dict[str, Any]:
    found = read_head(task.stream, **json.loads(task.request))
    return {"format": found.format.model_dump(), "head": found.head, "other_sheets": found.other_sheets}


if __name__ == "__main__":
    limited_process.serve(head_process.answering(_head))
