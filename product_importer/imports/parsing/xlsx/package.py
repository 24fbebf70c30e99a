"""Find in an .xlsx the sheet to read, its shared strings, and the cell styles that change how numbers are read."""

import posixpath
from typing import BinaryIO
from zipfile import ZipFile

from openpyxl.packaging.relationship import get_rels_path
from openpyxl.utils.datetime import CALENDAR_MAC_1904, WINDOWS_EPOCH
from openpyxl.utils.escape import unescape
from openpyxl.xml.constants import SHEET_MAIN_NS

from product_importer.imports.parsing.archives import open_archive
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.parsing.sheet_choice import choose_sheet
from product_importer.imports.parsing.xlsx.sheets import Relation, SheetEntry, has_content, list_sheets
from product_importer.imports.parsing.xlsx.styles import NO_STYLES, read_styles
from product_importer.imports.parsing.xlsx.xml_parts import (
    XML_PIECE_BYTES,
    Archive,
    XmlPart,
    part_name,
    unreadable_if_damaged,
    xml_parser,
)

# The shared strings, which are in memory while the sheet is read.
MAX_TEXTS_BYTES = 256 * 1024 * 1024

# The namespace of most workbooks, and the one of ISO 29500 Strict.
NAMESPACES = (SHEET_MAIN_NS, "http://purl.oclc.org/ooxml/spreadsheetml/main")
ROOT_RELATIONS = "_rels/.rels"


def tags(name: str) -> frozenset[str]:
    """Return an element's tag in each namespace."""
    return frozenset(f"{{{namespace}}}{name}" for namespace in NAMESPACES)


VALUE_TAGS = tags("v")
TEXT_TAGS = tags("t") | VALUE_TAGS
PHONETIC_TAGS, ENTRY_TAGS = tags("rPh"), tags("si")


def is_workbook(archive: ZipFile) -> bool:
    """Whether a zip is an Excel workbook, by the names that every one of them holds."""
    names = set(map(part_name, archive.namelist()))
    return "[content_types].xml" in names and any(name.startswith("xl/") for name in names)


class MissingPart(LookupError):
    """The workbook names a part beside its sheets that it lacks; not every reader needs it."""


class Workbook:
    """A workbook's sheet of a name, or its first visible one, and what is needed to read it.

    `title` is the sheet's name. Dates count from `epoch`.

    Raises:
        Invalid: there is no sheet of that name.
        Unreadable: the workbook is damaged.
    """

    def __init__(self, stream: BinaryIO, sheet: str | None = None):
        self._archive = open_archive(stream, Archive)
        with unreadable_if_damaged():
            main = _path_of(self._related(""), "officeDocument")
            related = self._related(main)
            root = self._archive.tree(main)
            self._sheets = list_sheets(root, related)
            self._sheet = choose_sheet(self._sheets, sheet)
            properties = root.find("{*}workbookPr")
            is_1904 = properties is not None and properties.get("date1904") in ("1", "true")
            self.epoch = CALENDAR_MAC_1904 if is_1904 else WINDOWS_EPOCH
            styles, self._texts = _path_of(related, "styles", ""), _path_of(related, "sharedStrings", "")
            if missing := [part for part in (styles, self._texts) if part and not self._archive.has(part)]:
                raise MissingPart(missing[0])
            self.styles = read_styles(self._archive.tree(styles)) if styles else NO_STYLES
        self.title = self._sheet.title

    def sheet(self) -> XmlPart:
        """Open the sheet's XML."""
        return self._archive.part(self._sheet.path)

    def other_sheets(self) -> list[str]:
        """Return the names of the other visible sheets that hold anything."""
        others = [sheet for sheet in self._sheets if sheet.is_visible and sheet is not self._sheet]
        return [sheet.title for sheet in others if self._has_content(sheet)]

    def shared_strings(self) -> "SharedStrings":
        """Return the strings that cells refer to by number.

        Raises:
            Unreadable: the workbook names the part that holds them, but lacks it.
        """
        with unreadable_if_damaged():
            return SharedStrings(self._archive.part(self._texts) if self._texts else None)

    def check_size(self, limit: int) -> None:
        """Unpack the sheet and the shared strings to their end, without parsing them.

        Raises:
            TooLarge: the sheet has more than `limit` bytes, or the strings have more than fits the memory.
            Unreadable: the workbook is damaged.
        """
        with unreadable_if_damaged():
            self._archive.check_size(self._sheet.path, limit, "The sheet")
            if self._texts:
                self._archive.check_size(self._texts, min(limit, MAX_TEXTS_BYTES), "The text in the workbook")

    def _has_content(self, sheet: SheetEntry) -> bool:
        try:
            with unreadable_if_damaged():
                return has_content(self._archive, sheet.path)
        except Unreadable:
            # It is not read, so its damage is no reason to refuse the workbook.
            return True

    def _related(self, path: str) -> list[Relation]:
        """Return the relations of a part to others inside the workbook; the path of the workbook itself is empty."""
        root = self._archive.tree(get_rels_path(path) if path else ROOT_RELATIONS)
        folder = posixpath.dirname(path)
        return [
            Relation(item.get("Id", ""), item.get("Type", ""), _path(folder, item.get("Target", "")))
            for item in root.iterfind("{*}Relationship")
            if item.get("TargetMode") != "External"
        ]


class CellTextTarget:
    """A target of the XML parser that keeps the text of cells; a tree would fill the memory."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._is_text = self._is_phonetic = False

    def start(self, tag: str, _: dict[str, str]) -> None:
        if tag in TEXT_TAGS:
            # A text may come with Japanese phonetic text, which is no part of it.
            self._is_text = not self._is_phonetic
        elif tag in PHONETIC_TAGS:
            self._is_phonetic = True

    def data(self, piece: str) -> None:
        if self._is_text:
            self._pieces.append(piece)

    def end(self, tag: str) -> None:
        if tag in TEXT_TAGS:
            self._is_text = False
        elif tag in PHONETIC_TAGS:
            self._is_phonetic = False

    def _take(self) -> str:
        """Return the text since the last call."""
        text = "".join(self._pieces)
        self._pieces.clear()
        return text


class SharedStrings(CellTextTarget):
    """The strings that cells refer to by number; they are read as far as they are asked for."""

    def __init__(self, part: XmlPart | None):
        super().__init__()
        self._part = part
        self._parser = xml_parser(self)
        self._texts: list[str] = []

    def __getitem__(self, at: int) -> str:
        while not 0 <= at < len(self._texts):
            piece = self._part.read(XML_PIECE_BYTES) if self._part else b""
            if at < 0 or not piece:
                raise IndexError(f"there is no text {at}")
            self._parser.feed(piece)
        return self._texts[at]

    def end(self, tag: str) -> None:
        super().end(tag)
        if tag in ENTRY_TAGS and self._part:
            self._part.mark()
            # Here and not for each cell: many cells can share a long text.
            self._texts.append(unescaped(self._take()))


def unescaped(text: str) -> str:
    """Decode escapes such as `_x000D_` in a text; lone surrogates, which only escapes can make, are replaced."""
    if "_x" not in text:
        return text
    return str(unescape(text)).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _path(folder: str, target: str) -> str:
    """Return the path in the zip of a target named by a part in `folder`; no file has a path outside."""
    target = target.replace("\\", "/")
    return target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _path_of(relations: list[Relation], kind: str, default: str | None = None) -> str:
    """Return the path of the first related part of that kind."""
    found = [relation.path for relation in relations if relation.kind.endswith(f"/{kind}")]
    if not found and default is None:
        raise LookupError(f"the workbook has no {kind}")
    return found[0] if found else str(default)
