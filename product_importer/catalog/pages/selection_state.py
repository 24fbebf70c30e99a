"""Which products of the list are selected: single ones, also of other pages, or all that match."""

import reflex as rx
from reflex.event import EventType

from product_importer.ui import toasts
from product_importer.ui.grid.values import GridRow

# The browser's tab holds their ids.
MAX_SELECTED = 10_000


class SelectionState(rx.State, mixin=True):
    """A mixin for a state with `rows` and `total`."""

    rows: list[GridRow] = []  # noqa: RUF012 - Reflex copies it for each tab
    # The ids of the selected rows; meaningless while all are.
    selected: list[str] = []  # noqa: RUF012
    all_selected: bool = False
    # How often a selection was refused: the grid has shown it already, and takes it back.
    selection_refusals: int = 0

    @rx.var
    def has_selection(self) -> bool:
        """Whether anything is selected."""
        return self.all_selected or bool(self.selected)

    @rx.var
    def is_page_selected(self) -> bool:
        """Whether each row of the page is selected."""
        return bool(self.rows) and {row.id for row in self.rows} <= set(self.selected)

    @rx.var
    def selection_count(self) -> str:
        """How many are selected; empty while all are."""
        return "" if self.all_selected else f"{len(self.selected):,}"

    @rx.event
    def select_rows(self, ids: list[str], is_on: bool) -> EventType[()] | None:
        """Select rows of the page, or no longer."""
        shown = [row.id for row in self.rows]
        # Where all were selected, the others of the page stay so.
        before = shown if self.all_selected else self.selected
        self.all_selected = False
        changed = {id for id in ids if id in shown}
        kept = [id for id in before if id not in changed]
        self.selected = kept + [id for id in shown if is_on and id in changed]
        if len(self.selected) <= MAX_SELECTED:
            return None
        self.selected = kept
        self.selection_refusals += 1
        return toasts.warning(
            f"At most {MAX_SELECTED:,} products can be selected one by one.", "Select all that match."
        )

    @rx.event
    def select_all(self) -> None:
        """Select all products that match."""
        self.all_selected, self.selected = True, []

    @rx.event
    def clear_selection(self) -> None:
        """Select nothing."""
        self._clear_selection()

    def _clear_selection(self) -> None:
        self.all_selected, self.selected = False, []
