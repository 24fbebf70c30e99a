"""Workbooks of each kind with the same sheets: .xls, .ods and .xlsx by libraries, .xlsb byte by byte."""

import io
import re
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import odswriter  # type: ignore[import-untyped]
import openpyxl
import xlwt  # type: ignore[import-untyped]

# The rows of each sheet by its name; those whose names begin with "hidden" are hidden.
Sheets = Mapping[str, Sequence[Sequence[Any]]]
Rows = list[list[Any]]

RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def is_hidden(title: str) -> bool:
    return title.startswith("hidden")


def xls(sheets: Sheets) -> bytes:
    book, target = xlwt.Workbook(), io.BytesIO()
    as_date = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for title, rows in sheets.items():
        sheet = book.add_sheet(title)
        sheet.visibility = 1 if is_hidden(title) else 0
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(at, column, value, *([as_date] if isinstance(value, date) else []))
    book.active_sheet = next(at for at, title in enumerate([*sheets, ""]) if not is_hidden(title))
    book.save(target)
    return target.getvalue()


def ods(sheets: Sheets) -> bytes:
    target = io.BytesIO()
    with odswriter.writer(target) as book:
        for title, rows in sheets.items():
            sheet = book.new_sheet(title)
            for row in rows:
                sheet.writerow(row)
    with zipfile.ZipFile(target) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    # The library shows every sheet: give the hidden ones a style of their own.
    content = files["content.xml"].decode()
    shown = re.search(r'<style:style style:name="ta1".*?</style:style>', content, re.DOTALL)
    assert shown is not None
    hidden = shown[0].replace("ta1", "ta2").replace('display="true"', 'display="false"')
    content = re.sub(r'(<table:table table:name="hidden[^"]*" table:style-name=")ta1', r"\1ta2", content)
    return zipped(files | {"content.xml": content.replace(shown[0], shown[0] + hidden)})


def xlsb(sheets: Sheets) -> bytes:
    """Return a workbook of the records that [MS-XLSB] demands; a date is written as its number."""
    listed = b"".join(
        record(156, struct.pack("<II", is_hidden(title), at) + wide(f"r{at}") + wide(title))
        for at, title in enumerate(sheets, 1)
    )
    relations = "".join(
        f'<Relationship Id="r{at}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{at}.bin"/>'
        for at in range(1, len(sheets) + 1)
    )
    files: dict[str, bytes | str] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "xl/workbook.bin": record(131) + record(143) + listed + record(144) + record(132),
        "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{RELATIONS}">{relations}</Relationships>',
    }
    for at, rows in enumerate(sheets.values(), 1):
        files[f"xl/worksheets/sheet{at}.bin"] = _xlsb_sheet(rows)
    return zipped(files)


def _xlsb_sheet(rows: Sequence[Sequence[Any]]) -> bytes:
    content = record(129) + record(148, struct.pack("<4I", 0, len(rows), 0, max(map(len, rows), default=1)))
    content += record(145)
    for number, row in enumerate(rows):
        content += record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
        content += b"".join(_xlsb_cell(column, value) for column, value in enumerate(row) if value is not None)
    return content + record(146) + record(130)


def _xlsb_cell(column: int, value: Any) -> bytes:
    place = struct.pack("<II", column, 0)
    if isinstance(value, bool):
        return record(4, place + bytes([value]))
    if isinstance(value, date):
        value = (value - date(1899, 12, 30)).days
    if isinstance(value, int | float):
        return record(5, place + struct.pack("<d", value))
    return record(6, place + wide(value))


def record(kind: int, content: bytes = b"") -> bytes:
    number = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
    size, left = b"", len(content)
    while left > 127:
        size, left = size + bytes([left & 127 | 128]), left >> 7
    return number + size + bytes([left]) + content


def wide(text: str) -> bytes:
    encoded = text.encode("utf-16-le")
    return struct.pack("<I", len(encoded) // 2) + encoded


def xlsx(sheets: Sheets) -> bytes:
    book, target = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = "hidden" if is_hidden(title) else "visible"
        for row in rows:
            sheet.append(row)
    book.save(target)
    return target.getvalue()


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


# The kinds that calamine reads.
OTHERS: dict[str, Callable[[Sheets], bytes]] = {"xls": xls, "xlsb": xlsb, "ods": ods}
ALL = {**OTHERS, "xlsx": xlsx}
