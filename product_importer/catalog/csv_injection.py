"""Cells that a spreadsheet would run as a formula: guarded in exports, and the guard undone by imports.

A guarded cell begins with one more apostrophe, which spreadsheets take for "this is text" (OWASP, CSV Injection).
A value that already begins with apostrophes and then such a character gets one more as well, so that `unescape` is
the exact inverse of `escape` for every value there is.

A file from elsewhere cannot be told from an export: its `'=1+1` is read as `=1+1`, which is what a program that
guards its cells in the same usual way meant. `'tis` and `'90s` are nobody's guard, and stay as they are.
"""

import re
from collections.abc import Sequence

# What begins a formula, in ASCII or full width, and what a spreadsheet skips before one.
RUNS = "=+\\-@\t\r\n＝＋－＠"
_TO_GUARD = re.compile(f"'*[{RUNS}]")
_GUARDED = re.compile(f"'+[{RUNS}]")


def escape(value: str) -> str:
    """Return `value` as a cell that no spreadsheet runs."""
    return f"'{value}" if _TO_GUARD.match(value) else value


def unescape(value: str) -> str:
    """Return the value whose guarded cell this is."""
    return value[1:] if _GUARDED.match(value) else value


def reescape(cell: str) -> str:
    """Return a cell of a file, guarded or not, as one that no spreadsheet runs and that means the same value."""
    return escape(unescape(cell))


def unescape_column(values: Sequence[str]) -> Sequence[str]:
    """Unguard a whole column; one without any apostrophe costs one look."""
    if "'" not in "".join(values):
        return values
    return [unescape(value) if value[:1] == "'" else value for value in values]
