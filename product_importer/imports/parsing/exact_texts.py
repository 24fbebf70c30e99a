"""Keep texts as they are in files that have no escapes for spreadsheets, such as JSON.

An import reads any cell as a spreadsheet would have it: `'=1` is `=1`, and `="1"` is `1`. So the readers of other
files escape what looks like that, and the import finds the text that was in the file.
"""

from product_importer.core.csv_injection import escape
from product_importer.imports.parsing.text_formulas import START

# With what a cell begins that an import may read as another text; the first characters of them.
MARKS = ("'", START)
FIRST_CHARACTERS = frozenset(mark[0] for mark in MARKS)


def as_cell(text: str) -> str:
    """Return the cell that an import reads as this text."""
    return escape(text) if text.startswith(MARKS) else text


def as_name(text: str) -> str:
    """Return the column name that an import reads as this text; outer spaces of a name never matter."""
    stripped = text.strip()
    return escape(stripped) if stripped.startswith(MARKS) else text
