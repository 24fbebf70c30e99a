"""All ids that match are those of reading every row, also by a text index that is outdated."""

import pytest

from product_importer.catalog.schemas import ProductQuery, ProductUpdate
from product_importer.catalog.search import matching
from product_importer.catalog.search.candidates import TRANSACTION
from product_importer.catalog.service import update_product
from product_importer.core import db
from tests.catalog.search.test_product_query import QUERIES, STATES, matches, products, scale

__all__ = ["products", "scale"]


def found(query: ProductQuery) -> set:
    with db.session() as session:
        session.connection(execution_options=TRANSACTION)
        return set(session.scalars(matching.all_ids(session, query)))


@pytest.mark.parametrize("state", STATES)
def test_all_that_match_are_found_and_no_others(products, scale, state):
    state()
    for chosen in QUERIES:
        query = ProductQuery(**chosen)
        assert found(query) == {made.id for made in products if matches(made, query)}, query


def test_what_was_changed_since_it_was_indexed_is_found(products, scale):
    for state in STATES:
        state()
    db.run(update_product, products[10].id, ProductUpdate(name="rare name"))
    assert found(ProductQuery(name="rare name")) == {products[10].id}
