"""The state of the dialog that undoes an import, and of the list of products that the undo kept."""

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError
from product_importer.imports import service
from product_importer.imports.pages.import_state import ImportState
from product_importer.imports.pages.kept_view import KeptView
from product_importer.imports.schemas import PageQuery
from product_importer.ui.confirmation import ConfirmationState
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask

PAGE_SIZE = 20


class UndoState(ConfirmationState, rx.State):
    """The import that one browser tab is about to undo, and the products that its undo kept."""

    kept: list[KeptView] = []  # noqa: RUF012 - Reflex copies it for each tab
    kept_page: int = 1
    kept_pages: int = 1
    kept_error: str = ""
    _import_id: str = ""

    @rx.event
    def open_dialog(self, import_id: str) -> None:
        """Open the dialog for one import."""
        self._import_id = import_id
        self._open()

    @rx.event(background=True)
    async def undo_import(self) -> EventType[()] | None:
        """Undo the import, then follow it."""
        undone = await self._confirm(lambda: ask(service.undo_import, parse_id(self._import_id, "import")))
        return ImportState.follow_import if undone else None

    @rx.event
    def open_kept(self, import_id: str) -> EventType[()]:
        """Show the first page of the products that the undo kept."""
        self._import_id, self.kept, self.kept_page, self.kept_pages, self.kept_error = import_id, [], 1, 1, ""
        return UndoState.load_kept

    @rx.event
    def turn_kept(self, by: int) -> EventType[()]:
        """Turn the pages of that list."""
        self.kept_page = min(max(1, self.kept_page + by), self.kept_pages)
        return UndoState.load_kept

    @rx.event(background=True, supersedes=True)
    async def load_kept(self) -> None:
        """Load the page that is shown."""
        import_id, page = self._import_id, self.kept_page
        try:
            query = PageQuery(page=page, page_size=PAGE_SIZE)
            found = await ask(service.list_undo_kept, parse_id(import_id, "import"), query)
        except DomainError as error:
            async with self:
                self.kept_error = error.detail
            return
        async with self:
            if (self._import_id, self.kept_page) == (import_id, page):
                self.kept, self.kept_pages = [KeptView.of(kept) for kept in found.items], found.pages
                self.kept_error = ""
