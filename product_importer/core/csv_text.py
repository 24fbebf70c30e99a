"""Write rows as CSV."""

import csv
import io
from collections.abc import Iterable
from typing import Any


def to_csv(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as lines of CSV that end in CR LF."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
