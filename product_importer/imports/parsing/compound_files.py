"""Tell what an OLE compound file is, by the names in its directory: old Office files, and those with a password."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from product_importer.imports.parsing.other_documents import EXPORT, SAVE_AS
from product_importer.imports.parsing.records import not_csv

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HEADER_BYTES = 512
ENTRY_BYTES = 128
# In the header, as [MS-CFB] 2.2 places them.
SECTOR_SHIFT_AT, DIRECTORY_AT, FAT_LIST_AT, FAT_LIST = 30, 48, 68, 76
FATS_IN_HEADER = 109
SECTOR_SHIFTS = (9, 12)
# Larger numbers of sectors have a meaning of their own, such as the end of a chain.
MAX_SECTOR = 0xFFFFFFFA
# The directory of a workbook has a few sectors. The bounds also end chains that are circles.
MAX_DIRECTORY_SECTORS = 64
MAX_FAT_LISTS = 64

IS_STORAGE, IS_STREAM = 1, 2
ENCRYPTED = (
    "an Office file with a password, which cannot be read. Open it, remove the password "
    f"(in Excel: File, Info, Protect Workbook, Encrypt with Password), then {SAVE_AS}"
)
UNKNOWN = (
    f"an old Office file without a workbook (.xls) in it, or a damaged one. Open it in its program and {SAVE_AS}"
)
WORDS = {
    "EncryptedPackage": ENCRYPTED,
    "WordDocument": f"an old Word document (.doc). {EXPORT}",
    "PowerPoint Document": f"an old PowerPoint presentation (.ppt). {EXPORT}",
}


# The stream of an .xls; before Excel 97 it was “Book”.
WORKBOOKS = {"workbook", "book"}


def refuse_others(stream: BinaryIO) -> None:
    """Refuse a compound file that is no old workbook.

    Raises:
        Invalid: it is another document, or has a password; `not-csv`.
    """
    names = set(names_in(stream))
    words = next((words for name, words in WORDS.items() if name in names), None)
    if words is None and not WORKBOOKS & {name.lower() for name in names}:
        words = UNKNOWN
    if words is not None:
        raise not_csv(f"This is {words}")


def names_in(stream: BinaryIO) -> Iterator[str]:
    """Yield the names of streams and storages in a compound file; none of a damaged directory."""
    stream.seek(0)
    header = stream.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return
    sectors = _Sectors(stream, header)
    number = sectors.first_of_directory
    for _ in range(MAX_DIRECTORY_SECTORS):
        sector = sectors.read(number)
        for at in range(0, len(sector) - ENTRY_BYTES + 1, ENTRY_BYTES):
            # The name in UTF-16 with a NUL behind it, its length in bytes, the kind of the entry.
            name, size, kind = struct.unpack_from("<64sHB", sector, at)
            if kind in (IS_STORAGE, IS_STREAM) and 2 < size <= len(name):
                yield name[: size - 2].decode("utf-16-le", "replace")
        number = sectors.behind(number)


class _Sectors:
    """The numbered sectors of a compound file; one that does not exist is empty."""

    def __init__(self, stream: BinaryIO, header: bytes):
        self._stream = stream
        (shift,) = struct.unpack_from("<H", header, SECTOR_SHIFT_AT)
        self._size = 1 << shift if shift in SECTOR_SHIFTS else 0
        (self.first_of_directory,) = struct.unpack_from("<I", header, DIRECTORY_AT)
        (self._fat_list,) = struct.unpack_from("<I", header, FAT_LIST_AT)
        self._fats: tuple[int, ...] = struct.unpack_from(f"<{FATS_IN_HEADER}I", header, FAT_LIST)

    def read(self, number: int) -> bytes:
        """Return a sector."""
        if not self._size or number >= MAX_SECTOR:
            return b""
        self._stream.seek((number + 1) * self._size)
        sector = self._stream.read(self._size)
        return sector if len(sector) == self._size else b""

    def behind(self, number: int) -> int:
        """Return the number of the sector that follows in its chain; `MAX_SECTOR` at the end."""
        if not self._size or number >= MAX_SECTOR:
            return MAX_SECTOR
        place, at = divmod(number, self._size // 4)
        return self._number_in(self._fat(place), at)

    def _fat(self, place: int) -> int:
        """Return the sector of the table that has the next entries; the header lists the first of these tables."""
        if place < FATS_IN_HEADER:
            return self._fats[place]
        # Each further list has the number of the next one in its last place.
        lists, at = divmod(place - FATS_IN_HEADER, self._size // 4 - 1)
        number = self._fat_list if lists < MAX_FAT_LISTS else MAX_SECTOR
        for _ in range(min(lists, MAX_FAT_LISTS)):
            number = self._number_in(number, self._size // 4 - 1)
        return self._number_in(number, at)

    def _number_in(self, number: int, at: int) -> int:
        sector = self.read(number)
        return int(struct.unpack_from("<I", sector, 4 * at)[0]) if sector else MAX_SECTOR
