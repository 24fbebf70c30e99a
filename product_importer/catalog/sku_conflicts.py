"""Find products whose SKU differs from another product's in invisible characters only.

Migration 0013 has listed them: since then no two products can get such SKUs. Imports and look-ups by SKU find the
other product. A product leaves the list when its SKU is changed or it is deleted.
"""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from product_importer.catalog.models import PRODUCTS, sku_conflict
from product_importer.core.edges import INVISIBLE

STILL_THERE = (PRODUCTS.c.id == sku_conflict.c.product_id) & (PRODUCTS.c.sku_key == sku_conflict.c.sku_key)
_CODE_POINTS = {ord(character): f"<U+{ord(character):04X}>" for character in INVISIBLE}


class SkuConflict(NamedTuple):
    """A product, and its SKU with each invisible character written out, such as `<U+200B>`."""

    product_id: UUID
    sku: str


def find(session: Session, limit: int) -> list[SkuConflict]:
    """Return up to `limit` of these products."""
    found = select(PRODUCTS.c.id, PRODUCTS.c.sku).join(sku_conflict, STILL_THERE).limit(limit)
    return [SkuConflict(product_id, sku.translate(_CODE_POINTS)) for product_id, sku in session.execute(found)]
