"""Escape cells that a spreadsheet would run as a formula; unescape them in imports.

An escaped cell begins with one more apostrophe, which spreadsheets read as "this is text" (OWASP, CSV Injection).
A value that begins with apostrophes and then a formula gets one more as well, so that `unescape` is the exact inverse
of `escape`.

Imports cannot tell exports from other files: `'=1+1` always becomes `=1+1`, because other programs escape the same
way. `'tis` and `'90s` are not escaped formulas and stay as they are.
"""

import re
from collections.abc import Sequence

# What begins a formula, in ASCII or full width, and what spreadsheets skip before one.
FORMULA_STARTS = "=+\\-@\t\r\n＝＋－＠"
_NEEDS_ESCAPE = re.compile(f"'*[{FORMULA_STARTS}]")
_ESCAPED = re.compile(f"'+[{FORMULA_STARTS}]")


def escape(value: str) -> str:
    """Return `value` as a cell that no spreadsheet runs."""
    return f"'{value}" if _NEEDS_ESCAPE.match(value) else value


def unescape(value: str) -> str:
    """Return the value of a cell, escaped or not."""
    return value[1:] if _ESCAPED.match(value) else value


def escape_cell(cell: str) -> str:
    """Return a cell of a file, escaped or not, as an escaped one of the same value."""
    return escape(unescape(cell))


def unescape_column(values: Sequence[str]) -> Sequence[str]:
    """Return a column's values. A column without apostrophes is checked as a whole, which is fast."""
    if "'" not in "".join(values):
        return values
    return [unescape(value) if value[:1] == "'" else value for value in values]
