"""What the products page shows, and what people can do there."""

import asyncio
import json
from dataclasses import asdict, dataclass, replace
from typing import Self
from urllib.parse import urlencode

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventSpec, EventType

from product_importer.catalog import service
from product_importer.catalog.schemas import ProductQuery, ProductRead
from product_importer.core import db

ACTIVE = {"true": True, "false": False}


@dataclass(frozen=True)
class Listing:
    """Which products are listed, as the controls and the page's address hold it."""

    sku: str = ""
    name: str = ""
    description: str = ""
    active: str = ""
    sort: str = "-created_at"
    page: int = 1

    @classmethod
    def from_address(cls, parameters: dict[str, str]) -> Self:
        """Read the address; what it holds of nonsense is ignored."""
        known = {name: parameters[name] for name in cls.__dataclass_fields__ if name in parameters}
        page = known.pop("page", "1")
        listing = cls(**known, page=int(page) if page.isdecimal() else 1)  # type: ignore[arg-type]
        try:
            listing.query()
        except ValidationError:
            return cls()
        return listing

    def address(self) -> str:
        """The page's address for this listing; what is as usual is left out."""
        changed = {name: value for name, value in asdict(self).items() if value != getattr(Listing, name)}
        return f"/?{urlencode(changed)}" if changed else "/"

    def query(self) -> ProductQuery:
        """The question to the service."""
        texts = {"sku": self.sku, "name": self.name, "description": self.description}
        return ProductQuery.model_validate(
            texts | {"active": ACTIVE.get(self.active), "sort": self.sort, "page": self.page}
        )


@dataclass(frozen=True)
class ProductView:
    """One line of the table."""

    id: str
    sku: str
    name: str
    description: str
    active: bool
    updated_at: str

    @classmethod
    def of(cls, product: ProductRead) -> Self:
        """Return `product` as the table shows it."""
        return cls(
            id=str(product.id),
            sku=product.sku,
            name=product.name,
            description=product.description,
            active=product.active,
            updated_at=product.updated_at.isoformat(),
        )


class CatalogState(rx.State):
    """One browser tab's view of the products."""

    listing: Listing = Listing()
    products: list[ProductView] = []  # noqa: RUF012 - Reflex copies it for each tab
    total: str = "—"
    total_is_exact: bool = True
    pages: int = 1
    loaded: bool = False

    @rx.var
    def is_filtered(self) -> bool:
        """Whether any filter narrows the list."""
        return any((self.listing.sku, self.listing.name, self.listing.description, self.listing.active))

    @rx.event
    def open_products(self) -> EventType[()]:
        """Show the products that the address asks for."""
        self.listing = Listing.from_address(dict(self.router.url.query_parameters))
        return CatalogState.load_products

    @rx.event
    def filter_products(self, field: str, value: str) -> EventType[()] | None:
        """Narrow the list by one field and begin again at its first page."""
        if field not in ("sku", "name", "description", "active"):
            return None
        self.listing = replace(self.listing, page=1, **{field: value})
        return CatalogState.load_products

    @rx.event
    def clear_filters(self) -> EventType[()]:
        """Show all products again."""
        self.listing = Listing(sort=self.listing.sort)
        return CatalogState.load_products

    @rx.event
    def sort_products(self, column: str) -> EventType[()]:
        """Sort by a column; once more, the other way round."""
        self.listing = replace(self.listing, page=1, sort=f"-{column}" if self.listing.sort == column else column)
        return CatalogState.load_products

    @rx.event
    def turn_page(self, by: int) -> EventType[()]:
        """Go forth or back."""
        self.listing = replace(self.listing, page=min(max(1, self.listing.page + by), self.pages))
        return CatalogState.load_products

    @rx.event(background=True, supersedes=True)
    async def load_products(self) -> EventSpec:
        """Ask for the listed products; a newer question takes the place of one that still runs."""
        listing = self.listing
        found = await asyncio.to_thread(db.run, service.list_products, listing.query())
        async with self:
            self.products = [ProductView.of(product) for product in found.items]
            self.total, self.total_is_exact = f"{found.total:,}", found.total_is_exact
            self.pages, self.loaded = found.pages, True
        # The address follows, so that reloading or sharing it shows the same; the router keeps its entry.
        address = json.dumps(listing.address())
        return rx.call_script(f"history.replaceState(history.state, '', {address})")
