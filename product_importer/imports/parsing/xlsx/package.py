"""Find in an .xlsx its first sheet, its shared strings, and the cell styles that show dates."""

import posixpath
from operator import itemgetter
from typing import BinaryIO, NamedTuple
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from openpyxl.packaging.relationship import get_rels_path
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, WINDOWS_EPOCH
from openpyxl.utils.escape import unescape
from openpyxl.xml.constants import REL_NS, SHEET_MAIN_NS

from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing.archives import open_archive
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.parsing.xlsx.xml_parts import (
    ADVICE,
    XML_PIECE_BYTES,
    Archive,
    XmlPart,
    unreadable_if_damaged,
    xml_parser,
)

# The shared strings, which are in memory while the sheet is read.
MAX_TEXTS_BYTES = 256 * 1024 * 1024
# Excel's own limit. Telling whether a code is one of dates takes time by the square of its length.
MAX_FORMAT_CHARACTERS = 255
# Excel allows 31.
MAX_TITLE_CHARACTERS = 100

MAIN = f"{{{SHEET_MAIN_NS}}}"
TEXT_TAGS = (f"{MAIN}t", f"{MAIN}v")
PHONETIC_TAG, ENTRY_TAG = f"{MAIN}rPh", f"{MAIN}si"
ROOT_RELATIONS = "_rels/.rels"


def is_workbook(archive: ZipFile) -> bool:
    """Whether a zip is an Excel workbook, by the names that every one of them holds."""
    names = archive.namelist()
    return "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names)


class Workbook:
    """A workbook's first sheet, its title, and what is needed to read it.

    `dates` and `durations` are the numbers of the cell styles that show dates and durations, counted from `epoch`.
    """

    def __init__(self, stream: BinaryIO):
        self._archive = open_archive(stream, Archive)
        with unreadable_if_damaged():
            main = _path_of(self._related(""), "officeDocument")
            related = self._related(main)
            root = self._archive.tree(main)
            self.title, self._sheet = _first_sheet(root, related)
            self.epoch = CALENDAR_MAC_1904 if _is_1904(root) else WINDOWS_EPOCH
            self.dates, self.durations = self._date_styles(_path_of(related, "styles", ""))
            self._texts = _path_of(related, "sharedStrings", "")

    def sheet(self) -> XmlPart:
        """Open the sheet's XML."""
        return self._archive.part(self._sheet)

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
            self._archive.check_size(self._sheet, limit, "The sheet")
            if self._texts:
                self._archive.check_size(self._texts, min(limit, MAX_TEXTS_BYTES), "The text in the workbook")

    def _related(self, path: str) -> list["Relation"]:
        """Return the relations of a part to others inside the workbook; the path of the workbook itself is empty."""
        root = self._archive.tree(get_rels_path(path) if path else ROOT_RELATIONS)
        folder = posixpath.dirname(path)
        return [
            Relation(item.get("Id", ""), item.get("Type", ""), _path(folder, item.get("Target", "")))
            for item in root.iterfind("{*}Relationship")
            if item.get("TargetMode") != "External"
        ]

    def _date_styles(self, path: str) -> tuple[set[int], set[int]]:
        if not path:
            return set(), set()
        root = self._archive.tree(path)
        codes = BUILTIN_FORMATS | dict(filter(itemgetter(1), map(_own_format, root.iter(f"{MAIN}numFmt"))))
        styles = [codes.get(int(style.get("numFmtId", 0))) for style in root.iterfind(f"{MAIN}cellXfs/{MAIN}xf")]
        # Each code is checked once, however many styles have it.
        dates = {code for code in set(styles) if is_date_format(code)}
        durations = {code for code in dates if is_timedelta_format(code)}
        return _styles_with(dates, styles), _styles_with(durations, styles)


class Relation(NamedTuple):
    """A reference of one part to another: its id, its type (a URL), the other's path in the zip."""

    id: str
    kind: str
    path: str


class CellTextTarget:
    """A target of the XML parser that keeps the text of cells; a tree would fill the memory."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._is_text = self._is_phonetic = False

    def start(self, tag: str, _: dict[str, str]) -> None:
        if tag in TEXT_TAGS:
            # A text may come with Japanese phonetic text, which is no part of it.
            self._is_text = not self._is_phonetic
        elif tag == PHONETIC_TAG:
            self._is_phonetic = True

    def data(self, piece: str) -> None:
        if self._is_text:
            self._pieces.append(piece)

    def end(self, tag: str) -> None:
        if tag in TEXT_TAGS:
            self._is_text = False
        elif tag == PHONETIC_TAG:
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
        if tag == ENTRY_TAG and self._part:
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
    return target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _path_of(relations: list[Relation], kind: str, default: str | None = None) -> str:
    """Return the path of the first related part of that kind."""
    found = [relation.path for relation in relations if relation.kind.endswith(f"/{kind}")]
    if not found and default is None:
        raise LookupError(f"the workbook has no {kind}")
    return found[0] if found else str(default)


def _first_sheet(root: Element, relations: list[Relation]) -> tuple[str, str]:
    """Return the title and the path of the first sheet that has cells; a chart may be a sheet of its own."""
    paths = {relation.id: relation.path for relation in relations if relation.kind.endswith("/worksheet")}
    for sheet in root.iterfind(f"{MAIN}sheets/{MAIN}sheet"):
        path = paths.get(sheet.get(f"{{{REL_NS}}}id", ""))
        if path is not None:
            return sheet.get("name", "")[:MAX_TITLE_CHARACTERS], path
    raise LookupError("the workbook has no sheet")


def _own_format(item: Element) -> tuple[int, str]:
    """Return the number and the code of a number format that the workbook defines.

    Raises:
        Unreadable: the code is too long.
    """
    code = item.get("formatCode", "")
    if len(code) > MAX_FORMAT_CHARACTERS:
        found = f"A number format in the workbook has {len(code):,} characters"
        raise Unreadable(
            ImportErrorCode.BAD_WORKBOOK, f"{found}; at most {MAX_FORMAT_CHARACTERS} are allowed. {ADVICE}"
        )
    return int(item.attrib["numFmtId"]), code


def _styles_with(codes: set[str | None], styles: list[str | None]) -> set[int]:
    """Return the numbers of the cell styles that have one of these codes."""
    return {style for style, code in enumerate(styles) if code in codes}


def _is_1904(root: Element) -> bool:
    properties = root.find(f"{MAIN}workbookPr")
    return properties is not None and properties.get("date1904") in ("1", "true")
