"""Turn product filters into SQL conditions: substrings, in any case, with `%` and `_` literal."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, or_

from product_importer.catalog.schemas import ProductFilter
from product_importer.core.ids import id_range


def conditions(entity: Any, criteria: ProductFilter) -> list[ColumnElement[bool]]:
    """Return the conditions that a product must meet; `entity` has the table's columns as attributes."""
    found = match_texts(criteria, lambda field, term: getattr(entity, field).icontains(term, autoescape=True))
    found += (_in_attribute(entity, *given) for given in criteria.attributes.items())
    if criteria.active is not None:
        found.append(entity.active.is_(criteria.active))
    if criteria.import_id is not None:
        found.append(entity.id.between(*id_range(criteria.import_id)))
    return found


def _in_attribute(entity: Any, name: str, term: str) -> ColumnElement[bool]:
    value = entity.attributes[name].astext
    found: ColumnElement[bool] = value.icontains(term, autoescape=True) if term else value.is_not(None)
    return found


def match_texts(
    criteria: ProductFilter, contains: Callable[[str, str], ColumnElement[bool]]
) -> list[ColumnElement[bool]]:
    """Return the conditions on texts; `contains(field, term)` makes each."""
    terms = {"sku": criteria.sku, "name": criteria.name, "description": criteria.description}
    found = [contains(field, term) for field, term in terms.items() if term]
    if criteria.q:
        found.append(or_(*(contains(field, criteria.q) for field in terms)))
    return found
