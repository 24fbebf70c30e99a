"""State of a dry run's changes: the current page, its filter, and errors."""

from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError
from product_importer.imports import dry_runs
from product_importer.imports.error_codes import ChangeOutcome
from product_importer.imports.pages.change_view_models import ChangeView
from product_importer.imports.pages.result_words import counted
from product_importer.imports.schemas import ChangesPage, ChangesQuery
from product_importer.ui.services import ask

PAGE_SIZE = 25
OUTCOMES = tuple(ChangeOutcome)


class DryRunState(rx.State):
    """One browser tab's view of a dry run's changes."""

    changes: list[ChangeView] = []  # noqa: RUF012 - Reflex copies it for each tab
    outcome: str = ""
    list_page: int = 1
    pages: int = 1
    total: str = ""
    loaded: bool = False
    loading: bool = False
    error: str = ""
    _import_id: str = ""

    @rx.event
    def open_changes(self, import_id: str) -> EventType[()]:
        """Show the changes of this import's dry run."""
        self._import_id, self.changes, self.outcome, self.list_page, self.pages = import_id, [], "", 1, 1
        self.loaded, self.error = False, ""
        return self._load()

    @rx.event
    def filter_outcome(self, outcome: str) -> EventType[()]:
        """Show only products to create, or only those to update; all where `outcome` is empty."""
        self.outcome, self.list_page = outcome if outcome in OUTCOMES else "", 1
        return self._load()

    @rx.event
    def turn_changes(self, to: int) -> EventType[()]:
        """Show the page number `to`."""
        self.list_page = min(max(1, to), self.pages)
        return self._load()

    @rx.event(background=True, supersedes=True)
    async def load_changes(self) -> None:
        """Load the changes; a newer request supersedes one that still runs."""
        requested = self._requested()
        import_id, outcome, page = requested
        query = ChangesQuery.model_validate({"outcome": outcome or None, "page": page, "page_size": PAGE_SIZE})
        found: ChangesPage | DomainError
        try:
            found = await ask(dry_runs.list_changes, UUID(import_id), query)
        except DomainError as error:
            found = error
        async with self:
            # If the request has changed meanwhile, a newer answer is on its way.
            if self._requested() == requested:
                self._show(found)

    def _load(self) -> EventType[()]:
        self.loading = True
        return DryRunState.load_changes

    def _requested(self) -> tuple[str, str, int]:
        return self._import_id, self.outcome, self.list_page

    def _show(self, found: ChangesPage | DomainError) -> None:
        self.loading = False
        if isinstance(found, DomainError):
            self.error = found.detail
            return
        self.changes = [ChangeView.of(change) for change in found.items]
        self.pages, self.total, self.loaded, self.error = found.pages, counted(found.total, "product"), True, ""
