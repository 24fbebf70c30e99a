"""What a filter asks of a product, and of the text index: the same substrings, in any case and taken literally."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, column, func, or_, select, table

from product_importer.catalog.models import SEGMENT_COLUMNS, SEGMENT_PREFIX
from product_importer.catalog.schemas import ProductFilter

TEXTS = ("sku", "name", "description", "q")
LIKE_SPECIAL = re.compile("[%_/]")
# Three letters or digits in a row: only such a term has a trigram that narrows the search.
HAS_TRIGRAM = re.compile(r"\w{3}")


def conditions(entity: Any, chosen: ProductFilter) -> list[ColumnElement[bool]]:
    """Return what a product must meet to be listed; `entity` is the table of products, or a name for it."""
    found = _text_conditions(entity, chosen)
    if chosen.active is not None:
        found.append(entity.active.is_(chosen.active))
    return found


def _text_conditions(entity: Any, chosen: ProductFilter) -> list[ColumnElement[bool]]:
    """Return the conditions on a product's texts; `autoescape` makes `%` and `_` literal."""
    return _met(chosen, lambda field, term: getattr(entity, field).icontains(term, autoescape=True))


def _met(chosen: ProductFilter, contains: Callable[[str, str], ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    terms = {"sku": chosen.sku, "name": chosen.name, "description": chosen.description}
    found = [contains(field, term) for field, term in terms.items() if term]
    if chosen.q:
        found.append(or_(*(contains(field, chosen.q) for field in terms)))
    return found


def is_indexable(chosen: ProductFilter) -> bool:
    """Whether a trigram index can tell anything about a filter."""
    return any(HAS_TRIGRAM.search(getattr(chosen, field)) for field in TEXTS)


def candidates(segment: int, chosen: ProductFilter) -> Select[tuple[UUID]]:
    """Return the statement that asks one segment; terms without a trigram are left to the check of each product."""
    silent = {field: "" for field in TEXTS if not HAS_TRIGRAM.search(getattr(chosen, field))}
    telling = chosen.model_copy(update=silent)
    part = table(f"{SEGMENT_PREFIX}{segment}", *(column(name) for name in SEGMENT_COLUMNS))

    def contains(field: str, term: str) -> ColumnElement[bool]:
        # A segment's texts are in PostgreSQL's lower case, which is not always Python's.
        literal = LIKE_SPECIAL.sub(r"/\g<0>", term)
        return part.c[field].like(func.lower(f"%{literal}%"), escape="/")

    return select(part.c.product_id).where(*_met(telling, contains))
