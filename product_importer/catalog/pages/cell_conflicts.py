"""What was typed into cells that somebody else has changed meanwhile, until it is written or dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from product_importer.catalog.pages.cell_edits import Edited, RowEdit
from product_importer.catalog.pages.grid_view import label, shortened, values

# So many products are kept; the oldest go first.
MAX_CONFLICTS = 1_000


@dataclass(frozen=True)
class ConflictView:
    """A cell that somebody else has changed, too: what they wrote, and what was typed here."""

    sku: str = ""
    column: str = ""
    theirs: str = ""
    mine: str = ""


@dataclass(frozen=True)
class RowConflict:
    """What was typed into cells of one product; the edit expects what is shown of theirs."""

    sku: str
    edit: RowEdit

    def views(self) -> list[ConflictView]:
        """Return the cells as the page shows them."""
        return [
            ConflictView(self.sku, label(key), shortened(self.edit.expected[key]), shortened(text))
            for key, text in self.edit.cells.items()
        ]


def merge(before: Mapping[UUID, RowConflict], done: Sequence[Edited]) -> dict[UUID, RowConflict]:
    """Return the conflicts after edits: new ones are added; cells that were saved and products that are gone go."""
    after = dict(before)
    for one in done:
        id, known = one.edit.id, before.get(one.edit.id)
        cells = _cells(known.edit.cells if known else {}, one)
        if cells and one.product:
            theirs = values(one.product)
            expected = {key: theirs.get(key, "") for key in cells}
            after[id] = RowConflict(one.product.sku, RowEdit(id, cells, expected=expected))
        else:
            after.pop(id, None)
    return dict([*after.items()][-MAX_CONFLICTS:])


def _cells(known: Mapping[str, str], one: Edited) -> dict[str, str]:
    if one.is_stale:
        return {**known, **one.edit.cells}
    saved = one.edit.cells.keys() - one.refused.keys()
    return {key: text for key, text in known.items() if key not in saved}
