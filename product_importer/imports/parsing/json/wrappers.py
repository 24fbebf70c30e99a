"""Find the array of products that is in a field of a JSON object, and refuse such a file."""

import re
from collections.abc import Collection, Sequence
from json import JSONDecoder

from product_importer.core.errors import Invalid
from product_importer.imports.columns.header import fold
from product_importer.imports.parsing.json.values import shown
from product_importer.imports.parsing.records import not_csv

DECODER = JSONDecoder(strict=False)
START = re.compile(r"[ \t\r\n\ufeff]*\{")
KEY = re.compile(r'[ \t\r\n,]*(?:(?P<end>\})|(?P<key>"(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*)')
OBJECTS = re.compile(r"\[[ \t\r\n]*\{")
# A key that the program jq takes without quotes.
PLAIN_KEY = re.compile("[A-Za-z_][A-Za-z_0-9]*")


def path_to_array(text: str, own_fields: Collection[str]) -> list[str]:
    """Return the keys that lead from an object to its first array of objects.

    They are [] if the text, which may be cut off, has no such array, or before it one of a product's `own_fields`.
    """
    start = START.match(text)
    place, path = start.end() if start else len(text), list[str]()
    try:
        while found := KEY.match(text, place):
            place = found.end()
            if found["end"]:
                # After the end of the whole object there is nothing to leave.
                path.pop()
                continue
            key = DECODER.decode(found["key"])
            if fold(key) in own_fields:
                break
            if OBJECTS.match(text, place):
                return [*path, key]
            if text.startswith("{", place):
                path.append(key)
                place += 1
            else:
                place = DECODER.raw_decode(text, place)[1]
    except (ValueError, IndexError, RecursionError):
        return []
    return []


def wrapped(path: Sequence[str], is_in_array: bool = False) -> Invalid:
    """Return the error for an object that holds the products in the field of a path; it can be in an array itself."""
    field = ".".join(map(shown, path))
    program = f"jq '{'.[]' if is_in_array else ''}.{field}' FILE"
    advice = f": the command `{program}` writes it" if all(map(PLAIN_KEY.fullmatch, path)) else ""
    return not_csv(f"The products are in the field “{field}” of one object. Upload only that array{advice}.")
