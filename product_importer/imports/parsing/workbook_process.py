"""Read the header of a workbook in a process of its own, within limits of time and memory."""

from typing import BinaryIO

from product_importer.imports.columns.header import fold
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing import head_process
from product_importer.imports.parsing.books.kinds import NAMES, is_read_by_calamine
from product_importer.imports.parsing.file_format import Format, Kind
from product_importer.imports.parsing.header_sample import HeaderSample
from product_importer.imports.parsing.limited_process import LimitedProcess
from product_importer.imports.parsing.sheet_choice import named
from product_importer.imports.parsing.xlsx.xml_parts import ADVICE
from product_importer.imports.read_warnings import ReadWarnings, WarningCode

READER = LimitedProcess("product_importer.imports.parsing.workbook_head")


def read_workbook_head(
    stream: BinaryIO, kind: Kind, options: ImportOptions
) -> tuple[Format, HeaderSample, ReadWarnings, list[str]]:
    """Return the format of a workbook, the sample of its header, what was assumed, and the sheets that are not read.

    The options name the sheet to read, and the row of its header.

    Raises:
        Invalid: it cannot be read, or not within the limits of time and memory, or has no such sheet.
        TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
        TooMany: too many workbooks wait to be read.
    """
    mapped = list(map(fold, options.columns or ()))
    request = {"kind": kind, "sheet": options.sheet, "header_line": options.header_line, "mapped": mapped}
    answer = head_process.ask(READER, stream, what="workbook", advice=ADVICE, request=request)
    format = Format.model_validate(answer["format"])
    warnings = _warnings(format, answer["other_sheets"])
    if options.header_line is None and format.header_line is not None:
        warnings.about_file(WarningCode.HEADER_FOUND_BELOW, f"{format.header_line:,}", format.header_line)
    return format, HeaderSample(*answer["head"]), warnings, answer["other_sheets"]


def _warnings(format: Format, other_sheets: list[str]) -> ReadWarnings:
    warnings = ReadWarnings()
    if is_read_by_calamine(format):
        warnings.about_file(WarningCode.FORMATS_NOT_VISIBLE, NAMES[format.kind])
    if other_sheets:
        warnings.about_file(WarningCode.OTHER_SHEETS, named(other_sheets))
    return warnings
