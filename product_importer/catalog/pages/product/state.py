"""The state of the page of one product."""

from collections.abc import Sequence
from dataclasses import replace

import reflex as rx
from reflex.event import EventType

from product_importer.catalog import service
from product_importer.catalog.history import reading
from product_importer.catalog.pages import refreshing
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.product.view_models import EntryView, ProductDetails, entries_of
from product_importer.catalog.pages.view_models import error_text, switched_text
from product_importer.catalog.schemas import ProductUpdate
from product_importer.core.errors import DomainError, NotFound, Stale
from product_importer.ui import routes, theme, toasts
from product_importer.ui.ids import id_in_path, parse_id
from product_importer.ui.live import count_news
from product_importer.ui.services import ask

PAGE_SIZE = 20


class ProductState(rx.State):
    """One browser tab's view of one product."""

    product: ProductDetails = ProductDetails()
    missing: bool = False
    # Whether somebody has deleted it since it was shown.
    is_gone: bool = False
    load_error: str = ""
    is_switching: bool = False
    _shown: str = ""

    @rx.var
    def title(self) -> str:
        """The tab's title."""
        return theme.title(self.product.name or "Product")

    @rx.event
    def open_product(self) -> list[EventType[()]]:
        """Show the product that the address names."""
        shown = id_in_path(self.router.url.path)
        if shown != self._shown:
            self.product = ProductDetails()
        self._shown, self.missing, self.load_error = shown, False, ""
        self.is_gone = self.is_switching = False
        return [ProductState.load_product, ProductHistoryState.open_history(shown)]

    @rx.event
    def reload(self) -> list[EventType[()]]:
        """Load all that the page shows again."""
        return refreshing.what_is_shown(self)

    @rx.event(background=True, supersedes=True)
    async def load_product(self) -> None:
        """Load the product."""
        shown = self._shown
        try:
            product = await ask(service.read_product, parse_id(shown, "product"))
        except DomainError as error:
            async with self:
                self._fail(shown, error)
            return
        async with self:
            if self._shown == shown:
                self._take(ProductDetails.of(product))

    @rx.event(background=True)
    async def switch_product(self) -> list[EventType[()]] | None:
        """Make the product active or inactive: show it at once, and undo that if it cannot be saved."""
        async with self:
            if self.is_switching or not self.product.id:
                return None
            shown, version, active = self.product.id, self.product.version, not self.product.active
            self.is_switching, self.product = True, replace(self.product, active=active)
        given = ProductUpdate(active=active)
        try:
            # Where somebody else has switched it, nothing would change, and the undo would be that of their change.
            saved = await ask(service.update_product, parse_id(shown, "product"), given, version)
        except DomainError as error:
            async with self:
                self.is_switching, self.product = False, replace(self.product, active=not active)
            now = refreshing.what_is_shown(self) if isinstance(error, Stale) else []
            return [toasts.error("The change was not saved.", description=error_text(error)), *now]
        async with self:
            self.is_switching = False
            if self.product.id == shown:
                self.product = ProductDetails.of(saved)
        undo = CatalogState.switch_back(str(saved.id), not active)
        return [toasts.undoable(switched_text(saved), undo), *refreshing.what_is_shown(self)]

    def _is_settled(self, path: str) -> bool:
        """Return whether the page at `path` shows its product, that it is missing, or why it cannot be shown."""
        is_here = self._shown == id_in_path(path)
        return is_here and bool(self.product.id or self.missing or self.load_error)

    def _see(self, product: ProductDetails | None) -> None:
        """Show the product as it is now; a deleted one stays, marked as such."""
        if product is None:
            self.is_gone = True
        else:
            self._take(product)

    def _take(self, product: ProductDetails) -> None:
        self.product, self.missing, self.is_gone, self.load_error = product, False, False, ""

    def _fail(self, shown: str, error: DomainError) -> None:
        if self._shown == shown and isinstance(error, NotFound):
            self.product, self.missing, self.is_gone = ProductDetails(), True, False
        elif self._shown == shown:
            self.load_error = error.detail


class ProductHistoryState(rx.State):
    """What one browser tab shows of a product's history, newest first."""

    entries: list[EntryView] = []  # noqa: RUF012 - Reflex copies it for each tab
    loaded: bool = False
    has_more: bool = False
    is_loading: bool = False
    load_error: str = ""
    # How many changes are not shown yet.
    news: int = 0
    _product: str = ""
    _pages: int = 1

    @rx.event
    def open_history(self, product_id: str) -> EventType[()]:
        """Show the newest changes of a product; as many as before, if it is the same product."""
        if product_id != self._product:
            self.entries, self.loaded, self.has_more, self._pages = [], False, False, 1
        self._product, self.load_error, self.news = product_id, "", 0
        return ProductHistoryState.load_history

    @rx.event
    def show_more(self) -> EventType[()] | None:
        """Show earlier changes, too."""
        if self.is_loading or not self.has_more:
            return None
        self._pages, self.is_loading = self._pages + 1, True
        return ProductHistoryState.load_history

    @rx.event(background=True, supersedes=True)
    async def load_history(self) -> None:
        """Load what is shown of the history."""
        shown, most = self._product, self._most()
        try:
            entries, total = await ask(reading.list_newest, parse_id(shown, "product"), most)
        except NotFound:
            entries, total = [], 0
        except DomainError as error:
            async with self:
                self.load_error, self.is_loading = error.detail, False
            return
        async with self:
            if self._product == shown:
                self.entries, self.has_more = entries_of(entries), total > len(entries)
                self.loaded, self.is_loading, self.load_error, self.news = True, False, "", 0

    def _most(self) -> int:
        """Return how many changes are shown at most."""
        return self._pages * PAGE_SIZE

    def _see(self, newest: Sequence[EntryView]) -> None:
        """Count the changes that are new, without moving those that are read."""
        self.news = count_news([entry.key for entry in self.entries], [entry.key for entry in newest], 0)


refreshing.HANDLERS[routes.PRODUCT] = [ProductState.load_product, ProductHistoryState.load_history]
