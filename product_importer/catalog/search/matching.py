"""Find all products that match a filter, in one pass over the catalogue or by the text index."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlmodel import Session

from product_importer.catalog.models import PRODUCTS
from product_importer.catalog.schemas import ProductFilter
from product_importer.catalog.search import estimate, product_query
from product_importer.catalog.search.candidates import candidates
from product_importer.catalog.search.filters import conditions


def all_ids(session: Session, criteria: ProductFilter) -> Select[tuple[UUID]]:
    """Return the statement that selects the ids of all products that match.

    The transaction must begin with `candidates.TRANSACTION`. Its planner settings may change.
    """
    found = conditions(PRODUCTS.c, criteria)
    matching = select(PRODUCTS.c.id).where(*found)
    size = product_query.catalogue_size(session)
    few = max(product_query.MAX_INDEXED, size * product_query.MAX_INDEXED_SHARE)
    if not found or size <= product_query.MAX_INDEXED or estimate.estimate(session, criteria, size, few).total > few:
        return matching
    ids = candidates(session, criteria, size)
    return matching if ids is None else matching.where(PRODUCTS.c.id.in_(ids))
