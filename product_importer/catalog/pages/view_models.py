"""What the products page shows, in the words and numbers that it shows, and what its address holds."""

from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import urlencode

from pydantic import ValidationError

from product_importer.catalog.schemas import ProductQuery, ProductRead
from product_importer.core.errors import DomainError, NotFound

ACTIVE = {"true": True, "false": False}
FILTERS = ("sku", "name", "description", "active")
PAGE_SIZES = (25, 50, 100, 200)
# A line of the table shows no more of a text; hundreds of long ones would be slow to send.
SHOWN = 300


@dataclass(frozen=True)
class Listing:
    """Which products are listed, as the controls and the page's address hold it."""

    sku: str = ""
    name: str = ""
    description: str = ""
    active: str = ""
    sort: str = "-created_at"
    page: int = 1
    page_size: int = 50

    @classmethod
    def from_address(cls, parameters: dict[str, str]) -> Self:
        """Read the address; what it holds of nonsense is ignored."""
        given: dict[str, Any] = {name: parameters[name] for name in (*FILTERS, "sort") if name in parameters}
        if given.get("active", "") not in ACTIVE:
            given.pop("active", None)
        page, page_size = parameters.get("page", ""), parameters.get("page_size", "")
        if page.isdecimal() and int(page) > 0:
            given["page"] = int(page)
        if page_size in map(str, PAGE_SIZES):
            given["page_size"] = int(page_size)
        return cls(**{name: value for name, value in given.items() if name not in _refused(cls(**given))})

    def address(self) -> str:
        """The page's address for this listing; what is as usual is left out."""
        changed = {name: value for name, value in asdict(self).items() if value != getattr(Listing, name)}
        return f"/?{urlencode(changed)}" if changed else "/"

    def export(self) -> str:
        """The address of these products as CSV, whatever page of them is shown."""
        chosen = {name: getattr(self, name) for name in FILTERS if getattr(self, name)}
        return f"/api/products/export?{urlencode(chosen)}" if chosen else "/api/products/export"

    def query(self) -> ProductQuery:
        """The question to the service.

        Raises:
            ValidationError: no service would answer it, because the page lies too far off.
        """
        return ProductQuery.model_validate(asdict(self) | {"active": ACTIVE.get(self.active)})

    def is_filtered(self) -> bool:
        """Whether any filter narrows the list."""
        return any(getattr(self, name) for name in FILTERS)

    def texts(self) -> tuple[str, str, str]:
        """What stands in the text filters."""
        return self.sku, self.name, self.description


def _refused(listing: Listing) -> set[str]:
    """Return the parts that mean nothing; a page that lies too far off has its own words."""
    try:
        listing.query()
    except ValidationError as error:
        return {str(item["loc"][0]) for item in error.errors()} - {"page"}
    return set()


@dataclass(frozen=True)
class ProductView:
    """One line of the table. While a change of `active` is under way, it `is_switching`."""

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


def counted(total: int, exact: bool = True) -> str:
    """A number of products in words."""
    return f"{'' if exact else 'about '}{total:,} {'product' if total == 1 and exact else 'products'}"


def told(error: DomainError) -> str:
    """Why something could not be done to a product, as a sentence."""
    return "The product has been deleted in the meantime." if isinstance(error, NotFound) else error.detail


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
