"""Count the rows of a sample that continue the product above, before it is known which column is the name."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby, zip_longest

from product_importer.core.edges import trim


def count_continuations(names: Sequence[str], sample: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return for each column how many rows continue the one above if this column is the name; not where none does.

    `names` are the columns' names and `sample` some rows. A row continues another if it repeats the first column and
    has no name; `pipeline/variant_rows.py` decides it for an import.
    """
    counts: Counter[str] = Counter()
    for group, rows in groupby(sample, lambda row: trim(row[0])):
        same = list(rows)
        if group and len(same) > 1:
            for name, cells in zip(names, zip_longest(*same, fillvalue=""), strict=False):
                counts[name] += _count(list(map(trim, cells)))
    return dict(+counts)


def _count(names: Sequence[str]) -> int:
    """Return how many of the names of one group are blank behind another; none if they are of several products."""
    given = [name for name in names if name]
    if not given:
        return 0
    several = next((place for place, name in enumerate(names) if name not in ("", given[0])), len(names))
    return names[names.index(given[0]) : several].count("")
