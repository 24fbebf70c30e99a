"""Which products the page lists: the address holds it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

from pydantic import ValidationError

from product_importer.catalog.attribute_filters import PREFIX
from product_importer.catalog.models import SavedView
from product_importer.catalog.schemas import ProductQuery, is_storable
from product_importer.ui import routes
from product_importer.ui.address_list import PARAMETER, Listing

ACTIVE = {"true": True, "false": False}
# The filters by their field, with their parameter, and how the number of products names them.
FILTERS = {
    "q": ("q", "with {} in SKU, name or description"),
    "sku": ("sku", "with {} in the SKU"),
    "name": ("name", "with {} in the name"),
    "description": ("description", "with {} in the description"),
    "active": ("active", ""),
    "import_id": ("import", ""),
}
PAGE_SIZES = (25, 50, 100, 200)
# Parameters that say more than what is listed.
VIEW, PAGE = "view", "page"
MAX_VIEW_NAME = 100
# Python reads no number with very many digits.
MAX_DIGITS = 20
# So much of a filter's text is repeated beside the number of products.
MAX_SHOWN = 40


@dataclass(frozen=True)
class ProductListing(Listing):
    """Which products are listed. `active` is "true", "false", or empty for both.

    `attributes` are names with the text that their value must have; without a text, any value.
    """

    ROUTE: ClassVar[str] = routes.PRODUCTS

    q: str = ""
    sku: str = ""
    name: str = ""
    description: str = ""
    active: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    # The import that created the products.
    import_id: str = field(default="", metadata={PARAMETER: "import"})
    sort: str = "-created_at"
    page: int = 1
    page_size: int = 50
    # The saved view that this began with, and the parameters that it stands for.
    view: str = ""
    view_parameters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_address(cls, parameters: dict[str, str]) -> Self:
        """Read the address's parameters; invalid ones are ignored."""
        texts = {name: parameters[parameter] for name, (parameter, _) in FILTERS.items() if parameter in parameters}
        given: dict[str, Any] = {name: value for name, value in texts.items() if _is_valid(FILTERS[name][0], value)}
        if given.get("active", "") not in ACTIVE:
            given.pop("active", None)
        given["attributes"] = _valid_attributes(parameters)
        if _is_valid("sort", sort := parameters.get("sort", "")):
            given["sort"] = sort
        page, page_size = parameters.get(PAGE, ""), parameters.get("page_size", "")
        if page.isdecimal() and len(page) < MAX_DIGITS and int(page) > 0:
            given["page"] = int(page)
        if page_size in map(str, PAGE_SIZES):
            given["page_size"] = int(page_size)
        return cls(**given)

    @classmethod
    def of_view(cls, view: SavedView) -> Self:
        """Return the first page of what a view lists; parameters that are not known any more are ignored."""
        listing = cls.from_address(dict(view.settings.get("address", {})))
        return replace(listing, view=view.name, view_parameters=tuple(listing.kept().items()))

    def origin(self) -> dict[str, Any]:
        """Return the fields that say with which view this began."""
        return {"view": self.view, "view_parameters": self.view_parameters}

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the address: a view's name stands for its parameters, unless they were changed."""
        own: dict[str, Any] = self.kept()
        if self.view and own == dict(self.view_parameters):
            own = {VIEW: self.view}
        elif self.view and own:
            own = {VIEW: self.view} | own
        return own | ({PAGE: self.page} if self.page > 1 else {})

    def kept(self) -> dict[str, str]:
        """Return what a view keeps of the address: all but its own name and the page."""
        given = Listing.parameters(self)
        for name in ("attributes", VIEW, "view_parameters", PAGE):
            given.pop(name, None)
        return {name: str(value) for name, value in given.items()} | self._attribute_parameters()

    def query(self) -> ProductQuery:
        """Return the query for the service.

        Raises:
            ValidationError: a value is out of bounds.
        """
        paging = {"sort": self.sort, "page": self.page, "page_size": self.page_size}
        return ProductQuery.model_validate(self.filters() | paging)

    def export_address(self) -> str:
        """Return the address of all pages of these products as a file, to which the format is still to be added."""
        return f"/api/products/export?{urlencode([*self.filters().items(), ('format', '')])}"

    def cleared(self) -> Self:
        """Return the listing of all products, in the same order."""
        nothing: dict[str, Any] = {**dict.fromkeys(FILTERS, ""), "attributes": (), "page": 1}
        nothing |= {"view": "", "view_parameters": ()}
        return replace(self, **nothing)

    def is_sound(self) -> bool:
        """Return whether the page itself could have made it: a browser may send anything, as long as it is a text."""
        is_choice = self.active in ("", *ACTIVE) and _is_valid("sort", self.sort)
        return is_choice and all(map(is_storable, self.texts()))

    def is_filtered(self) -> bool:
        """Return whether any filter narrows the list."""
        return bool(self.filters())

    def filter_number(self) -> int:
        """Return the number of filters besides the search in several fields."""
        return len(self.filters().keys() - {"q", "import"})

    def words(self) -> str:
        """Return the filters in words, without that of an import, such as `with “mug” in the name`."""
        return ", ".join(self._words())

    def texts(self) -> tuple[str, ...]:
        return self.q, self.sku, self.name, self.description, *(term for _, term in self.attributes)

    def filters(self) -> dict[str, str]:
        """Return the filters as parameters, of the page's address and of the API."""
        given = {parameter: value for name, (parameter, _) in FILTERS.items() if (value := getattr(self, name))}
        return given | self._attribute_parameters()

    def _attribute_parameters(self) -> dict[str, str]:
        return {f"{PREFIX}{name}": term for name, term in self.attributes}

    def _words(self) -> Iterator[str]:
        if self.active:
            yield "active" if ACTIVE[self.active] else "inactive"
        for name, (_, words) in FILTERS.items():
            if words and (value := getattr(self, name)):
                yield words.format(_quoted(value))
        for name, term in self.attributes:
            yield f"with {_quoted(term)} in {_quoted(name)}" if term else f"with the attribute {_quoted(name)}"


def attribute_fault(listing: ProductListing, name: str) -> str:
    """Return why an attribute of this name cannot be filtered besides the others; empty if it can."""
    if name in dict(listing.attributes):
        return "This attribute is filtered already."
    try:
        replace(listing.cleared(), attributes=(*((given, "") for given, _ in listing.attributes), (name, ""))).query()
    except ValidationError as error:
        return f"{error.errors()[0]['msg'].rstrip('.')}."
    return ""


def _valid_attributes(parameters: dict[str, str]) -> tuple[tuple[str, str], ...]:
    valid = ProductListing()
    for parameter, term in parameters.items():
        name = parameter.removeprefix(PREFIX)
        if name == parameter or attribute_fault(valid, name) or not _is_valid(parameter, term):
            continue
        valid = replace(valid, attributes=(*valid.attributes, (name, term)))
    return valid.attributes


def _is_valid(parameter: str, value: str) -> bool:
    try:
        ProductQuery.model_validate({parameter: value})
    except ValidationError:
        return False
    return True


def _quoted(text: str) -> str:
    return f"“{text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + '…'}”"
