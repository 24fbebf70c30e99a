"""Read a sheet by calamine. It holds a whole workbook in memory: use it in a limited process only."""

import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from product_importer.core.settings import settings
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing.archives import open_archive, too_large
from product_importer.imports.parsing.books.kinds import NAMES
from product_importer.imports.parsing.file_format import Kind
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.parsing.sheet_choice import MAX_TITLE_CHARACTERS, choose_sheet
from product_importer.imports.parsing.sheet_rows import (
    SheetRow,
    SheetRows,
    fitted,
    iso_date,
    may_be_shortened,
    plain_number,
)
from product_importer.imports.parsing.unpacking import PIECE_BYTES
from product_importer.imports.parsing.xlsx.xml_parts import ADVICE, Archive, part_name, unreadable_if_damaged

# What holds the cells of a zipped workbook; pictures are not read. The list of an .ods may have a DTD.
CELL_SUFFIXES = (".xml", ".bin", ".rels")
ODS_LIST = "meta-inf/"


class ListedSheet(NamedTuple):
    """A sheet as the workbook lists it, and its place in that list."""

    title: str
    place: int
    is_visible: bool


class CalamineSheet(SheetRows):
    """The rows of a workbook's sheet of a name, or of its first visible one.

    Raises:
        Invalid: there is no sheet of that name.
        TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
        Unreadable: the workbook is damaged, locked, or holds no sheet.
    """

    def __init__(self, stream: BinaryIO, kind: Kind, sheet: str | None = None):
        self._kind = kind
        if kind != "xls":
            _check_size(stream)
        self._book = self._open(stream)
        self._sheets = self._list()
        self._sheet = choose_sheet(self._sheets, sheet)
        self._loaded: Any = None
        super().__init__(self._sheet.title)

    def other_sheets(self) -> list[str]:
        """Return the names of the other visible sheets that hold anything."""
        others = [sheet for sheet in self._sheets if sheet.is_visible and sheet is not self._sheet]
        return [sheet.title for sheet in others if self._load(sheet).start is not None]

    def raw_rows(self) -> Iterator[SheetRow]:
        """Yield each row that has text, as wide as it is, without the blank cells at its end."""
        # calamine reads all of a sheet at once.
        self._loaded = loaded = self._loaded or self._load(self._sheet)
        if loaded.start is None:
            return
        # The rows begin with the first one of the sheet, but each begins with the first column that is used.
        before = [""] * loaded.start[1]
        for number, values in enumerate(loaded.iter_rows(), 1):
            cells = [*before, *map(_text, values)]
            while cells and not cells[-1]:
                cells.pop()
            if any(map(str.strip, cells)):
                yield SheetRow(number, cells, shortened=sum(map(_may_be_shortened, values)))

    def _rows(self) -> Iterator[SheetRow]:
        return (row._replace(cells=fitted(row.cells, len(self._names))) for row in self.raw_rows())

    def _open(self, stream: BinaryIO) -> CalamineWorkbook:
        stream.seek(0)
        try:
            return CalamineWorkbook.from_filelike(stream)
        except PasswordError as error:
            raise self._unreadable("is locked with a password. Save it without one") from error
        except CalamineError as error:
            raise self._unreadable("is damaged or not made to the standard") from error

    def _list(self) -> list[ListedSheet]:
        sheets = [
            # PostgreSQL cannot store NUL.
            ListedSheet(
                sheet.name.replace("\0", "")[:MAX_TITLE_CHARACTERS], place, sheet.visible == SheetVisibleEnum.Visible
            )
            for place, sheet in enumerate(self._book.sheets_metadata)
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]
        if not sheets:
            raise self._unreadable("holds no sheet")
        return sheets

    def _load(self, sheet: ListedSheet) -> Any:
        try:
            return self._book.get_sheet_by_index(sheet.place)
        except CalamineError as error:
            raise self._unreadable(f"is damaged: its sheet “{sheet.title}” cannot be read") from error

    def _unreadable(self, fault: str) -> Unreadable:
        return Unreadable(ImportErrorCode.BAD_WORKBOOK, f"This is {NAMES[self._kind]} and {fault}. {ADVICE}")


def _check_size(stream: BinaryIO) -> None:
    """Unpack what holds the cells to its end, since a zip may state any size.

    Raises:
        TooLarge: it is more than `MAX_UPLOAD_MB`.
        Unreadable: the zip is damaged.
    """
    left = settings().max_upload_bytes
    with open_archive(stream, Archive) as archive, unreadable_if_damaged():
        for member in archive.infolist():
            name = part_name(member.filename)
            if name.endswith(CELL_SUFFIXES) and not name.startswith(ODS_LIST):
                left -= _unpacked_bytes(archive, member, left)


def _unpacked_bytes(archive: Archive, member: zipfile.ZipInfo, limit: int) -> int:
    """Return how many bytes a member of a zip has.

    Raises:
        TooLarge: there are more than `limit`.
    """
    size = 0
    part = archive.part(member.filename)
    while piece := part.read(PIECE_BYTES):
        part.mark()
        size += len(piece)
        if size > limit:
            raise too_large("What the workbook holds")
    return size


def _may_be_shortened(value: Any) -> bool:
    return isinstance(value, int | float) and may_be_shortened(value)


def _text(value: Any) -> str:
    """Return a value as text: numbers plain, dates and times by ISO 8601, booleans as `true` and `false`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return plain_number(value)
    return iso_date(value)
