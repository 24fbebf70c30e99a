"""What the products page shows, and the listing that its address holds."""

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

from pydantic import ValidationError

from product_importer.catalog.last_change import LastChange
from product_importer.catalog.schemas import ProductQuery, ProductRead
from product_importer.core.errors import DomainError, NotFound
from product_importer.ui import routes
from product_importer.ui.address_list import PARAMETER, Listing

ACTIVE = {"true": True, "false": False}
FILTERS = ("sku", "name", "description", "active", "import_id")
PARAMETERS = {"import_id": "import"}
PAGE_SIZES = (25, 50, 100, 200)
# In the table, longer texts are cut to this many characters: hundreds of them would be slow to send.
MAX_CELL = 300


@dataclass(frozen=True)
class ProductListing(Listing):
    """Which products are listed. `active` is "true", "false", or empty for both."""

    ROUTE: ClassVar[str] = routes.PRODUCTS

    sku: str = ""
    name: str = ""
    description: str = ""
    active: str = ""
    # The import that created the products.
    import_id: str = field(default="", metadata={PARAMETER: "import"})
    sort: str = "-created_at"
    page: int = 1
    page_size: int = 50

    @classmethod
    def from_address(cls, parameters: dict[str, str]) -> Self:
        """Read the address's parameters; invalid ones are ignored."""
        given: dict[str, Any] = {
            name: parameters[parameter]
            for name in (*FILTERS, "sort")
            if (parameter := PARAMETERS.get(name, name)) in parameters
        }
        if given.get("active", "") not in ACTIVE:
            given.pop("active", None)
        page, page_size = parameters.get("page", ""), parameters.get("page_size", "")
        if page.isdecimal() and int(page) > 0:
            given["page"] = int(page)
        if page_size in map(str, PAGE_SIZES):
            given["page_size"] = int(page_size)
        invalid = _invalid_fields(cls(**given))
        return cls(**{name: value for name, value in given.items() if name not in invalid})

    def query(self) -> ProductQuery:
        """Return the query for the service.

        Raises:
            ValidationError: a value is out of bounds.
        """
        chosen = {"active": ACTIVE.get(self.active), "import_id": self.import_id or None}
        return ProductQuery.model_validate(asdict(self) | chosen, by_name=True)

    def export_address(self) -> str:
        """Return the address of all pages of these products as a file, to which the format is still to be added."""
        chosen = {PARAMETERS.get(name, name): getattr(self, name) for name in FILTERS if getattr(self, name)}
        return f"/api/products/export?{urlencode([*chosen.items(), ('format', '')])}"

    def is_filtered(self) -> bool:
        """Return whether any filter narrows the list."""
        return any(getattr(self, name) for name in FILTERS)

    def texts(self) -> tuple[str, ...]:
        return self.sku, self.name, self.description


def _invalid_fields(listing: ProductListing) -> set[str]:
    """Return the invalid fields, except `page`: the page shows an error for one that is too high."""
    try:
        listing.query()
    except ValidationError as error:
        named = {parameter: name for name, parameter in PARAMETERS.items()}
        invalid = {str(item["loc"][0]) for item in error.errors()} - {"page"}
        return {named.get(name, name) for name in invalid}
    return set()


@dataclass(frozen=True)
class ProductView:
    """One row of the table. `is_switching` while a change of `active` is being saved."""

    id: str = ""
    sku: str = ""
    name: str = ""
    description: str = ""
    active: bool = True
    created_at: str = ""
    updated_at: str = ""
    is_switching: bool = False

    @classmethod
    def of(cls, product: ProductRead) -> Self:
        """Return `product` as the table shows it."""
        return cls(
            id=str(product.id),
            sku=product.sku,
            name=_shortened(product.name),
            description=_shortened(product.description),
            active=product.active,
            created_at=product.created_at.isoformat(),
            updated_at=product.updated_at.isoformat(),
        )


def count_text(total: int, exact: bool = True) -> str:
    """Return a number of products as text, such as "about 1,000 products"."""
    return f"{'' if exact else 'about '}{total:,} {'product' if total == 1 and exact else 'products'}"


def error_text(error: DomainError) -> str:
    """Return why a change of a product failed, as a sentence."""
    return "The product was deleted in the meantime." if isinstance(error, NotFound) else error.detail


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}…"


@dataclass(frozen=True)
class LastChangeView:
    """When a product was changed last, and who changed it through which import; empty where it is not known."""

    at: str = ""
    by: str = ""
    filename: str = ""
    import_address: str = ""

    @classmethod
    def of(cls, last: LastChange) -> Self:
        """Return `last` as the form shows it."""
        writer = last.by
        address = f"{routes.IMPORTS}/{writer.import_id}" if writer.import_id else ""
        return cls(last.at.isoformat(), writer.name or "", writer.filename or "", address)
