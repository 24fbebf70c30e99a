"""The rows of the grid of products, and the edits of their cells: saved, refused, taken back, in conflict."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import reflex as rx
from reflex.event import EventSpec, EventType

from product_importer.catalog import service
from product_importer.catalog.pages import cell_conflicts, cell_edits, refreshing
from product_importer.catalog.pages.cell_conflicts import ConflictView, RowConflict
from product_importer.catalog.pages.cell_edits import Edited, RowEdit, row_edits
from product_importer.catalog.pages.grid_view import ATTRIBUTE, attribute_names, grid_columns, grid_row, values
from product_importer.catalog.pages.view_models import error_text, switched_text
from product_importer.catalog.schemas import ProductRead, ProductUpdate
from product_importer.core.errors import DomainError, Unavailable
from product_importer.ui import toasts
from product_importer.ui.grid.component import CellEdit, CellName, LayoutChange
from product_importer.ui.grid.values import FullTexts, GridColumn, GridRow
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask

# So many pastes can be undone.
MAX_UNDO = 20
# What a browser may say about its columns, in characters.
MAX_LAYOUT = 20_000


class CellsState(rx.State, mixin=True):
    """A mixin for the state of the list."""

    columns: list[GridColumn] = []  # noqa: RUF012 - Reflex copies it for each tab
    rows: list[GridRow] = []  # noqa: RUF012
    # Rows in a newer form than in `rows`, by their ids.
    changed: dict[str, GridRow] = {}  # noqa: RUF012
    full: FullTexts = FullTexts()
    conflicts: list[ConflictView] = []  # noqa: RUF012
    # For screen readers: what the last edit has done.
    said: str = ""
    _versions: dict[str, int] = {}  # noqa: RUF012
    # The stamps with which rows began to show what others wrote.
    _foreign: dict[str, int] = {}  # noqa: RUF012
    _names: list[str] = []  # noqa: RUF012
    _layout: LayoutChange | None = None
    _stamp: int = 0
    _conflicting: dict[UUID, RowConflict] = {}  # noqa: RUF012
    # What undoes the last edits, with their numbers.
    _undo: list[tuple[int, list[RowEdit]]] = []  # noqa: RUF012
    _edits: int = 0

    # These are no background events: a tab's edits are saved in the order in which they were made, each with the
    # version that the one before has left.
    @rx.event
    async def edit_cells(self, edits: list[CellEdit], beyond: int, locked: int = 0) -> list[EventType[()]] | None:
        """Save edits of cells; so many pasted cells were `beyond` the page, or `locked`: they cannot be edited."""
        try:
            return await self._save(row_edits(edits, self._versions, self._foreign), _places(beyond, locked))
        except DomainError as error:
            return self._take_back(error)

    @rx.event
    async def switch_product(self, product_id: str, active: bool) -> list[EventType[()]] | None:
        """Make a product active or inactive."""
        try:
            id = parse_id(product_id, "product")
            saved = await ask(service.update_product, id, ProductUpdate(active=active))
        except DomainError as error:
            return self._take_back(error)
        self._take_switched(saved)
        return [toasts.undoable(switched_text(saved), type(self).switch_back(str(saved.id), not active))]

    @rx.event
    async def switch_back(self, product_id: str, active: bool) -> list[EventType[()]] | None:
        """Undo a switch, also where the product is not listed any more."""
        try:
            id = parse_id(product_id, "product")
            saved = await ask(service.update_product, id, ProductUpdate(active=active))
        except DomainError as error:
            return [_not_undone(error, type(self).switch_back(product_id, active))]
        self._take_switched(saved)
        return [toasts.success(switched_text(saved, again=True)), *refreshing.what_is_shown(self)]

    @rx.event
    async def undo_edits(self, number: int) -> list[EventType[()]] | None:
        """Write the values that edits have replaced; those of the last edits for 0."""
        found = next((one for one in reversed(self._undo) if number in (0, one[0])), None)
        if found is None:
            return [toasts.info("There is nothing to undo.")]
        try:
            said = await self._save(found[1], is_undo=True)
        except DomainError as error:
            return [_not_undone(error, type(self).undo_edits(found[0]))]
        self._undo = [one for one in self._undo if one[0] != found[0]]
        return said

    @rx.event
    async def save_mine(self) -> list[EventType[()]] | None:
        """Write what was typed over what somebody else has written meanwhile."""
        try:
            return await self._save([one.edit for one in self._conflicting.values()])
        except DomainError as error:
            return self._take_back(error)

    @rx.event
    def drop_mine(self) -> None:
        """Keep what somebody else has written."""
        self.conflicts, self._conflicting = [], {}

    @rx.event(background=True)
    async def load_cells(self, cells: list[CellName], number: int) -> EventType[()] | None:
        """Send the whole texts of cells."""
        texts: dict[str, dict[str, str]] = {}
        error = ""
        try:
            texts = await ask(cell_edits.read_texts, cells)
        except DomainError as raised:
            error = error_text(raised)
        async with self:
            self.full = FullTexts(number, texts)
        return [toasts.error("The text cannot be shown.", description=error)] if error else None

    async def _save(
        self, edits: Sequence[RowEdit], places: str = "", *, is_undo: bool = False
    ) -> list[EventType[()]] | None:
        done = await ask(cell_edits.save, edits)
        self._show_edits(done)
        self._take_written({one.edit.id: one.written() for one in done if one.before})
        self._show_conflicts(done)
        number = 0 if is_undo else self._remember(done)
        return _toasts(done, places, type(self).undo_edits(number) if number else None, is_undo=is_undo)

    def _take_switched(self, saved: ProductRead) -> None:
        """Take note of a switch; show it, if the product is on the page."""
        done = Edited(RowEdit(saved.id, {"active": values(saved)["active"]}), saved)
        if str(saved.id) in self._shown():
            self._show_edits([done])
        self._take_written({saved.id: done.edit.cells})
        self._show_conflicts([done])

    def _take_written(self, written: Mapping[UUID, dict[str, str]]) -> None:
        """Let undos expect in cells what this tab itself has written there since."""
        self._undo = [
            (number, [edit.expecting(written.get(edit.id, {})) for edit in edits]) for number, edits in self._undo
        ]

    def _show_conflicts(self, done: Sequence[Edited]) -> None:
        """Show the conflicts after edits."""
        self._conflicting = cell_conflicts.merge(self._conflicting, done)
        self.conflicts = [view for one in self._conflicting.values() for view in one.views()]

    def _remember(self, done: Sequence[Edited]) -> int:
        """Keep what undoes these edits, and return its number; 0 where nothing was saved."""
        undo = [RowEdit(one.edit.id, one.before, expected=one.written()) for one in done if one.before]
        if not undo:
            return 0
        self._edits += 1
        self._undo = [*self._undo, (self._edits, undo)][-MAX_UNDO:]
        return self._edits

    def _show_page(self, products: Sequence[ProductRead]) -> None:
        """Show other products."""
        self._stamp += 1
        chosen = self._chosen_attributes()
        self._names = attribute_names(products, chosen)
        columns = grid_columns(self._names, chosen)
        if columns != self.columns:
            self.columns = columns
        self.rows = [grid_row(product, self._names, self._stamp) for product in products]
        self._versions = {str(product.id): product.version for product in products}
        self.changed, self._foreign = {}, {}

    def _show_edits(self, done: Sequence[Edited]) -> None:
        """Show what edits have made of their rows."""
        self._stamp += 1
        changed = {str(one.edit.id): self._row(one) for one in done}
        self.changed = self.changed | {id: row for id, row in changed.items() if row}
        for one in done:
            if one.product:
                self._versions[str(one.product.id)] = one.product.version
        refused = sum(len(one.refused) for one in done)
        self.said = f"{refused:,} cells not saved" if refused else "Saved" if done else "Nothing saved"

    def _show_changes(self, changed: Sequence[ProductRead]) -> None:
        """Show what others have made of products on the page."""
        self._stamp += 1
        rows = {str(product.id): grid_row(product, self._names, self._stamp) for product in changed}
        self.changed = self.changed | rows
        self._foreign = self._foreign | dict.fromkeys(rows, self._stamp)

    def _show_gone(self, ids: Collection[str]) -> None:
        """Mark the rows that others have deleted, and no longer those that are back."""
        self._stamp += 1
        rows = ((id, row, id in ids) for id, row in self._shown().items())
        marked = {id: replace(row, gone=gone, stamp=self._stamp) for id, row, gone in rows if row.gone != gone}
        self.changed = self.changed | marked

    def _row(self, one: Edited) -> GridRow | None:
        if one.product:
            return grid_row(one.product, self._names, self._stamp, one.refused)
        shown = self._shown().get(str(one.edit.id))
        return replace(shown, problems=one.refused, stamp=self._stamp) if shown else None

    def _shown(self) -> dict[str, GridRow]:
        return {row.id: row for row in self.rows} | self.changed

    def _take_back(self, error: DomainError) -> list[EventType[()]]:
        """Show the rows without what was typed, and say why it was not saved."""
        self._stamp += 1
        self.changed = {id: replace(row, stamp=self._stamp) for id, row in self._shown().items()}
        return [toasts.error("The change was not saved.", description=error_text(error))]

    def _chosen_attributes(self) -> list[str]:
        """Return the attributes that were chosen as columns in this browser."""
        shown = self._layout["shown"] if self._layout else []
        return [key[len(ATTRIBUTE) :] for key in shown if key.startswith(ATTRIBUTE)]


def _not_undone(error: DomainError, again: EventSpec) -> EventSpec:
    """Say why nothing was undone; trying `again` may help after an outage."""
    may_help = isinstance(error, Unavailable)
    return toasts.error("The change was not undone.", error_text(error), again if may_help else None)


def _toasts(
    done: Sequence[Edited], places: str, undo: EventSpec | None, *, is_undo: bool
) -> list[EventType[()]] | None:
    """Return the messages about edits; none about a single cell that was saved.

    `places` says which pasted cells had none.
    """
    saved = sum(len(one.before) for one in done)
    reasons = [reason for one in done for reason in one.refused.values()]
    if is_undo and not reasons:
        return [toasts.success(f"Undone: {_cells(saved)}.")]
    if not reasons and saved < 2 and not places:
        return None
    counts = [f"{_cells(saved)} saved", *([f"{len(reasons):,} refused"] if reasons else [])]
    title = ", ".join(counts) if saved or len(reasons) > 1 else "The change was not saved"
    description = " ".join([*dict.fromkeys(reasons)][:3] + [places] * bool(places))
    show = toasts.error if reasons and not saved else toasts.warning if reasons or places else toasts.success
    return [show(f"{title}.", description=description, undo=undo)]


def _places(beyond: int, locked: int) -> str:
    """Say which pasted cells could not be filled."""
    counts = [(locked, "cannot be edited."), (beyond, "had no place on this page.")]
    return " ".join(f"{_cells(count)} {what}" for count, what in counts if count > 0)


def _cells(count: int) -> str:
    return f"{count:,} cell{'' if count == 1 else 's'}"
