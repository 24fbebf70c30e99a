"""Recognise rows that continue the product above: shops export further variants and images in such rows.

Such a row repeats the first column (Shopify's `Handle`) and has no name. It gets an error code of its own, because
its name is not missing by mistake.
"""

from collections.abc import Sequence
from operator import eq
from typing import NamedTuple

from product_importer.catalog.schemas import sku_key
from product_importer.imports.columns.header import IGNORED, Header

# The fields of a first column that can tell which product a row belongs to. Name, description and active cannot: many
# products share them.
GROUPING = ("sku", "", IGNORED)


class ParentRow(NamedTuple):
    """A product's own row. `is_shared` if its group has products of several names, and so is a category."""

    group: str
    sku: str
    name: str
    line: int
    is_shared: bool


class VariantGroups:
    """Remembers the last product of a file, to find the rows that continue it, also in the next chunk.

    With `keep_blank` a row without a name can update the product of its SKU. So it only continues the product above
    if it has no SKU, or the same one: as an update it would replace that product's own row, which says more.
    """

    def __init__(self, header: Header, keep_blank: bool):
        self._is_grouped = header.fields[0] in GROUPING
        self._sku = header.fields.index("sku")
        self._name = header.fields.index("name")
        self._keep_blank = keep_blank
        self._parent: ParentRow | None = None

    def parent_of(self, row: list[str]) -> ParentRow | None:
        """Return the product that a row without a name continues, or None."""
        parent = self._parent
        if parent is None or parent.is_shared or row[self._name].strip() or row[0].strip() != parent.group:
            return None
        sku = row[self._sku].strip()
        is_update = self._keep_blank and sku and sku_key(sku) != sku_key(parent.sku)
        return None if is_update else parent

    def may_continue(self, values: Sequence[str]) -> bool:
        """Whether some row may continue the one above it, by the values of the first column."""
        if not self._is_grouped:
            return False
        groups = list(map(str.strip, values))
        return any(map(eq, groups, groups[1:])) or (self._parent is not None and groups[0] == self._parent.group)

    def accept(self, line: int, row: list[str]) -> None:
        """Remember a row that becomes a product."""
        if not self._is_grouped:
            return
        group, name = row[0].strip(), row[self._name].strip()
        above = self._parent if self._parent is not None and self._parent.group == group else None
        if name and group:
            is_shared = above is not None and (above.is_shared or above.name != name)
            self._parent = ParentRow(group, row[self._sku].strip(), name, line, is_shared)
        else:
            self._parent = above

    def accept_all(self, lines: Sequence[int], rows: Sequence[list[str]]) -> None:
        """Remember rows that all become products: only those of the last group matter."""
        if not self._is_grouped:
            return
        first = len(rows) - 1
        while first > 0 and rows[first - 1][0].strip() == rows[-1][0].strip():
            first -= 1
        if first:
            self._parent = None
        for line, row in zip(lines[first:], rows[first:], strict=True):
            self.accept(line, row)
