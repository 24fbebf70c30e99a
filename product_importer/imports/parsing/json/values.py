"""Parse one JSON value without a loss, and turn the fields of an object into cells."""

import json
import re
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import Any, NoReturn

from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.parsing.exact_texts import FIRST_CHARACTERS, as_cell

# How deep arrays and objects may be nested in a cell.
MAX_DEPTH = 64
# How many characters of a key a reason shows.
MAX_SHOWN = 100
# The cells of the other values; true and false are written like that, null is blank.
WORDS: dict[object, str] = {None: "", True: "true", False: "false"}
SURROGATES = re.compile("[\ud800-\udfff]")


class Number(str):
    """A number as the file writes it: no digit is lost."""

    __slots__ = ()


class BadValue(Exception):
    """An object that is well-formed and still cannot be imported, with the code and the reason for its row."""

    def __init__(self, code: RowErrorCode, reason: str):
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Flaw:
    """A value that rejects its row once all of it is parsed: raised at once, it would hide where the value ends."""

    def __init__(self, code: RowErrorCode, reason: str):
        self._error = BadValue(code, reason)

    def refuse(self) -> NoReturn:
        raise self._error


def _object(pairs: list[tuple[str, Any]]) -> "dict[str, Any] | _Flaw":
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return _Flaw(RowErrorCode.REPEATED_KEY, f"The key “{shown(repeated)}” occurs more than once in an object.")


def _constant(name: str) -> _Flaw:
    return _Flaw(RowErrorCode.MALFORMED, f"{name} is no JSON value. Write null where there is no number.")


DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=Number,
    parse_float=Number,
    parse_constant=_constant,
)


def cells_of(value: object, text: str) -> dict[str, str]:
    """Return the cells of an object by their keys; `text` is the JSON that it was parsed from.

    Raises:
        BadValue: it is no object, or its row cannot be imported.
    """
    if isinstance(value, _Flaw):
        value.refuse()
    if not isinstance(value, dict):
        raise BadValue(RowErrorCode.MALFORMED, 'This is not a JSON object: each product is one, as in {"sku": …}.')
    # Most values are plain text, and a call for each takes half of the time.
    cells = {
        key: field if type(field) is str and field[:1] not in FIRST_CHARACTERS else _cell(field)
        for key, field in value.items()
    }
    # Only an escape can write half a character.
    if "\\u" in text and any(SURROGATES.search(part) for pair in cells.items() for part in pair):
        reason = "A text holds half of a surrogate pair (\\uD800 to \\uDFFF), which is no character."
        raise BadValue(RowErrorCode.MALFORMED, reason)
    return cells


def shown(key: str) -> str:
    """Return a key as a reason may show it: short, and without what cannot be stored."""
    return "".join(character if character.isprintable() else "�" for character in key[:MAX_SHOWN])


def _cell(value: object) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return as_cell(value)
    if isinstance(value, dict | list | _Flaw):
        return compact(value)
    return WORDS[value]


def compact(value: object) -> str:
    """Return arrays and objects as JSON without white space; their numbers are `Number`s.

    Raises:
        BadValue: they are nested too deeply, or a part of them cannot be imported.
    """
    return "".join(_parts(value, 1))


def _parts(value: object, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        reason = f"Arrays and objects are nested more than {MAX_DEPTH} deep."
        raise BadValue(RowErrorCode.TOO_DEEP, reason)
    if isinstance(value, _Flaw):
        value.refuse()
    if isinstance(value, dict):
        for place, (key, field) in enumerate(value.items()):
            yield f"{',' if place else '{'}{encode_basestring(key)}:"
            yield from _parts(field, depth + 1)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield "," if place else "["
            yield from _parts(item, depth + 1)
        yield "]" if value else "[]"
    elif isinstance(value, str) and not isinstance(value, Number):
        yield encode_basestring(value)
    else:
        yield str(value) if isinstance(value, Number) else WORDS[value] or "null"
