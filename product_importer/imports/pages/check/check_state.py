"""The state of the grid of rows on an import's page: what it shows, and the edits of its rows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError
from product_importer.imports.edits import checking, fixing
from product_importer.imports.edits.check_schemas import CheckPage, CheckQuery, CheckSummary, RowsMoved
from product_importer.imports.edits.schemas import RowsEdit
from product_importer.imports.pages.check import words
from product_importer.imports.pages.check.edits import action_edit, cells_edit, reason_edit, said
from product_importer.imports.pages.check.filter_view import EDITED, FilterView, ReasonView, filters, reasons
from product_importer.imports.pages.check.row_view import grid_columns, grid_row
from product_importer.imports.pages.error_view import ErrorView
from product_importer.ui.grid.component import CellEdit
from product_importer.ui.grid.values import GridColumn, GridRow
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask

PAGE_SIZE = 100
NOTHING_FIXED = ErrorView("No row is fixed yet", "Fix at least one of the rows below, then import them.")


class CheckState(rx.State):
    """One browser tab's view of the rows of a dry run, or of the rejected rows of an import."""

    columns: list[GridColumn] = []  # noqa: RUF012 - Reflex copies it for each tab
    rows: list[GridRow] = []  # noqa: RUF012
    # Rows in a newer form than in `rows`, by their ids.
    changed: dict[str, GridRow] = {}  # noqa: RUF012
    filters: list[FilterView] = []  # noqa: RUF012
    reasons: list[ReasonView] = []  # noqa: RUF012
    chosen: str = ""
    list_page: int = 1
    pages: int = 1
    loaded: bool = False
    error: str = ""
    refusal: ErrorView = ErrorView()
    # For screen readers: what the last edit has done.
    said: str = ""
    import_words: str = ""
    fix_words: str = ""
    is_busy: bool = False
    # The import that has imported the corrected rows, or does.
    linked: str = ""
    _import_id: str = ""
    _names: list[str] = []  # noqa: RUF012
    _stamp: int = 0
    _has_rows: bool = False
    _summary: CheckSummary | None = None
    # How often the rows were counted, and how many edits were shown.
    _counts: int = 0
    _edits: int = 0

    @rx.event
    def open_check(self, import_id: str) -> list[EventType[()]]:
        """Show the rows of this import."""
        self.reset()
        self._import_id = import_id
        return [CheckState.load_rows, CheckState.load_summary]

    @rx.event
    def filter_rows(self, name: str) -> EventType[()]:
        """Show the rows of one state, or the edited ones; all if the filter was chosen already."""
        known = (*words.FILTERS, EDITED)
        self.chosen, self.list_page = name if name in known and name != self.chosen else "", 1
        return CheckState.load_rows

    @rx.event
    def turn_rows(self, to: int) -> EventType[()]:
        """Show the page number `to`."""
        self.list_page = min(max(1, to), self.pages)
        return CheckState.load_rows

    @rx.event(background=True, supersedes=True)
    async def load_rows(self) -> None:
        """Load the rows that are chosen; a newer request supersedes one that still runs."""
        requested = self._import_id, self.chosen, self.list_page
        import_id, chosen, page = requested
        is_state = bool(chosen) and chosen != EDITED
        query = CheckQuery.model_validate(
            {"state": chosen if is_state else None, "edited": chosen == EDITED, "page": page, "page_size": PAGE_SIZE}
        )
        try:
            found = await ask(checking.list_rows, parse_id(import_id, "import"), query)
        except DomainError as error:
            async with self:
                self.error, self._has_rows = error.detail, False
            return
        async with self:
            if requested == (self._import_id, self.chosen, self.list_page):
                self._show_rows(found)

    @rx.event(background=True, supersedes=True)
    async def load_summary(self) -> None:
        """Count the rows as they are now; again if an edit was shown meanwhile, which the count may lack."""
        while True:
            async with self:
                import_id, edits = self._import_id, self._edits
            try:
                summary = await ask(checking.summarize, parse_id(import_id, "import"))
                linked = await ask(fixing.find_linked, parse_id(import_id, "import"))
            except DomainError as error:
                async with self:
                    self.error = error.detail
                return
            async with self:
                if import_id != self._import_id:
                    return
                if edits == self._edits:
                    self._counts += 1
                    self._show_summary(summary)
                    self.linked = str(linked or "")
                    return

    @rx.event(background=True)
    async def edit_cells(self, edits: list[CellEdit]) -> EventType[()] | None:
        """Edit cells, and show what their rows are now."""
        return await self._edit(lambda: cells_edit(edits, self._names))

    @rx.event(background=True)
    async def act_on_row(self, row: str, action: str) -> EventType[()] | None:
        """Take the edits of a row back, leave it out, or take it in again."""
        shown = self.changed.get(row) or next((one for one in self.rows if one.id == row), None)
        return await self._edit(lambda: action_edit(shown, action, self._names)) if shown else None

    @rx.event(background=True)
    async def set_all(self, form: dict[str, Any]) -> EventType[()] | None:
        """Set one value in all rows that have a problem."""
        return await self._edit_reason(str(form.get("code", "")), str(form.get("value", "")))

    @rx.event(background=True)
    async def skip_all(self, code: str) -> EventType[()] | None:
        """Leave out all rows that have a problem."""
        return await self._edit_reason(code, None)

    @rx.event(background=True)
    async def fix_import(self) -> EventType[()] | None:
        """Import the corrected rows as an import of its own, and go to it."""
        async with self:
            if self.is_busy:
                return None
            self.is_busy, self.refusal, import_id, summary = True, ErrorView(), self._import_id, self._summary
        try:
            # A click may come before the rows are counted.
            summary = summary or await ask(checking.summarize, parse_id(import_id, "import"))
            job = await ask(fixing.fix_import, parse_id(import_id, "import")) if summary.good else None
        except DomainError as error:
            async with self:
                self.is_busy, self.refusal = False, ErrorView.of(error)
            return None
        if job is None:
            async with self:
                self.is_busy, self.refusal = False, NOTHING_FIXED
            return None
        async with self:
            self.is_busy = False
        return rx.redirect(f"/imports/{job.id}")

    async def _edit_reason(self, code: str, value: str | None) -> EventType[()] | None:
        columns = {reason.code: reason.column for reason in self.reasons}
        return await self._edit(lambda: reason_edit(code, columns, value))

    async def _edit(self, requested: Callable[[], RowsEdit]) -> EventType[()] | None:
        """Store an edit and show what has become of the rows; a refusal stays on the page."""
        import_id, counts, shown = self._import_id, self._counts, [int(row.id) for row in self.rows]
        try:
            edit = requested()
            # An edit by reason may be of any row that is shown.
            lines = [row.line for row in edit.rows] or shown
            moved = await ask(checking.edit_and_list, parse_id(import_id, "import"), edit, lines)
        except DomainError as error:
            async with self:
                self._take_back(error)
            return None
        async with self:
            if import_id != self._import_id:
                return None
            self._show_changed(moved)
            self._edits += 1
            is_counted = counts != self._counts
        # How many rows an edit by reason has changed is not known here; a count meanwhile may have this edit already.
        return CheckState.load_summary if edit.reasons or is_counted else None

    def _show_rows(self, found: CheckPage) -> None:
        self._stamp += 1
        self._names = list(found.items[0].cells) if found.items else self._names
        self.columns = grid_columns(self._names)
        self.rows = [grid_row(row, self._names, self._stamp) for row in found.items]
        self.changed = {}
        self.pages, self._has_rows = found.pages, True
        self._show_once_complete()

    def _show_summary(self, summary: CheckSummary) -> None:
        self._summary = summary
        self.filters, self.reasons = filters(summary, self.chosen), reasons(summary)
        self.import_words, self.fix_words = words.import_words(summary), words.fix_words(summary)
        self._show_once_complete()

    def _show_once_complete(self) -> None:
        """Show the rows once what stands above them is known, too: they would be pushed down by it."""
        self.loaded = self._has_rows and self._summary is not None
        if self.loaded:
            self.error = ""

    def _show_changed(self, moved: RowsMoved) -> None:
        self._stamp += 1
        rows = [grid_row(row, self._names, self._stamp) for row in moved.now]
        if self._summary is not None:
            self._show_summary(self._summary.after(*moved))
        self.changed = {**self.changed, **{row.id: row for row in rows}}
        self.refusal, self.said = ErrorView(), said(rows)

    def _take_back(self, error: DomainError) -> None:
        """Show the rows without what was typed."""
        self._stamp += 1
        shown = {row.id: row for row in self.rows} | self.changed
        self.changed = {name: replace(row, stamp=self._stamp) for name, row in shown.items()}
        self.refusal = ErrorView.of(error)
