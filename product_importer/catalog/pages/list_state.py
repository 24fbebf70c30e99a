"""What the products page lists, and how people find their way through it."""

import json
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventSpec, EventType

from product_importer.catalog import service
from product_importer.catalog.pages.view_models import FILTERS, PAGE_SIZES, Listing, ProductView, told
from product_importer.catalog.schemas import ProductPage, ProductUpdate
from product_importer.core.errors import DomainError, Unavailable
from product_importer.ui import toasts
from product_importer.ui.formatting import DASH
from product_importer.ui.services import ask

# Not a step of the router's: it stays at the entry that it made.
REPLACE = "history.replaceState(history.state, '', %s)"


class CatalogState(rx.State):
    """One browser tab's view of the products."""

    listing: Listing = Listing()
    # Text filters hold what is being typed; only a new number lets them take over what the listing says.
    filling: int = 0
    products: list[ProductView] = []  # noqa: RUF012 - Reflex copies it for each tab
    total: str = DASH
    total_is_exact: bool = True
    pages: int = 1
    has_next: bool = False
    loaded: bool = False
    loading: bool = False
    # Why there is no list; after an outage, asking again may help.
    problem: str = ""
    is_outage: bool = False
    # The address that this page went to by itself: what it says is on its way already.
    _went_to: dict[str, str] | None = None
    # The filter that the newest entry of the browser's history was made by; typing on changes that entry.
    _typing: str = ""

    @rx.var
    def is_filtered(self) -> bool:
        """Whether any filter narrows the list."""
        return self.listing.is_filtered()

    @rx.var
    def is_empty(self) -> bool:
        """Whether the whole catalogue has nothing in it."""
        is_settled = self.loaded and not self.loading
        return is_settled and not self.products and self.listing.page == 1 and not self.listing.is_filtered()

    @rx.var
    def export_address(self) -> str:
        """Where the listed products can be had as CSV."""
        return self.listing.export()

    @rx.event
    def open_products(self) -> list[EventType[()]] | None:
        """Show the products that the address asks for: at the beginning, and on the way back and forth."""
        asked = dict(self.router.url.query_parameters)
        is_own, self._went_to = asked == self._went_to, None
        if is_own:
            return None
        self._fill(Listing.from_address(asked))
        self._typing, self.loading = "", True
        return [CatalogState.load_products]

    @rx.event
    def filter_sku(self, value: str) -> list[EventType[()]]:
        """Narrow the list by a part of the SKU."""
        return self._filter("sku", value)

    @rx.event
    def filter_name(self, value: str) -> list[EventType[()]]:
        """Narrow the list by a part of the name."""
        return self._filter("name", value)

    @rx.event
    def filter_description(self, value: str) -> list[EventType[()]]:
        """Narrow the list by a part of the description."""
        return self._filter("description", value)

    @rx.event
    def filter_active(self, value: str) -> list[EventType[()]]:
        """Narrow the list to active or inactive products."""
        return self._filter("active", value)

    @rx.event
    def clear_filters(self) -> list[EventType[()]]:
        """Show all products again."""
        self._fill(replace(self.listing, page=1, **dict.fromkeys(FILTERS, "")))
        return self._show(self.listing)

    @rx.event
    def sort_products(self, column: str) -> list[EventType[()]]:
        """Sort by a column; once more, the other way round."""
        return self._show(replace(self.listing, page=1, sort=f"-{column}" if self.listing.sort == column else column))

    @rx.event
    def order_products(self, sort: str) -> list[EventType[()]]:
        """Sort as a list of choices says it."""
        return self._show(replace(self.listing, page=1, sort=sort))

    @rx.event
    def size_page(self, size: str) -> list[EventType[()]] | None:
        """Show more products at a time, or fewer, and keep the first of them in sight."""
        if size not in map(str, PAGE_SIZES):
            return None
        first = (self.listing.page - 1) * self.listing.page_size
        return self._show(replace(self.listing, page=first // int(size) + 1, page_size=int(size)))

    @rx.event
    def turn_page(self, to: int) -> list[EventType[()]]:
        """Show the page of this number."""
        return self._show(replace(self.listing, page=max(1, to)))

    @rx.event(background=True, supersedes=True)
    async def load_products(self) -> EventSpec | None:
        """Ask for the listed products; a newer question takes the place of one that still runs."""
        asked = self.listing
        found: ProductPage | DomainError | ValidationError
        try:
            found = await ask(service.list_products, asked.query())
            if not found.items and found.page > found.pages:
                # The list has become shorter than the address remembers.
                found = await ask(service.list_products, replace(asked, page=found.pages).query())
        except (DomainError, ValidationError) as error:
            found = error
        async with self:
            # Where something else is asked for by now, its answer is on the way.
            if self.listing != asked:
                return None
            if isinstance(found, ProductPage):
                self._take(found)
            else:
                self._fail(found)
            return None if self.listing == asked else _remember(self.listing)

    @rx.event(background=True)
    async def switch_product(self, product_id: str, active: bool) -> list[EventType[()]] | None:
        """Make a product active or inactive: shown at once, and taken back where it cannot be saved."""
        async with self:
            if not self._switch(product_id, active, is_switching=True):
                return None
        try:
            saved = await ask(service.update_product, UUID(product_id), ProductUpdate(active=active))
        except DomainError as error:
            async with self:
                self._switch(product_id, not active, is_switching=False)
            return [toasts.error("The change was taken back.", description=told(error))]
        async with self:
            self._replace(ProductView.of(saved))
        return None

    def _filter(self, field: str, value: str) -> list[EventType[()]]:
        is_typed_on = field == self._typing
        listed = self._show(replace(self.listing, page=1, **{field: value}), push=not is_typed_on)
        self._typing = "" if field == "active" else field
        return listed

    def _show(self, listing: Listing, push: bool = True) -> list[EventType[()]]:
        """List other products; the address follows, so that reloading, sharing and going back show them."""
        is_elsewhere = listing != self.listing
        self.listing, self._typing, self.loading = listing, "", True
        if not (push and is_elsewhere):
            return [_remember(listing), CatalogState.load_products]
        address = listing.address()
        self._went_to = dict(parse_qsl(urlsplit(address).query))
        return [rx.redirect(address), CatalogState.load_products]

    def _fill(self, listing: Listing) -> None:
        if listing.texts() != self.listing.texts():
            self.filling += 1
        self.listing = listing

    def _take(self, found: ProductPage) -> None:
        self.products = [ProductView.of(product) for product in found.items]
        self.total, self.total_is_exact = f"{found.total:,}", found.total_is_exact
        self.listing = replace(self.listing, page=found.page)
        self.has_next = found.next_cursor is not None
        # An estimate may end before the list does.
        self.pages = max(found.pages, found.page + self.has_next)
        self.loaded, self.loading, self.problem = True, False, ""

    def _fail(self, error: DomainError | ValidationError) -> None:
        self.problem, self.is_outage = _words(error), isinstance(error, Unavailable)
        self.total, self.total_is_exact, self.loading = DASH, True, False

    def _switch(self, product_id: str, active: bool, *, is_switching: bool) -> bool:
        """Show another `active`, unless the product is not listed any more or the last change is not done yet."""
        shown = next((product for product in self.products if product.id == product_id), None)
        if shown is None or (shown.is_switching and is_switching):
            return False
        self._replace(replace(shown, active=active, is_switching=is_switching))
        return True

    def _replace(self, changed: ProductView) -> None:
        self.products = [changed if product.id == changed.id else product for product in self.products]


def _remember(listing: Listing) -> EventSpec:
    """Write the listing into the address, in place of what the newest entry of the browser's history says."""
    return rx.call_script(REPLACE % json.dumps(listing.address()))


def _words(error: DomainError | ValidationError) -> str:
    """Why the list cannot be shown."""
    if isinstance(error, DomainError):
        return error.detail
    field = str(error.errors()[0]["loc"][0])
    return (
        "There is no such page: its number is too high." if field == "page" else f"The filter “{field}” is too long."
    )
