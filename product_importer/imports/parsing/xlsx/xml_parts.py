"""Read the XML parts of an .xlsx in pieces and within bounds: they come from outside."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError, XMLParser

from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing import archives
from product_importer.imports.parsing.archives import METHODS, too_large
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.parsing.unpacking import PIECE_BYTES

# A part that is held in memory as a whole: styles, the list of sheets.
MAX_PART_BYTES = 16 * 1024 * 1024
# One row, or one text: far more than Excel allows.
MAX_ELEMENT_BYTES = 4 * 1024 * 1024

XML_PIECE_BYTES = 64 * 1024

# What openpyxl and the parsers below it raise for a workbook that is damaged or does not follow the standard.
BROKEN = (*archives.BROKEN, ParseError, LookupError, TypeError, AttributeError, RuntimeError)
ADVICE = "Open it in a spreadsheet program and save it as .xlsx or “CSV UTF-8”."


class XmlPart:
    """A stream of one XML file of a workbook, for a parser."""

    def __init__(self, member: IO[bytes]):
        self._member = member
        self._since_mark = 0
        self._tail = b""

    def read(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            Unreadable: more than `MAX_ELEMENT_BYTES` were read since the last `mark`, or there is a DTD.
        """
        piece = self._member.read(size)
        self._since_mark += len(piece)
        if self._since_mark > max(size, MAX_ELEMENT_BYTES):
            raise Unreadable(
                ImportErrorCode.BAD_WORKBOOK, f"One row or text of the workbook is larger than 4 MiB. {ADVICE}"
            )
        # The standard forbids a DTD: its entities could expand without end. UTF-16 has zeros between the letters.
        seen = (self._tail + piece).replace(b"\0", b"")
        if b"<!DOCTYPE" in seen:
            raise Unreadable(ImportErrorCode.BAD_WORKBOOK, f"The workbook holds a document type definition. {ADVICE}")
        self._tail = seen[-8:]
        return piece

    def mark(self) -> None:
        """Note that the parser has dealt with everything read so far."""
        self._since_mark = 0


class Archive(zipfile.ZipFile):
    """A zip of which no part can fill the memory, whatever size it claims."""

    @cached_property
    def members(self) -> dict[str, zipfile.ZipInfo]:
        """The files by the names of their parts; of two files of one name the last."""
        return {part_name(member.filename): member for member in self.infolist()}

    def has(self, name: str) -> bool:
        """Whether there is a part of that name, in any case."""
        return part_name(name) in self.members

    def part(self, name: str) -> XmlPart:
        """Open a part by its name, in any case."""
        member = self.members[part_name(name)]
        if member.compress_type not in METHODS:
            raise zipfile.BadZipFile(f"{name} is packed with an unusual method")
        return XmlPart(self.open(member))

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:  # noqa: ARG002 - it is ZipFile's
        part, content = self.part(name), b""
        while piece := part.read(PIECE_BYTES):
            part.mark()
            content += piece
            if len(content) > MAX_PART_BYTES:
                raise zipfile.BadZipFile(f"{name} is larger than a workbook needs")
        return content

    def tree(self, name: str) -> Element:
        """Return a small part as a tree."""
        parser = xml_parser()
        parser.feed(self.read(name))
        root: Element = parser.close()
        return root

    def check_size(self, name: str, limit: int, subject: str) -> None:
        """Read a part to its end without parsing it; `subject` names it in the error.

        Raises:
            TooLarge: it holds more bytes than `limit`.
        """
        part, size = self.part(name), 0
        while piece := part.read(PIECE_BYTES):
            part.mark()
            size += len(piece)
            if size > limit:
                raise too_large(subject)


def part_name(filename: str) -> str:
    """Return the name of the part in a file of the zip, for comparison; some programs write backslashes."""
    return filename.replace("\\", "/").casefold()


def xml_parser(target: Any = None) -> XMLParser:
    """Return a parser that calls `target`, or builds a tree. Feed it from an `XmlPart`, which refuses DTDs."""
    return XMLParser(target=target)  # noqa: S314


@contextmanager
def unreadable_if_damaged() -> Iterator[None]:
    """Convert the errors of parsers to `Unreadable`.

    Raises:
        Unreadable: the workbook is damaged.
    """
    try:
        yield
    except BROKEN as error:
        raise Unreadable(
            ImportErrorCode.BAD_WORKBOOK, f"The workbook is damaged or not made to the standard. {ADVICE}"
        ) from error
