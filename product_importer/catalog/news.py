"""Tell that products were written, and what has become of a list or a product since it was loaded."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from product_importer.catalog import service
from product_importer.catalog.models import Product, product_change, product_count, search_segment
from product_importer.catalog.schemas import ProductPage, ProductQuery, ProductRead

Stamp = tuple[int, ...]

# Each write notes its rows in the first table, but a deletion in the last one. The index moves the notes into a new
# segment: then its number differs. All three tables are small, whatever the catalogue's size.
STAMP = select(
    select(func.coalesce(func.max(product_change.c.id), 0)).scalar_subquery(),
    select(func.count()).select_from(product_change).scalar_subquery(),
    select(func.coalesce(func.max(search_segment.c.id), 0)).scalar_subquery(),
    select(func.coalesce(func.sum(product_count.c.delta), 0)).scalar_subquery(),
)


@dataclass(frozen=True)
class Look:
    """A list as it is now, and those of the products that somebody sees which are not on this page any more."""

    page: ProductPage
    others: list[ProductRead]


def stamp(session: Session) -> Stamp:
    """Return what is another value after each write of products that was committed."""
    return tuple(int(number) for number in session.execute(STAMP).one())


def look(session: Session, query: ProductQuery, seen: Collection[UUID]) -> Look:
    """Return the list that `query` asks for, and what has become of the products that were `seen` on it.

    Must be called first in its transaction.

    Raises:
        Unprocessable: as `service.list_products` does.
    """
    page = service.list_products(session, query)
    elsewhere = set(seen) - {product.id for product in page.items}
    found = session.scalars(select_rows(Product).where(col(Product.id).in_(elsewhere))) if elsewhere else ()
    return Look(page, [ProductRead.model_validate(product) for product in found])


def versions(session: Session, ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the versions of products; those that are not there are left out."""
    found = select(col(Product.id), col(Product.version)).where(col(Product.id).in_(ids))
    return dict(session.execute(found).all())
