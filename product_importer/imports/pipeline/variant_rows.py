"""Recognise rows that continue the product above: shops export further variants and images in such rows.

Such a row repeats the first column (Shopify's `Handle`) and has no name. It gets an error code of its own, because
its name is not missing by mistake; or, by choice, it is filled from the product above or left out.
"""

from collections.abc import Sequence
from operator import eq
from typing import NamedTuple

from product_importer.catalog.schemas import sku_key
from product_importer.core.edges import trim
from product_importer.imports.columns.attribute_names import is_attribute
from product_importer.imports.columns.header import IGNORED, Header
from product_importer.imports.options import Continuation

# The fields of a first column that can tell which product a row belongs to, as an attribute can. Name, description
# and active cannot: many products share them.
GROUPING = ("sku", IGNORED)
# What a row takes from the product above where its own cell is blank.
FILLED = ("name", "description", "active")


class ParentRow(NamedTuple):
    """A product's own row. `is_shared` if its group has products of several names, and so is a category.

    `cells` are those of the fields in `FILLED` that the file has.
    """

    group: str
    sku: str
    name: str
    line: int
    is_shared: bool
    cells: tuple[str, ...]


class VariantGroups:
    """Remembers the last product of a file, to find the rows that continue it, also in the next chunk.

    With `keep_blank` a row without a name can update the product of its SKU. So it only continues the product above
    if it has no SKU, or the same one: as an update it would replace that product's own row, which says more. If such
    rows are filled (`continuation`), it is filled instead.
    """

    def __init__(self, header: Header, keep_blank: bool, continuation: Continuation = "reject"):
        self._is_grouped = header.fields[0] in GROUPING or is_attribute(header.fields[0])
        self._sku = header.fields.index("sku")
        self._name = header.fields.index("name")
        self._filled = [header.fields.index(field) for field in FILLED if field in header.fields]
        self._can_update = keep_blank and continuation != "fill"
        self._parent: ParentRow | None = None

    def parent_of(self, row: list[str]) -> ParentRow | None:
        """Return the product that a row without a name continues, or None."""
        parent = self._parent
        if parent is None or parent.is_shared or trim(row[self._name]) or trim(row[0]) != parent.group:
            return None
        return None if self._can_update and self._has_own_sku(row, parent) else parent

    def filled(self, row: list[str], parent: ParentRow) -> list[str] | None:
        """Return a row with its blank cells filled from its parent; None for a row without an SKU of its own."""
        if not self._has_own_sku(row, parent):
            return None
        filled = list(row)
        for position, cell in zip(self._filled, parent.cells, strict=True):
            if not trim(row[position]):
                filled[position] = cell
        return filled

    def may_continue(self, values: Sequence[str]) -> bool:
        """Whether some row may continue the one above it, by the values of the first column."""
        if not self._is_grouped:
            return False
        groups = list(map(trim, values))
        return any(map(eq, groups, groups[1:])) or (self._parent is not None and groups[0] == self._parent.group)

    def accept(self, line: int, row: list[str]) -> None:
        """Remember a row that becomes a product."""
        if not self._is_grouped:
            return
        group, name = trim(row[0]), trim(row[self._name])
        above = self._parent if self._parent is not None and self._parent.group == group else None
        if name and group:
            is_shared = above is not None and (above.is_shared or above.name != name)
            cells = tuple(row[position] for position in self._filled)
            self._parent = ParentRow(group, trim(row[self._sku]), name, line, is_shared, cells)
        else:
            self._parent = above

    def accept_all(self, lines: Sequence[int], rows: Sequence[list[str]]) -> None:
        """Remember rows that all become products: only those of the last group matter."""
        if not self._is_grouped:
            return
        first = len(rows) - 1
        while first > 0 and trim(rows[first - 1][0]) == trim(rows[-1][0]):
            first -= 1
        if first:
            self._parent = None
        for line, row in zip(lines[first:], rows[first:], strict=True):
            self.accept(line, row)

    def _has_own_sku(self, row: list[str], parent: ParentRow) -> bool:
        key = sku_key(row[self._sku])
        return bool(key) and key != sku_key(parent.sku)
