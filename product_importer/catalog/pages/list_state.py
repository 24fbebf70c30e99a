"""The state of the list of products."""

import json
from dataclasses import fields, replace
from urllib.parse import urlencode

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventSpec, EventType

from product_importer.catalog import export, service
from product_importer.catalog.attribute_filters import PREFIX
from product_importer.catalog.export_query import MAX_PRODUCT_IDS, ExportFormat
from product_importer.catalog.models import SavedView
from product_importer.catalog.pages import refreshing
from product_importer.catalog.pages.cells_state import MAX_LAYOUT, CellsState
from product_importer.catalog.pages.listing import ACTIVE, MAX_VIEW_NAME, PAGE, PAGE_SIZES, VIEW, ProductListing
from product_importer.catalog.pages.live_state import LiveProductsState
from product_importer.catalog.pages.selection_state import SelectionState
from product_importer.catalog.schemas import ProductFilter, ProductPage
from product_importer.core.errors import DomainError, Unavailable
from product_importer.ui import routes, toasts
from product_importer.ui.address_list import AddressListState, replace_address
from product_importer.ui.formatting import DASH
from product_importer.ui.grid.component import LayoutChange
from product_importer.ui.grid.values import GridLayout
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask, ask_page

EXPORT_ALL = "Select all that match, or export the list."
LAYOUT_FIELDS = frozenset(field.name for field in fields(GridLayout))


class CatalogState(AddressListState, SelectionState, CellsState, LiveProductsState, rx.State):
    """One browser tab's view of the products."""

    listing: ProductListing = ProductListing()
    total: str = DASH
    total_is_exact: bool = True
    pages: int = 1
    has_next: bool = False
    # After an outage, trying again may help.
    is_outage: bool = False
    # The layout of the grid in the chosen view; without a stamp, the browser's own counts.
    layout: GridLayout = GridLayout()
    # The name in the address that no view has.
    missing_view: str = ""
    _wanted_view: str = ""
    _parameters: dict[str, str] = {}  # noqa: RUF012

    @rx.var
    def is_filtered(self) -> bool:
        """Whether any filter narrows the list."""
        return self.listing.is_filtered()

    @rx.var
    def filter_words(self) -> str:
        """The filters in words, without that of an import."""
        return self.listing.words()

    @rx.var
    def filter_number(self) -> int:
        """How many filters there are besides the search."""
        return self.listing.filter_number()

    @rx.var
    def is_empty(self) -> bool:
        """Whether there are no products at all."""
        is_settled = self.loaded and not self.loading
        return is_settled and not self.rows and self.listing.page == 1 and not self.listing.is_filtered()

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
        self._wanted_view, self._parameters = parameters.get(VIEW, "")[:MAX_VIEW_NAME], parameters
        self._typing, self.loading, self.missing_view = "", True, ""
        if self._wanted_view:
            # The state of the views finds it.
            return None
        self._take_listing(ProductListing.from_address(parameters))
        return [CatalogState.load_products]

    @rx.event
    def search_products(self, value: str) -> list[EventType[()]]:
        """Search in SKU, name and description."""
        return self._filter("q", value)

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
        return self._list(replace(self.listing, page=1, active=value if value in ACTIVE else ""))

    @rx.event
    def clear_filters(self) -> list[EventType[()]]:
        """Show all products again."""
        cleared = self.listing.cleared()
        self._set_layout_of(None)
        self._clear_selection()
        self._fill(cleared)
        return self._list(cleared)

    @rx.event
    def filter_attribute(self, name: str, value: str) -> list[EventType[()]] | None:
        """Filter by a part of an attribute's value; a filter that is unchanged or was removed stays so."""
        terms = dict(self.listing.attributes)
        if terms.get(name, value) == value:
            return None
        attributes = tuple((terms | {name: value}).items())
        return self._list(replace(self.listing, page=1, attributes=attributes), typing=f"attribute {name}")

    @rx.event
    def remove_attribute_filter(self, name: str) -> list[EventType[()]]:
        """Do not filter by an attribute any more."""
        attributes = tuple(given for given in self.listing.attributes if given[0] != name)
        return self._list(replace(self.listing, page=1, attributes=attributes))

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

    @rx.event
    def turn_pages(self, by: int) -> list[EventType[()]]:
        """Turn `by` pages from the one that was asked for last, which may still be loading."""
        return self._list(replace(self.listing, page=min(max(1, self.listing.page + by), self.pages)))

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
            # Another listing has been chosen meanwhile and is being loaded, or a view that is still to be found.
            if self.listing != listing or self._wanted_view:
                return None
            if isinstance(found, ProductPage):
                self._take(found)
            else:
                self._fail(found)
            return None if self.listing == listing else replace_address(self.listing)

    @rx.event(background=True)
    async def export_selection(self, format: str) -> list[EventSpec] | None:
        """Download the selected products, or say why they cannot be."""
        if self.all_selected:
            return [CatalogState.export_products(format)]
        if format not in map(str, ExportFormat) or not self.selected:
            return None
        if len(self.selected) > MAX_PRODUCT_IDS:
            return [toasts.error(f"At most {MAX_PRODUCT_IDS} single products can be exported.", EXPORT_ALL)]
        ids = [parse_id(id, "product") for id in self.selected]
        try:
            await ask(export.check, ProductFilter(), ExportFormat(format), ids)
        except DomainError as error:
            return [toasts.error("The products cannot be exported.", description=_export_error(error))]
        chosen = urlencode([("product_id", str(id)) for id in ids] + [("format", format)])
        return [rx.download(f"/api/products/export?{chosen}", f"products.{format}")]

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

    @rx.event
    def set_layout(self, layout: LayoutChange) -> EventType[()] | None:
        """Take note of the columns that this browser shows; load those that were not sent."""
        if len(json.dumps(layout)) > MAX_LAYOUT:
            return None
        self._layout = layout
        is_sent = set(self._chosen_attributes()) <= set(self._names)
        return CatalogState.load_products if self.loaded and not is_sent else None

    def _add_attribute(self, name: str) -> list[EventType[()]]:
        """List only products that have an attribute, which may then be filtered by its value."""
        attributes = (*self.listing.attributes, (name, ""))
        return self._list(replace(self.listing, page=1, attributes=attributes))

    def _filter(self, field: str, value: str) -> list[EventType[()]]:
        return self._list(replace(self.listing, page=1, **{field: value}), typing=field)

    def _list(self, listing: ProductListing, typing: str = "") -> list[EventType[()]]:
        if not listing.is_sound():
            return []
        # The address will name another view, or none.
        self._wanted_view = self.missing_view = ""
        if listing.filters() != self.listing.filters():
            self._clear_selection()
        return self._show(listing, CatalogState.load_products, typing)

    def _take_view(self, view: SavedView | None) -> list[EventType[()]]:
        """Show what the address asks for with the view that it names, which may not be there."""
        listing = ProductListing.from_address(self._parameters)
        if view is None:
            self.missing_view = self._wanted_view
        elif not self._parameters.keys() - {VIEW, PAGE}:
            listing = replace(ProductListing.of_view(view), page=listing.page)
        else:
            listing = replace(listing, **ProductListing.of_view(view).origin())
        self._wanted_view = ""
        self._take_listing(listing, view)
        return [CatalogState.load_products, *([] if view else [replace_address(listing)])]

    def _show_view(self, view: SavedView) -> list[EventType[()]]:
        """Show a view and write it into the address."""
        self._set_layout_of(view)
        listing = ProductListing.of_view(view)
        self.filling += 1
        return self._list(listing)

    def _leave_view(self) -> list[EventType[()]]:
        """Show the same without a view."""
        self._set_layout_of(None)
        return self._list(replace(self.listing, view="", view_parameters=()))

    def _take_listing(self, listing: ProductListing, view: SavedView | None = None) -> None:
        if listing.filters() != self.listing.filters():
            self._clear_selection()
        self._set_layout_of(view)
        self._fill(listing)

    def _set_layout_of(self, view: SavedView | None) -> None:
        if view is None:
            self.layout = GridLayout()
            return
        stamp = view.updated_at.isoformat() if view.updated_at else ""
        known = {name: value for name, value in view.settings.get("layout", {}).items() if name in LAYOUT_FIELDS}
        self.layout = GridLayout(**{**known, "stamp": stamp})

    def _take(self, found: ProductPage) -> None:
        self._show_page(found.items)
        self._loaded_page(found)
        self.total, self.total_is_exact = f"{found.total:,}", found.total_is_exact
        self.listing = replace(self.listing, page=found.page)
        self.has_next = found.next_cursor is not None
        # An estimated total may be less than what this page shows.
        self.pages = max(found.pages, found.page + self.has_next)
        self.loaded, self.loading, self.error = True, False, ""

    def _fail(self, error: DomainError | ValidationError) -> None:
        self.error, self.is_outage = _list_error(error), isinstance(error, Unavailable)
        self.total, self.total_is_exact, self.loading = DASH, True, False


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
    if field == "q":
        return "The search is too long."
    return f"The filter “{field.removeprefix(PREFIX)}” is too long."


refreshing.HANDLERS[routes.PRODUCTS] = [CatalogState.load_products]
