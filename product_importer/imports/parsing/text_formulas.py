"""Unwrap formulas that only hold a text, as `="00123"`: programs write them so that Excel keeps the zeros."""

import re
from dataclasses import replace

from product_importer.imports.parsing.records import Chunk
from product_importer.imports.read_warnings import ReadWarnings, WarningCode

START = '="'
TEXT_FORMULA = re.compile('="((?:[^"]|"")*)"')


def unwrap(cell: str) -> str:
    """Return the text of a cell that is such a formula; any other cell as it is."""
    if not cell.startswith(START):
        return cell
    found = TEXT_FORMULA.fullmatch(cell)
    return found[1].replace('""', '"') if found else cell


def unwrap_chunk(chunk: Chunk, warnings: ReadWarnings) -> Chunk:
    """Return a chunk with the texts of such formulas, and count them."""
    unwrapped, places = chunk.mapped([START], unwrap, at_start=True)
    if places:
        warnings.add(WarningCode.TEXT_FORMULAS, chunk.lines[min(places)], len(places))
    if chunk.errors:
        errors = [replace(error, row=list(map(unwrap, error.row))) for error in chunk.errors]
        unwrapped = replace(unwrapped, errors=errors)
    return unwrapped
