"""The view model of a product that an undo kept."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from product_importer.imports.schemas import UndoKept
from product_importer.ui import routes


@dataclass(frozen=True)
class KeptView:
    """A product that an undo did not change; without an address where it was deleted."""

    id: str = ""
    sku: str = ""
    reason: str = ""
    address: str = ""

    @classmethod
    def of(cls, kept: UndoKept) -> Self:
        """Return `kept` as the page shows it."""
        address = product_address(kept.sku) if kept.sku else ""
        return cls(str(kept.product_id), kept.sku or "a deleted product", kept.reason, address)


def product_address(sku: str) -> str:
    """Return the address of the products page that shows one SKU."""
    return f"{routes.PRODUCTS}?{urlencode({'sku': sku})}"
