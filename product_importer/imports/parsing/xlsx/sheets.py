"""List the sheets of an .xlsx, and tell which of them hold anything."""

from collections.abc import Iterable
from typing import NamedTuple
from xml.etree.ElementTree import Element

from product_importer.imports.parsing.sheet_choice import MAX_TITLE_CHARACTERS
from product_importer.imports.parsing.xlsx.xml_parts import XML_PIECE_BYTES, Archive, xml_parser

# Cells that only have a format can stand in front of the first value; more than so many bytes are not searched.
MAX_SEARCHED_BYTES = 1024 * 1024
# A cell's value, and its text.
CONTENT_TAGS = ("}v", "}t", "}f")


class Relation(NamedTuple):
    """A reference of one part to another: its id, its type (a URL), the other's path in the zip."""

    id: str
    kind: str
    path: str


class SheetEntry(NamedTuple):
    """A sheet as the workbook lists it, and the path of its part."""

    title: str
    path: str
    is_visible: bool


def list_sheets(root: Element, relations: Iterable[Relation]) -> list[SheetEntry]:
    """Return the sheets that have cells, in the workbook's order; a chart may be a sheet of its own.

    Raises:
        LookupError: there is none.
    """
    paths = {relation.id: relation.path for relation in relations if relation.kind.endswith("/worksheet")}
    sheets = [
        SheetEntry(
            sheet.get("name", "")[:MAX_TITLE_CHARACTERS],
            paths[key],
            sheet.get("state", "visible") not in ("hidden", "veryHidden"),
        )
        for sheet in root.iterfind("{*}sheets/{*}sheet")
        if (key := _relation_id(sheet)) in paths
    ]
    if not sheets:
        raise LookupError("the workbook has no sheet")
    return sheets


def has_content(archive: Archive, path: str) -> bool:
    """Whether a cell near the beginning of a sheet has a value or a formula."""
    target = _ContentTarget()
    part, parser, searched = archive.part(path), xml_parser(target), 0
    while not target.is_found and searched < MAX_SEARCHED_BYTES and (piece := part.read(XML_PIECE_BYTES)):
        parser.feed(piece)
        searched += len(piece)
    return target.is_found


class _ContentTarget:
    """A target of the XML parser that notices the first value of a cell."""

    def __init__(self) -> None:
        self.is_found = False

    def start(self, tag: str, _: dict[str, str]) -> None:
        self.is_found = self.is_found or tag.endswith(CONTENT_TAGS)


def _relation_id(sheet: Element) -> str:
    """Return a sheet's `r:id`, whichever of the standard's namespaces it is in."""
    return next((value for name, value in sheet.attrib.items() if name.endswith("}id")), "")
