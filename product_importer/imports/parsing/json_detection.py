"""Tell JSON by the beginning of a text, and read the names of its columns."""

import re
from collections.abc import Set
from typing import BinaryIO

from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType
from product_importer.imports.columns.header import REQUIRED, check_column_count, fold
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.encoding_detection import GUESS
from product_importer.imports.parsing.file_format import Format, Kind
from product_importer.imports.parsing.header_sample import HeaderSample, read_header_sample
from product_importer.imports.parsing.json.elements import Element
from product_importer.imports.parsing.json.wrappers import path_to_array, wrapped
from product_importer.imports.parsing.opening import open_json
from product_importer.imports.parsing.records import Unreadable, not_csv
from product_importer.imports.parsing.text_codecs import codec_of

# An object, or an array of anything but words and numbers, which can be a CSV with names in brackets.
START = re.compile(r'[ \t\r\n\ufeff]*(?:(?P<object>\{[ \t\r\n]*["}])|\[[ \t\r\n]*[\[{"\]])')
FORMS = "Upload an array of objects, or JSON Lines: one object a line."


def json_kind(head: bytes, encoding: str) -> Kind | None:
    """Return whether a text begins like JSON Lines or a JSON array; None for other texts."""
    found = START.match(head.decode(codec_of(encoding), "replace"))
    if found is None:
        return None
    return "jsonl" if found["object"] else "json"


def read_json(
    stream: BinaryIO, head: bytes, format: Format, options: ImportOptions, is_surely_lines: bool
) -> HeaderSample:
    """Return the keys of the first objects of unpacked JSON, and the beginnings of their values.

    `head` is the beginning of the stream. A file that `is_surely_lines` is never taken for one object that covers
    several lines.

    Raises:
        Invalid: it is not UTF-8, there are no objects, or they are inside another one; `not-text`, `not-csv`,
            `empty-file`, `too-many-columns`.
    """
    if format.encoding == GUESS:
        raise Invalid(
            "JSON is always UTF-8, and this file holds bytes that are not. Save it as UTF-8.",
            kind=ProblemType.NOT_TEXT,
            title="The file is not readable as text",
        )
    own_fields = {*REQUIRED, *map(fold, options.columns or ())}
    path = path_to_array(head.decode(codec_of(format.encoding), "replace"), own_fields)
    records = open_json(stream, format.encoding, is_array=format.kind == "json")
    try:
        names, _ = records.header()
    except Unreadable as error:
        raise wrapped(path) if path else not_csv(error.message) from error
    _check(records.sample(), names, path, is_surely_lines)
    if len(records.sample()) == 1:
        _refuse_wrapper(records.sample()[0], own_fields, is_in_array=format.kind == "json")
    check_column_count(names)
    try:
        return read_header_sample(records)
    except Unreadable as error:
        # Behind the first objects, which were read already.
        raise not_csv(error.message) from error


def _check(sample: list[Element], names: list[str], path: list[str], is_surely_lines: bool) -> None:
    """Refuse a file without objects, or whose first object cannot be read; `path` leads to an array in that object.

    Raises:
        Invalid: it is such a file.
    """
    if not sample:
        raise Invalid("The file holds no objects.", kind=ProblemType.EMPTY_FILE, title="The file is empty")
    first = sample[0]
    if path and (not names or (first.is_cut and not is_surely_lines)):
        raise wrapped(path)
    if first.is_cut and not is_surely_lines:
        raise not_csv(
            f"Line {first.line} begins a JSON object that does not end in it. {FORMS} If an object holds the "
            "products in one of its fields, upload only that array."
        )
    if not names:
        reason = first.error.reason if first.error else "It has no keys."
        raise not_csv(f"No object has a key. The first one ({first.line}): {reason} {FORMS}")


def _refuse_wrapper(only: Element, own_fields: Set[str], is_in_array: bool) -> None:
    """Refuse a single object that is no product but holds an array of them.

    Raises:
        Invalid: it is one.
    """
    if not own_fields.isdisjoint(map(fold, only.cells)):
        return
    for key, cell in only.cells.items():
        if cell.startswith("[{"):
            raise wrapped([key], is_in_array)
        # Answers of an API; with other keys beside this one the object may be a product.
        if len(only.cells) == 1 and (path := path_to_array(cell, own_fields)):
            raise wrapped([key, *path], is_in_array)
