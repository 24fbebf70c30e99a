"""What the products page shows of products."""

from dataclasses import dataclass
from typing import Self

from product_importer.catalog.last_change import LastChange
from product_importer.catalog.schemas import ProductRead
from product_importer.core.errors import DomainError, NotFound
from product_importer.ui import routes

# In the grid, longer texts are cut to this many characters: hundreds of them would be slow to send.
MAX_CELL = 300


@dataclass(frozen=True)
class ProductView:
    """A product that is about to be deleted."""

    id: str = ""
    sku: str = ""
    name: str = ""


def count_text(total: int, exact: bool = True) -> str:
    """Return a number of products as text, such as "about 1,000 products"."""
    return f"{'' if exact else 'about '}{total:,} {'product' if total == 1 and exact else 'products'}"


def switched_text(product: ProductRead, *, again: bool = False) -> str:
    """Return that a product was switched on or off, as a sentence."""
    return f"{product.sku} is {'active' if product.active else 'inactive'}{' again' if again else ''}."


def error_text(error: DomainError) -> str:
    """Return why a change of a product failed, as a sentence."""
    return "The product was deleted meanwhile." if isinstance(error, NotFound) else error.detail


@dataclass(frozen=True)
class LastChangeView:
    """When a product was changed last, and who changed it through which job; empty where it is not known."""

    at: str = ""
    by: str = ""
    filename: str = ""
    address: str = ""
    is_action: bool = False

    @classmethod
    def of(cls, last: LastChange) -> Self:
        """Return `last` as the form shows it."""
        writer = last.by
        address = f"{routes.IMPORTS}/{writer.job_id}" if writer.job_id else ""
        is_action = writer.action is not None
        return cls(last.at.isoformat(), writer.name or "", writer.filename or "", address, is_action)
