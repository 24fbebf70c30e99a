"""How many fields the records of a text have."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from product_importer.imports.parsing.csv.broken_records import BrokenRecord
from product_importer.imports.parsing.records import filled_width, fitted_row


class RowShape(NamedTuple):
    """Records have `usual` fields, or one of `others` if only blank ones differ from the header.

    The header has `header` fields, `needed` up to its last name. `usual` is 0 while nothing is known.
    """

    usual: int = 0
    others: frozenset[int] = frozenset()
    header: int = 0
    needed: int = 0

    def fits(self, row: list[str]) -> bool:
        """Whether a record can have these fields."""
        if not self.usual or len(row) == self.usual == self.header:
            return True
        return len(row) in self.widths and self.is_acceptable(row)

    def is_acceptable(self, row: list[str]) -> bool:
        """Whether only blank fields of a record differ from the header."""
        return fitted_row(row, self.header, self.needed) is not None

    @property
    def widths(self) -> set[int]:
        """How many fields records can have."""
        return {self.usual, *self.others}


def shape_of(names: Sequence[str], near: Sequence[tuple[int, int, list[str]] | BrokenRecord]) -> RowShape:
    """Return the shape of a text's records by its header, and the records that come next.

    If one of them is not well-formed, the header decides how many fields are usual: a wrong quote must not. A single
    record decides nothing either.
    """
    header = RowShape(len(names), frozenset(), len(names), filled_width(names))
    rows = [row for _, _, row in (read for read in near if not isinstance(read, BrokenRecord))]
    fitting = [len(row) for row in rows if row and fitted_row(row, header.header, header.needed) is not None]
    widths = Counter(fitting)
    usual, count = widths.most_common(1)[0] if widths else (header.header, 0)
    if len(rows) < len(near) or count * 2 <= len(rows):
        usual = header.header
    others = {width for width, count in widths.items() if count > 1}
    return header._replace(usual=usual, others=frozenset(others - {usual}))
