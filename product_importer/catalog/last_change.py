"""Tell who made the last change of a product."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session

from product_importer.access import audit_log
from product_importer.access.audit import AuditAction
from product_importer.catalog.models import Product
from product_importer.core.errors import NotFound


class Writer(NamedTuple):
    """Who wrote a product: a person or a token by name, through a job or not; None where it is not known.

    `action` is what the job does where it is an action on products: it has a name in place of a file's.
    """

    name: str | None = None
    job_id: UUID | None = None
    filename: str | None = None
    action: str | None = None


class LastChange(NamedTuple):
    """When a product was changed last, and by whom."""

    at: datetime
    by: Writer


# Functions that tell which job has written a product's version. The catalogue does not know imports.
IMPORT_FINDERS: list[Callable[[Session, Product], Writer | None]] = []


def read(session: Session, product_id: UUID) -> LastChange:
    """Return the last change of a product. Its writer is named only where that is certain.

    Raises:
        NotFound: there is no such product.
    """
    product = session.get(Product, product_id)
    if product is None or product.updated_at is None:
        raise NotFound(f"There is no product {product_id}.")
    return LastChange(product.updated_at, _writer(session, product))


def _writer(session: Session, product: Product) -> Writer:
    actions = AuditAction.PRODUCT_CREATED, AuditAction.PRODUCT_UPDATED, AuditAction.PRODUCT_RESTORED
    by_hand = audit_log.find_version(session, product.id, product.version, actions)
    if by_hand is not None:
        return Writer(by_hand.known_name)
    found = (find(session, product) for find in IMPORT_FINDERS)
    return next((writer for writer in found if writer is not None), Writer())
