"""Write products as an Excel workbook with one sheet, in a temporary file and in constant memory."""

import errno
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from product_importer.catalog.export_formats.records import Columns, Record, not_possible
from product_importer.core.csv_injection import escape, unescape
from product_importer.core.errors import StorageFull
from product_importer.core.temp_folders import temporary_folder

# Excel's own limits: rows of a sheet, with that of the column names, and characters of a cell, in UTF-16.
MAX_ROWS = 1_048_576
MAX_CHARACTERS = 32_767

OPTIONS = {"constant_memory": True, "use_zip64": True}
# What XlsxWriter returns when a text is longer than that.
TEXT_CUT_OFF = -2
PIECE_BYTES = 256 * 1024
# What XML cannot hold or changes, and the beginning of what would be read as an escape of it.
NEEDS_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)|[\0-\x08\x0b-\x1f\ufffe\uffff]")


class _TextSheet(Worksheet):  # type: ignore[misc]
    """A sheet of which every text is read back as it is.

    XlsxWriter takes a text `<r>…</r>` for markup, and reads `_x0041_x0042_` back as another text.
    """

    @staticmethod
    def _escape_control_characters(data: Any) -> Any:
        if not isinstance(data, str):
            return data
        escaped = NEEDS_ESCAPE.sub(_escape, data)
        return f"_x003C_{escaped[1:]}" if escaped.startswith("<") else escaped


def _escape(found: re.Match[str]) -> str:
    return f"_x{ord(found.group()):04X}_"


def write(columns: Columns, pieces: Iterable[list[Record]]) -> Iterator[bytes]:
    """Yield empty pieces while the file is written, so that its reader may stop, then the workbook.

    Every cell is a text, which no spreadsheet runs as a formula; only `active` is a boolean. The caller has counted
    the records: with the column names, there are at most `MAX_ROWS`.

    Raises:
        Unprocessable: there are too many columns, or a text is too long for a cell.
        StorageFull: there is no room for the file.
    """
    names = columns.bounded()
    with refusing_full_disk(), temporary_folder("export-") as folder:
        path = folder / "products.xlsx"
        book = Workbook(path, {**OPTIONS, "tmpdir": str(folder)})
        sheet = book.add_worksheet("Products", _TextSheet)
        try:
            yield from _fill(sheet, names, pieces)
            book.close()
        finally:
            # An open file would take room after its folder is removed.
            sheet.row_data_fh.close()
        yield from _content(path)


def _fill(sheet: Worksheet, names: list[str], pieces: Iterable[list[Record]]) -> Iterator[bytes]:
    """Write the rows; yield an empty piece for each piece."""
    for column, name in enumerate(names):
        sheet.write_string(0, column, _text(name))
    rows = count(1)
    for records in pieces:
        for record in records:
            _write_row(sheet, next(rows), record, names)
        yield b""


def _write_row(sheet: Worksheet, row: int, record: Record, names: list[str]) -> None:
    for column, name in enumerate(names):
        value = record.get(name)
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif value and sheet.write_string(row, column, _text(value)) == TEXT_CUT_OFF:
            raise _too_long(record, name)


def check_lengths(record: Record, names: list[str]) -> None:
    """Check that each text of a product fits a cell.

    Raises:
        Unprocessable: one is too long.
    """
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and value and len(_text(value).encode("utf-16-le")) > 2 * MAX_CHARACTERS:
            raise _too_long(record, name)


def _text(value: str) -> str:
    """Return a text as a cell: with an apostrophe before it only where an import would remove one."""
    return escape(value) if value[0] == "'" and unescape(value) != value else value


def too_many_rows() -> Exception:
    """Return the error of more products than a sheet can hold."""
    return not_possible(
        "format",
        f"A sheet of Excel holds {MAX_ROWS:,} rows with that of the column names, and more products match. "
        "Choose the format csv, or filter the products.",
    )


def _too_long(record: Record, column: str) -> Exception:
    return not_possible(
        "format",
        f"A cell of Excel holds {MAX_CHARACTERS:,} characters, and “{column}” of the product “{record['sku']}” has "
        "more. Choose the format csv, or leave out this column.",
    )


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


@contextmanager
def refusing_full_disk() -> Iterator[None]:
    """Turn the error of a full disk, of a quota, or of a limit on the size of files into `StorageFull`."""
    try:
        yield
    except (OSError, FileCreateError) as error:
        cause = error.args[0] if isinstance(error, FileCreateError) else error
        if getattr(cause, "errno", None) not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise StorageFull(
            "There is not enough room in SPOOL_DIR for the workbook. Free some, or choose the format csv.",
            title="The export cannot be written",
        ) from error
