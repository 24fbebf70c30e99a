"""Taking an import back: the question before it, and what was kept in spite of it."""

from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError
from product_importer.imports import service
from product_importer.imports.pages.change_view_models import KeptView
from product_importer.imports.pages.import_state import ImportState
from product_importer.imports.schemas import PageQuery
from product_importer.ui.services import ask

PAGE_SIZE = 20


class UndoState(rx.State):
    """What one browser tab is about to take back, and what it has."""

    is_open: bool = False
    is_undoing: bool = False
    refusal: str = ""
    kept: list[KeptView] = []  # noqa: RUF012 - Reflex copies it for each tab
    kept_page: int = 1
    kept_pages: int = 1
    problem: str = ""
    _import_id: str = ""

    @rx.event
    def ask_before_undoing(self, import_id: str) -> None:
        """Open the question."""
        self._import_id, self.is_open, self.is_undoing, self.refusal = import_id, True, False, ""

    @rx.event
    def keep_import(self) -> None:
        """Close the question."""
        self.is_open = False

    @rx.event(background=True)
    async def undo_import(self) -> EventType[()] | None:
        """Remove what the import created, and give back what it overwrote."""
        async with self:
            if self.is_undoing:
                return None
            self.is_undoing, self.refusal, import_id = True, "", self._import_id
        try:
            await ask(service.undo_import, UUID(import_id))
        except DomainError as error:
            async with self:
                self.is_undoing, self.refusal = False, error.detail
            return None
        async with self:
            self.is_open = self.is_undoing = False
        return ImportState.follow_import

    @rx.event
    def open_kept(self, import_id: str) -> EventType[()]:
        """Show the products that were kept as they were."""
        self._import_id, self.kept, self.kept_page, self.kept_pages, self.problem = import_id, [], 1, 1, ""
        return UndoState.load_kept

    @rx.event
    def turn_kept(self, by: int) -> EventType[()]:
        """Show more of them."""
        self.kept_page = min(max(1, self.kept_page + by), self.kept_pages)
        return UndoState.load_kept

    @rx.event(background=True, supersedes=True)
    async def load_kept(self) -> None:
        """Ask for them."""
        asked = self._import_id, self.kept_page
        try:
            query = PageQuery(page=self.kept_page, page_size=PAGE_SIZE)
            found = await ask(service.list_undo_kept, UUID(self._import_id), query)
        except DomainError as error:
            async with self:
                self.problem = error.detail
            return
        async with self:
            if (self._import_id, self.kept_page) == asked:
                self.kept, self.kept_pages = [KeptView.of(one) for one in found.items], found.pages
                self.problem = ""
