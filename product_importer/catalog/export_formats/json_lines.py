"""Write products as JSON Lines: one object in each line, whose names are the columns."""

import json
from collections.abc import Iterable, Iterator

from product_importer.catalog.export_formats.records import Columns, Record

ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
# Some programs end a line at these, too. They can only be inside a text, so they may be written as escapes.
LINE_ENDS = {"\x85": r"\u0085", "\u2028": r"\u2028", "\u2029": r"\u2029"}


def write(columns: Columns, pieces: Iterable[list[Record]]) -> Iterator[bytes]:
    """Yield the lines. The first has every column, null where its product has no such attribute; others leave it out.

    So a reader that takes the columns from the first line finds all, and a catalogue of many rare attributes stays
    small.
    """
    names = columns.all
    first: dict[str, None] = dict.fromkeys(names)
    for records in pieces:
        lines = []
        for record in records:
            lines.append(ENCODER.encode(first | {name: record[name] for name in names if name in record}))
            first = {}
        yield _on_one_line_each("".join(f"{line}\n" for line in lines)).encode()


def _on_one_line_each(text: str) -> str:
    for character, escape in LINE_ENDS.items():
        text = text.replace(character, escape)
    return text
