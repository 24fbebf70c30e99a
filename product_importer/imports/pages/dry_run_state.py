"""What a trial has found: the products that an import would create or change, and how."""

from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError
from product_importer.imports import service
from product_importer.imports.error_codes import ChangeOutcome
from product_importer.imports.pages.change_view_models import ChangeView
from product_importer.imports.pages.view_models import counted
from product_importer.imports.schemas import ChangesPage, ChangesQuery
from product_importer.ui.services import ask

PAGE_SIZE = 25
OUTCOMES = tuple(ChangeOutcome)


class DryRunState(rx.State):
    """One browser tab's view of what a trial has found."""

    changes: list[ChangeView] = []  # noqa: RUF012 - Reflex copies it for each tab
    outcome: str = ""
    list_page: int = 1
    pages: int = 1
    total: str = ""
    loaded: bool = False
    loading: bool = False
    problem: str = ""
    _import_id: str = ""

    @rx.event
    def open_changes(self, import_id: str) -> EventType[()]:
        """Show what the trial of this import has found."""
        self._import_id, self.changes, self.outcome, self.list_page, self.pages = import_id, [], "", 1, 1
        self.loaded, self.problem = False, ""
        return self._load()

    @rx.event
    def filter_outcome(self, outcome: str) -> EventType[()]:
        """Show only what would be created, or only what would be updated; all of it where it is empty."""
        self.outcome, self.list_page = outcome if outcome in OUTCOMES else "", 1
        return self._load()

    @rx.event
    def turn_changes(self, to: int) -> EventType[()]:
        """Show the page of this number."""
        self.list_page = min(max(1, to), self.pages)
        return self._load()

    @rx.event(background=True, supersedes=True)
    async def load_changes(self) -> None:
        """Ask for the changes; a newer question takes the place of one that still runs."""
        asked = self._asked()
        import_id, outcome, page = asked
        query = ChangesQuery.model_validate({"outcome": outcome or None, "page": page, "page_size": PAGE_SIZE})
        found: ChangesPage | DomainError
        try:
            found = await ask(service.list_changes, UUID(import_id), query)
        except DomainError as error:
            found = error
        async with self:
            # Where something else is asked for by now, its answer is on the way.
            if self._asked() == asked:
                self._take(found)

    def _load(self) -> EventType[()]:
        self.loading = True
        return DryRunState.load_changes

    def _asked(self) -> tuple[str, str, int]:
        return self._import_id, self.outcome, self.list_page

    def _take(self, found: ChangesPage | DomainError) -> None:
        self.loading = False
        if isinstance(found, DomainError):
            self.problem = found.detail
            return
        self.changes = [ChangeView.of(change) for change in found.items]
        self.pages, self.total, self.loaded, self.problem = found.pages, counted(found.total, "product"), True, ""
