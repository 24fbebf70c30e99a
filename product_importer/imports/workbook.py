"""The parts of an .xlsx that matter here: where its first sheet stands, its texts, and which styles are dates.

An .xlsx is a zip of XML files that anybody may have made: each is read in pieces, and within bounds.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO
from xml.etree.ElementTree import ParseError, XMLParser

from openpyxl.packaging.relationship import get_dependents, get_rels_path
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, WINDOWS_EPOCH
from openpyxl.xml.constants import REL_NS, SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring

from product_importer.imports import containers
from product_importer.imports.chunks import Unreadable
from product_importer.imports.containers import METHODS, PIECE_BYTES, open_archive, too_large

# The parts that are held in memory as a whole: styles, the list of sheets.
MAX_PART_BYTES = 16 * 1024 * 1024
# The texts that cells refer to by number; they are in memory while the sheet is read.
MAX_TEXTS_BYTES = 256 * 1024 * 1024
# One row, or one text: far more than Excel allows.
MAX_ELEMENT_BYTES = 4 * 1024 * 1024

XML_PIECE_BYTES = 64 * 1024

MAIN = f"{{{SHEET_MAIN_NS}}}"
TEXT_TAGS = (f"{MAIN}t", f"{MAIN}v")
READING_TAG, ENTRY_TAG = f"{MAIN}rPh", f"{MAIN}si"
ROOT_RELATIONS = "_rels/.rels"

# What openpyxl and the parsers below it raise over a workbook that is damaged or not made to the standard.
BROKEN = (*containers.BROKEN, ParseError, LookupError, TypeError, AttributeError, RuntimeError)
ADVICE = "Open it in a spreadsheet program and save it as .xlsx or “CSV UTF-8”."


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether a zip is an Excel workbook, by the names that every one of them holds."""
    names = archive.namelist()
    return "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names)


class Workbook:
    """A workbook's first sheet, by its title, and what is needed to read it.

    `dates` and `durations` are the numbers of the cell styles that show a number as such, counted from `epoch`.
    """

    def __init__(self, stream: BinaryIO):
        self._archive = open_archive(stream, _Archive)
        with understood():
            main = _target(self._related(""), "officeDocument")
            related = self._related(main)
            root = fromstring(self._archive.read(main))
            self.title, self._sheet = _first_sheet(root, related)
            self.epoch = CALENDAR_MAC_1904 if _is_1904(root) else WINDOWS_EPOCH
            self.dates, self.durations = self._date_styles(_target(related, "styles", ""))
            self._texts = _target(related, "sharedStrings", "")

    def sheet(self) -> "Part":
        """Open the sheet's XML."""
        return self._archive.part(self._sheet)

    def texts(self) -> "Texts":
        """Return the texts that cells refer to by number."""
        return Texts(self._archive.part(self._texts) if self._texts else None)

    def check_size(self, limit: int) -> None:
        """Read what is large in it to the end, without parsing it.

        Raises:
            TooLarge: it holds more bytes than `limit`, or more text than fits the memory.
            Unreadable: it is damaged.
        """
        with understood():
            self._archive.check_size(self._sheet, limit, "The sheet")
            if self._texts:
                self._archive.check_size(self._texts, min(limit, MAX_TEXTS_BYTES), "The text in the workbook")

    def _related(self, path: str) -> list[Any]:
        relations = get_rels_path(path) if path else ROOT_RELATIONS
        return list(get_dependents(self._archive, relations))

    def _date_styles(self, path: str) -> tuple[set[int], set[int]]:
        if not path:
            return set(), set()
        root = fromstring(self._archive.read(path))
        own = {int(item.get("numFmtId")): item.get("formatCode") for item in root.iter(f"{MAIN}numFmt")}
        used = [int(style.get("numFmtId", 0)) for style in root.iterfind(f"{MAIN}cellXfs/{MAIN}xf")]
        formats = [own.get(number) or BUILTIN_FORMATS.get(number) for number in used]
        dates = {style for style, code in enumerate(formats) if is_date_format(code)}
        return dates, {style for style in dates if is_timedelta_format(formats[style])}


class Part:
    """One XML file of a workbook, as its parser reads it."""

    def __init__(self, member: IO[bytes]):
        self._member = member
        self._since_mark = 0
        self._tail = b""

    def read(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            Unreadable: so many have passed without a `mark` that they would fill the memory, or there is a DTD.
        """
        piece = self._member.read(size)
        self._since_mark += len(piece)
        if self._since_mark > max(size, MAX_ELEMENT_BYTES):
            raise Unreadable("bad_workbook", f"One row or text of the workbook is larger than 4 MiB. {ADVICE}")
        # The standard forbids it; its entities could make a few bytes endless. In UTF-16 there are zeros between.
        seen = (self._tail + piece).replace(b"\0", b"")
        if b"<!DOCTYPE" in seen:
            raise Unreadable("bad_workbook", f"The workbook holds a document type definition. {ADVICE}")
        self._tail = seen[-8:]
        return piece

    def mark(self) -> None:
        """Tell that what was read is parsed, and can be forgotten."""
        self._since_mark = 0


class Target:
    """What the XML parser calls: it keeps the text of cells, and builds no tree, which would fill the memory."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._is_text = self._is_reading = False

    def start(self, tag: str, _: dict[str, str]) -> None:
        if tag in TEXT_TAGS:
            # Beside its pieces a text may have a reading for Japanese, which is none of it.
            self._is_text = not self._is_reading
        elif tag == READING_TAG:
            self._is_reading = True

    def data(self, piece: str) -> None:
        if self._is_text:
            self._pieces.append(piece)

    def end(self, tag: str) -> None:
        if tag in TEXT_TAGS:
            self._is_text = False
        elif tag == READING_TAG:
            self._is_reading = False

    def _take(self) -> str:
        """Return the text since the last call."""
        text = "".join(self._pieces)
        self._pieces.clear()
        return text


class Texts(Target):
    """The texts that cells refer to by number. They are read only as far as they are asked for."""

    def __init__(self, part: Part | None):
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
            self._texts.append(self._take())


def xml_parser(target: Target) -> XMLParser:
    """Return a parser that calls `target`; what is fed to it comes from a `Part`, which refuses DTDs."""
    return XMLParser(target=target)  # noqa: S314


@contextmanager
def understood() -> Iterator[None]:
    """Say of a workbook that cannot be understood that it is so.

    Raises:
        Unreadable: whatever was wrong.
    """
    try:
        yield
    except BROKEN as error:
        raise Unreadable("bad_workbook", f"The workbook is damaged or not made to the standard. {ADVICE}") from error


class _Archive(zipfile.ZipFile):
    """A zip of which no part fills the memory, whatever it says of its size."""

    def part(self, name: str) -> Part:
        if self.getinfo(name).compress_type not in METHODS:
            raise zipfile.BadZipFile(f"{name} is packed with an unusual method")
        return Part(self.open(name))

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:  # noqa: ARG002 - it is ZipFile's
        part, content = self.part(name), b""
        while piece := part.read(PIECE_BYTES):
            part.mark()
            content += piece
            if len(content) > MAX_PART_BYTES:
                raise zipfile.BadZipFile(f"{name} is larger than a workbook needs")
        return content

    def check_size(self, name: str, limit: int, words: str) -> None:
        part, size = self.part(name), 0
        while piece := part.read(PIECE_BYTES):
            part.mark()
            size += len(piece)
            if size > limit:
                raise too_large(words)


def _target(relations: list[Any], kind: str, default: str | None = None) -> str:
    """Return the path of the first part of that kind."""
    found = [relation.target for relation in relations if relation.Type.endswith(f"/{kind}")]
    if not found and default is None:
        raise LookupError(f"the workbook has no {kind}")
    return str(found[0]) if found else str(default)


def _first_sheet(root: Any, relations: list[Any]) -> tuple[str, str]:
    """Return the title and the path of the first sheet that has cells; charts may have sheets of their own."""
    paths = {relation.Id: relation.target for relation in relations if relation.Type.endswith("/worksheet")}
    for sheet in root.iterfind(f"{MAIN}sheets/{MAIN}sheet"):
        path = paths.get(sheet.get(f"{{{REL_NS}}}id"))
        if path is not None:
            return sheet.get("name", ""), path
    raise LookupError("the workbook has no sheet")


def _is_1904(root: Any) -> bool:
    properties = root.find(f"{MAIN}workbookPr")
    return properties is not None and properties.get("date1904") in ("1", "true")
