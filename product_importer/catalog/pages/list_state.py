"""The state of the list of products."""

from dataclasses import replace
from uuid import UUID

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventSpec, EventType

from product_importer.catalog import export, service
from product_importer.catalog.export_query import ExportFormat
from product_importer.catalog.pages.view_models import (
    FILTERS,
    PAGE_SIZES,
    ProductListing,
    ProductView,
    error_text,
)
from product_importer.catalog.schemas import ProductPage, ProductUpdate
from product_importer.core.errors import DomainError, Unavailable
from product_importer.ui import toasts
from product_importer.ui.address_list import AddressListState, replace_address
from product_importer.ui.formatting import DASH
from product_importer.ui.services import ask, ask_page


class CatalogState(AddressListState, rx.State):
    """One browser tab's view of the products."""

    listing: ProductListing = ProductListing()
    products: list[ProductView] = []  # noqa: RUF012 - Reflex copies it for each tab
    total: str = DASH
    total_is_exact: bool = True
    pages: int = 1
    has_next: bool = False
    # After an outage, trying again may help.
    is_outage: bool = False

    @rx.var
    def is_filtered(self) -> bool:
        """Whether any filter narrows the list."""
        return self.listing.is_filtered()

    @rx.var
    def is_empty(self) -> bool:
        """Whether there are no products at all."""
        is_settled = self.loaded and not self.loading
        return is_settled and not self.products and self.listing.page == 1 and not self.listing.is_filtered()

    @rx.var
    def export_address(self) -> str:
        """The address of the listed products as a file; the format is to be added."""
        return self.listing.export_address()

    @rx.event
    def open_products(self) -> list[EventType[()]] | None:
        """Show the products that the address names: when the page opens, and on going back and forth."""
        parameters = self._new_parameters()
        if parameters is None:
            return None
        self._fill(ProductListing.from_address(parameters))
        self._typing, self.loading = "", True
        return [CatalogState.load_products]

    @rx.event
    def filter_sku(self, value: str) -> list[EventType[()]]:
        """Filter by a part of the SKU."""
        return self._filter("sku", value)

    @rx.event
    def filter_name(self, value: str) -> list[EventType[()]]:
        """Filter by a part of the name."""
        return self._filter("name", value)

    @rx.event
    def filter_description(self, value: str) -> list[EventType[()]]:
        """Filter by a part of the description."""
        return self._filter("description", value)

    @rx.event
    def filter_active(self, value: str) -> list[EventType[()]]:
        """Show active products, inactive ones, or both."""
        return self._list(replace(self.listing, page=1, active=value))

    @rx.event
    def clear_filters(self) -> list[EventType[()]]:
        """Show all products again."""
        self._fill(replace(self.listing, page=1, **dict.fromkeys(FILTERS, "")))
        return self._list(self.listing)

    @rx.event
    def sort_by_column(self, column: str) -> list[EventType[()]]:
        """Sort by a column; in reverse if the list is sorted by it already."""
        return self._list(replace(self.listing, page=1, sort=f"-{column}" if self.listing.sort == column else column))

    @rx.event
    def sort_products(self, sort: str) -> list[EventType[()]]:
        """Sort by a value of `sort`, such as `-name`."""
        return self._list(replace(self.listing, page=1, sort=sort))

    @rx.event
    def set_page_size(self, size: str) -> list[EventType[()]] | None:
        """Show more or fewer products at a time; the first one stays on the page."""
        if size not in map(str, PAGE_SIZES):
            return None
        first = (self.listing.page - 1) * self.listing.page_size
        return self._list(replace(self.listing, page=first // int(size) + 1, page_size=int(size)))

    @rx.event
    def turn_page(self, to: int) -> list[EventType[()]]:
        """Show the page of this number."""
        return self._list(replace(self.listing, page=max(1, to)))

    @rx.event(background=True, supersedes=True)
    async def load_products(self) -> EventSpec | None:
        """Load the listed products; a newer call replaces one that still runs."""
        listing = self.listing
        found: ProductPage | DomainError | ValidationError
        try:
            found = await ask_page(service.list_products, listing.query())
        except (DomainError, ValidationError) as error:
            found = error
        async with self:
            # Another listing has been chosen meanwhile and is being loaded.
            if self.listing != listing:
                return None
            if isinstance(found, ProductPage):
                self._take(found)
            else:
                self._fail(found)
            return None if self.listing == listing else replace_address(self.listing)

    @rx.event(background=True)
    async def export_products(self, format: str) -> list[EventSpec] | None:
        """Download the listed products, or say why a file of this format cannot hold them."""
        if format not in map(str, ExportFormat):
            return None
        listing = self.listing
        try:
            await ask(export.check, listing.query(), ExportFormat(format))
        except (DomainError, ValidationError) as error:
            return [toasts.error("The products cannot be exported.", description=_export_error(error))]
        # Reflex evaluates an address with its own function calls; this one has no parentheses: they are encoded.
        return [rx.download(listing.export_address() + format, f"products.{format}")]

    @rx.event(background=True)
    async def switch_product(self, product_id: str, active: bool) -> list[EventType[()]] | None:
        """Make a product active or inactive: show it at once, and undo that if it cannot be saved."""
        async with self:
            if not self._switch(product_id, active, is_switching=True):
                return None
        try:
            saved = await ask(service.update_product, UUID(product_id), ProductUpdate(active=active))
        except DomainError as error:
            async with self:
                self._switch(product_id, not active, is_switching=False)
            return [toasts.error("The change was not saved.", description=error_text(error))]
        async with self:
            self._replace(ProductView.of(saved))
        return None

    def _filter(self, field: str, value: str) -> list[EventType[()]]:
        return self._list(replace(self.listing, page=1, **{field: value}), typing=field)

    def _list(self, listing: ProductListing, typing: str = "") -> list[EventType[()]]:
        return self._show(listing, CatalogState.load_products, typing)

    def _take(self, found: ProductPage) -> None:
        self.products = [ProductView.of(product) for product in found.items]
        self.total, self.total_is_exact = f"{found.total:,}", found.total_is_exact
        self.listing = replace(self.listing, page=found.page)
        self.has_next = found.next_cursor is not None
        # An estimated total may be less than what this page shows.
        self.pages = max(found.pages, found.page + self.has_next)
        self.loaded, self.loading, self.error = True, False, ""

    def _fail(self, error: DomainError | ValidationError) -> None:
        self.error, self.is_outage = _list_error(error), isinstance(error, Unavailable)
        self.total, self.total_is_exact, self.loading = DASH, True, False

    def _switch(self, product_id: str, active: bool, *, is_switching: bool) -> bool:
        """Show another `active`; False if the product is not listed or its last change is not saved yet."""
        shown = next((product for product in self.products if product.id == product_id), None)
        if shown is None or (shown.is_switching and is_switching):
            return False
        self._replace(replace(shown, active=active, is_switching=is_switching))
        return True

    def _replace(self, changed: ProductView) -> None:
        self.products = [changed if product.id == changed.id else product for product in self.products]


def _export_error(error: DomainError | ValidationError) -> str:
    """Return why the listed products cannot be exported, without the name of the parameter that is the cause."""
    errors = error.extra.get("errors") if isinstance(error, DomainError) else None
    return str(errors[0]["message"]) if errors else _list_error(error)


def _list_error(error: DomainError | ValidationError) -> str:
    """Return why the list cannot be shown."""
    if isinstance(error, DomainError):
        return error.detail
    field = str(error.errors()[0]["loc"][0])
    if field == "page":
        return "There is no such page: its number is too high."
    return f"The filter “{field}” is too long."
