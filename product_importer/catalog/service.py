"""Operations on products. They never commit: the caller owns the transaction."""

from typing import Any
from uuid import UUID

from psycopg2.errors import LockNotAvailable
from pydantic import TypeAdapter
from sqlalchemy import func, inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col, select

from product_importer.catalog import distributed, events, record
from product_importer.catalog.models import PRODUCTS, Product
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
from product_importer.catalog.search.keyset import page_start
from product_importer.core.errors import Conflict, NotFound, Stale
from product_importer.core.outbox import EventType
from product_importer.core.problem_types import ProblemType

# The version, or one of the versions, that a product must still have; None accepts any.
Expected = int | frozenset[int] | None

# Reads a whole page at once.
PRODUCT_LIST = TypeAdapter(list[ProductRead])
# A row of a search begins with these.
COLUMNS = tuple(PRODUCTS.c.keys())
# How long deleting all products waits for readers of the table, such as exports.
DELETE_ALL_WAIT_SECONDS = 5
# In SQL, because the catalogue may not import the models of imports: they build on it.
UNFINISHED_IMPORT = text("""
    SELECT id, filename, action IS NOT NULL AS is_action,
        CASE undo_status WHEN 'pending' THEN 'being undone' ELSE status END AS state
    FROM import_job WHERE status IN ('pending', 'processing') OR undo_status = 'pending'
    ORDER BY created_at LIMIT 1
""")


def list_products(session: Session, query: ProductQuery) -> ProductPage:
    """Return the page of products that `query` asks for, and how many match in all.

    Raises:
        Unprocessable: the cursor is invalid or contradicts the rest of the query, the page is too far from both ends
            of the list, or the search takes too long.
    """
    start = page_start(query)
    found = product_query.find(session, query, start)
    return ProductPage(
        # From objects, it would take more than twice as long.
        items=PRODUCT_LIST.validate_python([dict(zip(COLUMNS, row, strict=False)) for row in found.items]),
        total=found.total,
        total_is_exact=found.total_is_exact,
        page=start.page,
        page_size=query.page_size,
        next_cursor=start.next_cursor(found.items[-1]) if found.has_next else None,
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
        Conflict: another product has the SKU, in any case; `product_id` in its `extra` is that product's id.
    """
    product = Product(**given.model_dump(), sku_key=sku_key(given.sku))
    _write(session, product, {})
    events.record(session, EventType.PRODUCT_CREATED, product)
    record.created(session, product)
    return ProductRead.model_validate(product)


def update_product(
    session: Session, product_id: UUID, given: ProductUpdate, expected_version: Expected = None
) -> ProductRead:
    """Change the given fields and record `product_updated`; do nothing where no value differs.

    Raises:
        NotFound: there is no such product.
        Stale: the product has another version; `current` in its `extra` is the product as it is now.
        Conflict: another product has the new SKU.
    """
    product = _get(session, product_id, locked=True)
    _require_version(product, expected_version)
    changes = given.model_dump(exclude_unset=True)
    if all(getattr(product, field) == value for field, value in changes.items()):
        return ProductRead.model_validate(product)
    before = record.values(product)
    changes |= {"version": product.version + 1, "updated_at": session.scalar(select(func.now()))}
    _write(session, product, changes)
    events.record(session, EventType.PRODUCT_UPDATED, product)
    record.updated(session, product, before)
    return ProductRead.model_validate(product)


def delete_product(session: Session, product_id: UUID, expected_version: Expected = None) -> ProductRead:
    """Delete a product, record `product_deleted`, and return it as it was.

    Raises:
        NotFound: there is no such product.
        Stale: the product has another version.
    """
    product = _get(session, product_id, locked=True)
    _require_version(product, expected_version)
    session.delete(product)
    session.flush()
    distributed.note_one(session, None, delta=-1)
    events.record(session, EventType.PRODUCT_DELETED, product)
    record.deleted(session, product)
    return ProductRead.model_validate(product)


def restore_product(session: Session, deleted: ProductRead) -> ProductRead:
    """Create a deleted product again, under its id and with its values, and record `product_created`.

    Its version is the next one. Do nothing if it is there again already.

    Raises:
        Conflict: another product has the SKU by now; `product_id` in its `extra` is that product's id.
    """
    present = session.get(Product, deleted.id)
    if present is not None:
        return ProductRead.model_validate(present)
    given = deleted.model_dump(exclude={"version", "updated_at"})
    product = Product(**given, version=deleted.version + 1, sku_key=sku_key(deleted.sku))
    _write(session, product, {})
    events.record(session, EventType.PRODUCT_CREATED, product)
    record.restored(session, product)
    return ProductRead.model_validate(product)


def delete_all_products(session: Session) -> int:
    """Delete every product, record one `products_deleted`, and return how many there were.

    It takes as long for five million as for five. The table is locked first, until the commit: an import that began
    earlier is found by the check, and one that begins later waits for the lock at its first merge.

    Raises:
        Conflict: an import is unfinished (`import-running`), or others read the table for too long
            (`catalogue-busy`).
    """
    _lock_table(session)
    _refuse_while_importing(session)
    deleted = product_query.catalogue_size(session)
    session.execute(text("TRUNCATE product"))
    distributed.note_truncation(session)
    session.expire_all()
    events.record_many_deleted(session, deleted)
    record.all_deleted(session, deleted)
    return deleted


def is_sku_taken(session: Session, sku: str, except_id: UUID | None = None) -> bool:
    """Return whether a product other than `except_id` has this SKU, in any case."""
    return is_storable(sku) and _id_by_key(session, sku_key(sku)) not in (None, except_id)


def _get(session: Session, product_id: UUID, locked: bool = False) -> Product:
    product = distributed.locked(session, product_id) if locked else session.get(Product, product_id)
    if product is None:
        raise NotFound(f"There is no product {product_id}.")
    return product


def _require_version(product: Product, expected: Expected) -> None:
    accepted = frozenset({expected}) if isinstance(expected, int) else expected
    if accepted is None or product.version in accepted:
        return
    raise Stale(
        f"The product was changed meanwhile: it has version {product.version} now.",
        current=ProductRead.model_validate(product).model_dump(mode="json"),
    )


def _write(session: Session, product: Product, values: dict[str, Any]) -> None:
    """Write a product inside a savepoint, so that a taken SKU does not end the transaction."""
    sku = values.get("sku", product.sku)
    # The key of an unchanged SKU stays, also that of a product in `sku_conflict`.
    keyed = values if sku == product.sku else {**values, "sku_key": sku_key(sku)}
    is_new = inspect(product).transient
    try:
        with session.begin_nested():
            if keyed.get("sku_key", product.sku_key) != product.sku_key:
                distributed.move(session, product)
            for field, value in keyed.items():
                setattr(product, field, value)
            session.add(product)
    except IntegrityError as error:
        raise _sku_taken(session, sku) from error
    distributed.note_one(session, product, delta=int(is_new))


def _sku_taken(session: Session, sku: str) -> Conflict:
    message = f"The SKU “{sku}” is taken by another product."
    other_id = _id_by_key(session, sku_key(sku))
    return Conflict(
        message,
        kind=ProblemType.SKU_TAKEN,
        title="The SKU is taken",
        # None if that product was deleted meanwhile.
        product_id=str(other_id) if other_id else None,
        errors=[{"field": "sku", "message": message}],
    )


def _id_by_key(session: Session, key: str) -> UUID | None:
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
            kind=ProblemType.CATALOGUE_BUSY,
            title="The catalogue is in use",
        ) from error


def _refuse_while_importing(session: Session) -> None:
    """Refuse to delete all products while an import or an undo is active."""
    unfinished = session.execute(UNFINISHED_IMPORT).first()
    if unfinished is not None:
        kind = "action" if unfinished.is_action else "import of"
        raise Conflict(
            f"The {kind} “{unfinished.filename}” is {unfinished.state}. Wait for its end, or cancel it first.",
            kind=ProblemType.IMPORT_RUNNING,
            title="An import is running",
            job_id=str(unfinished.id),
        )
