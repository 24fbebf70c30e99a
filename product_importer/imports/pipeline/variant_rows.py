"""Products that take several rows: exports of shops put further variants and images below a product's own row.

Such a row repeats the first column (Shopify's `Handle`) and has no name. It is no product of its own and no fault of
the file either, so it is told apart from rows whose name is missing.
"""

from collections.abc import Sequence
from operator import eq
from typing import NamedTuple

from product_importer.catalog.schemas import sku_key
from product_importer.imports.columns.header import IGNORED, Header

# What the first column may be to say which product a row belongs to: many products share a name's first words, a
# description or a word for active.
GROUPING = ("sku", "", IGNORED)


class ParentRow(NamedTuple):
    """A product's own row. `is_shared`: its group holds products of other names, and so is none: a category."""

    group: str
    sku: str
    name: str
    line: int
    is_shared: bool


class Groups:
    """The last product of a file, and which rows go on with it; constant memory, across the edges of chunks.

    With `keep_blank` a row without a name can be an update: of the product that its SKU names. So it only goes on
    with the product above where it has no SKU, or that of the product: there it would take the place of the
    product's own row, which says more.
    """

    def __init__(self, header: Header, keep_blank: bool):
        self._is_grouped = header.fields[0] in GROUPING
        self._sku = header.fields.index("sku")
        self._name = header.fields.index("name")
        self._keep_blank = keep_blank
        self._main: ParentRow | None = None

    def continued(self, row: list[str]) -> ParentRow | None:
        """Return the product that a row without a name goes on with, or None."""
        main = self._main
        if main is None or main.is_shared or row[self._name].strip() or row[0].strip() != main.group:
            return None
        sku = row[self._sku].strip()
        is_update = self._keep_blank and sku and sku_key(sku) != sku_key(main.sku)
        return None if is_update else main

    def go_on(self, values: Sequence[str]) -> bool:
        """Whether a row may go on with the one above it, by the values of the first column."""
        if not self._is_grouped:
            return False
        groups = list(map(str.strip, values))
        return any(map(eq, groups, groups[1:])) or (self._main is not None and groups[0] == self._main.group)

    def accept(self, line: int, row: list[str]) -> None:
        """Note a row that becomes a product."""
        if not self._is_grouped:
            return
        group, name = row[0].strip(), row[self._name].strip()
        above = self._main if self._main is not None and self._main.group == group else None
        if name and group:
            is_shared = above is not None and (above.is_shared or above.name != name)
            self._main = ParentRow(group, row[self._sku].strip(), name, line, is_shared)
        else:
            self._main = above

    def accept_all(self, lines: Sequence[int], rows: Sequence[list[str]]) -> None:
        """Note rows that all become products: only those of the last group matter."""
        if not self._is_grouped:
            return
        first = len(rows) - 1
        while first > 0 and rows[first - 1][0].strip() == rows[-1][0].strip():
            first -= 1
        if first:
            self._main = None
        for line, row in zip(lines[first:], rows[first:], strict=True):
            self.accept(line, row)
