"""What a filter asks of a product: substrings, in any case and taken literally."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, or_

from product_importer.catalog.schemas import ProductFilter


def conditions(entity: Any, chosen: ProductFilter) -> list[ColumnElement[bool]]:
    """Return what a product must meet to be listed; `entity` has the table's columns as attributes."""
    found = _text_conditions(entity, chosen)
    if chosen.active is not None:
        found.append(entity.active.is_(chosen.active))
    return found


def _text_conditions(entity: Any, chosen: ProductFilter) -> list[ColumnElement[bool]]:
    """Return the conditions on a product's texts; `autoescape` makes `%` and `_` literal."""
    return met(chosen, lambda field, term: getattr(entity, field).icontains(term, autoescape=True))


def met(chosen: ProductFilter, contains: Callable[[str, str], ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    """Return the conditions on texts, each made by `contains` of a field and a term."""
    terms = {"sku": chosen.sku, "name": chosen.name, "description": chosen.description}
    found = [contains(field, term) for field, term in terms.items() if term]
    if chosen.q:
        found.append(or_(*(contains(field, chosen.q) for field in terms)))
    return found
