"""What can be done with products. Services never commit: the caller owns the transaction."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from psycopg2.errors import LockNotAvailable
from sqlalchemy import func, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col, select

from product_importer.catalog.models import Product
from product_importer.catalog.schemas import (
    ProductCreate,
    ProductPage,
    ProductQuery,
    ProductRead,
    ProductUpdate,
    is_storable,
    sku_key,
)
from product_importer.catalog.search import product_query
from product_importer.catalog.search.keyset import place
from product_importer.core import outbox
from product_importer.core.errors import Conflict, NotFound, Stale
from product_importer.core.outbox import EventType

# The version that a product must still have, or several that will do; None takes any.
Expected = int | frozenset[int] | None

# Slices above this one add what speaks against deleting everything: they raise a Conflict.
BEFORE_DELETE_ALL: list[Callable[[Session], None]] = []

# Whoever reads meanwhile, an export above all, is waited for this long; those that come later wait behind.
DELETE_ALL_WAIT_SECONDS = 5


def list_products(session: Session, query: ProductQuery) -> ProductPage:
    """Return the page of products that `query` asks for, and how many match in all.

    Raises:
        Unprocessable: the cursor is none or contradicts the rest of the query, the page lies too deep, or the
            search takes too long.
    """
    begins = place(query)
    found = product_query.find(session, query, begins)
    return ProductPage(
        items=[ProductRead.model_validate(product) for product in found.items],
        total=found.total,
        total_is_exact=found.total_is_exact,
        page=begins.page,
        page_size=query.page_size,
        next_cursor=begins.next_cursor(found.items[-1]) if found.has_next else None,
    )


def read_product(session: Session, product_id: UUID) -> ProductRead:
    """Return one product.

    Raises:
        NotFound: there is no such product.
    """
    return ProductRead.model_validate(_get(session, product_id))


def create_product(session: Session, given: ProductCreate) -> ProductRead:
    """Create a product and record `product_created`.

    Raises:
        Conflict: another product has the SKU, in whatever case; `product_id` in its `extra` says which.
    """
    product = Product(**given.model_dump(), sku_key=sku_key(given.sku))
    _write(session, product, {})
    return _recorded(session, EventType.PRODUCT_CREATED, product)


def update_product(
    session: Session, product_id: UUID, given: ProductUpdate, expected_version: Expected = None
) -> ProductRead:
    """Change the fields that are given and record `product_updated`; without any difference nothing happens.

    Raises:
        NotFound: there is no such product.
        Stale: somebody else has changed it; `current` in its `extra` is what it is now.
        Conflict: another product has the new SKU.
    """
    product = _get(session, product_id, locked=True)
    _require(product, expected_version)
    changes = given.model_dump(exclude_unset=True)
    if all(getattr(product, field) == value for field, value in changes.items()):
        return ProductRead.model_validate(product)
    changes |= {"version": product.version + 1, "updated_at": session.scalar(select(func.now()))}
    _write(session, product, changes)
    return _recorded(session, EventType.PRODUCT_UPDATED, product)


def delete_product(session: Session, product_id: UUID, expected_version: Expected = None) -> None:
    """Delete a product and record `product_deleted`.

    Raises:
        NotFound: there is no such product.
        Stale: somebody else has changed it.
    """
    product = _get(session, product_id, locked=True)
    _require(product, expected_version)
    session.delete(product)
    _recorded(session, EventType.PRODUCT_DELETED, product)


def delete_all_products(session: Session) -> int:
    """Delete every product, record one `products_deleted`, and return how many there were.

    It takes as long for five million as for five. The table is locked before anything is asked, and until the
    commit: who writes products meanwhile, an import that begins just now included, comes entirely before or
    entirely after. An import that has begun before is seen by the checks in `BEFORE_DELETE_ALL`.

    Raises:
        Conflict: an import is unfinished (`import-running`), or somebody reads for too long (`catalogue-busy`).
    """
    _lock_table(session)
    for check in BEFORE_DELETE_ALL:
        check(session)
    deleted = product_query.catalogue_size(session)
    session.execute(text("TRUNCATE product"))
    session.expire_all()
    _record(session, EventType.PRODUCTS_DELETED, None, deleted=deleted)
    return deleted


def is_sku_taken(session: Session, sku: str, except_id: UUID | None = None) -> bool:
    """Whether a product other than `except_id` has this SKU, in whatever case."""
    return is_storable(sku) and _holder(session, sku_key(sku)) not in (None, except_id)


def _get(session: Session, product_id: UUID, locked: bool = False) -> Product:
    product = session.get(Product, product_id, with_for_update=locked, populate_existing=locked)
    if product is None:
        raise NotFound(f"There is no product {product_id}.")
    return product


def _require(product: Product, expected: Expected) -> None:
    accepted = frozenset({expected}) if isinstance(expected, int) else expected
    if accepted is None or product.version in accepted:
        return
    raise Stale(
        f"The product was changed in the meantime: it has version {product.version} now.",
        current=ProductRead.model_validate(product).model_dump(mode="json"),
    )


def _write(session: Session, product: Product, values: dict[str, Any]) -> None:
    """Write a product inside a savepoint, so that the refusal of its SKU leaves the transaction whole."""
    sku = values.get("sku", product.sku)
    try:
        with session.begin_nested():
            for field, value in {**values, "sku_key": sku_key(sku)}.items():
                setattr(product, field, value)
            session.add(product)
    except IntegrityError as error:
        raise _sku_taken(session, sku) from error


def _sku_taken(session: Session, sku: str) -> Conflict:
    message = f"The SKU “{sku}” is taken by another product."
    holder = _holder(session, sku_key(sku))
    return Conflict(
        message,
        kind="sku-taken",
        title="The SKU is taken",
        # It may have gone in the meantime.
        product_id=str(holder) if holder else None,
        errors=[{"field": "sku", "message": message}],
    )


def _holder(session: Session, key: str) -> UUID | None:
    return session.scalar(select(Product.id).where(col(Product.sku_key) == key))


def _lock_table(session: Session) -> None:
    session.execute(text(f"SET LOCAL lock_timeout = '{DELETE_ALL_WAIT_SECONDS}s'"))
    try:
        session.execute(text("LOCK TABLE product IN ACCESS EXCLUSIVE MODE"))
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        raise Conflict(
            "The catalogue is being read, by an export for example. Try again when that is done.",
            kind="catalogue-busy",
            title="The catalogue is in use",
        ) from error


def _recorded(session: Session, event_type: EventType, product: Product) -> ProductRead:
    told = {"product_id": str(product.id), "sku": product.sku, "name": product.name}
    _record(session, event_type, product.version, **told)
    return ProductRead.model_validate(product)


def _record(session: Session, event_type: EventType, version: int | None, **told: Any) -> None:
    outbox.record(session, event_type, {"event_type": event_type, **told, "timestamp": time.time()}, version)
