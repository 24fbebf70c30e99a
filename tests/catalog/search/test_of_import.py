"""The filter for the products that an import created."""

from itertools import product
from typing import Any
from uuid import UUID

import pytest

from product_importer.catalog import service
from product_importer.catalog.models import Product
from product_importer.catalog.schemas import ProductQuery
from product_importer.catalog.search import product_query
from product_importer.core import db
from product_importer.core.ids import id_prefix, new_id
from tests.catalog.search.test_product_query import catch_up, listed, scale, unindexed

__all__ = ["scale"]

OTHERS = 400
MADE = 300
CHOSEN: list[dict[str, Any]] = [
    {},
    {"active": False},
    {"name": "seven"},
    {"sku": "I-0001"},
    {"name": "seven", "active": True},
]


@pytest.fixture
def import_id(database) -> UUID:
    """Create products of an import between others, and return its id."""
    before = [Product(sku=f"B-{n:04}", sku_key=f"b-{n:04}", name="seven") for n in range(OTHERS)]
    made_by = new_id()
    made = [
        Product(
            id=UUID(hex=f"{id_prefix(made_by)}{n:08x}"),
            sku=f"I-{n:04}",
            sku_key=f"i-{n:04}",
            name="seven" if n % 7 == 0 else "other",
            active=n % 3 > 0,
        )
        for n in range(MADE)
    ]
    after = [Product(sku=f"A-{n:04}", sku_key=f"a-{n:04}", name="seven") for n in range(OTHERS)]
    with db.session() as session:
        session.add_all([*before, *made, *after])
    return made_by


@pytest.mark.parametrize("state", [unindexed, catch_up])
def test_only_what_the_import_created_is_listed(import_id, scale, state):
    state()
    for sort, chosen in product(["-created_at", "created_at", "sku", "name"], CHOSEN):
        found = listed(ProductQuery(**chosen, import_id=import_id, sort=sort, page_size=80))
        expected = {
            f"I-{n:04}"
            for n in range(MADE)
            if ("name" not in chosen or n % 7 == 0)
            and ("active" not in chosen or (n % 3 > 0) == chosen["active"])
            and chosen.get("sku", "") in f"I-{n:04}"
        }
        assert (len(found), set(found)) == (len(expected), expected), (sort, chosen)


def test_the_total_is_exact_up_to_a_bound(import_id, scale, monkeypatch):
    query = ProductQuery(import_id=import_id)
    page = db.run(service.list_products, query)
    assert (page.total, page.total_is_exact, page.items[0].sku) == (MADE, True, f"I-{MADE - 1:04}")
    monkeypatch.setattr(product_query, "MAX_INDEXED", 200)
    monkeypatch.setattr(product_query, "MAX_COUNTED_OF_IMPORT", 100)
    page = db.run(service.list_products, query)
    assert page.total > 100 and not page.total_is_exact
    last = db.run(service.list_products, query.model_copy(update={"page": 6}))
    assert (last.total, last.total_is_exact, len(last.items)) == (MADE, True, 50)


def test_rest_lists_and_exports_what_an_import_created(client, run_import):
    run_import("sku,name,description\nA-1,Before,x\nA-2,Before,x\n")
    job = run_import("sku,name,description\nA-1,Changed,x\nA-3,Made,x\nA-4,Made,x\n")
    items = client.get(f"/api/products?import={job.id}").json()["items"]
    assert [item["sku"] for item in items] == ["A-4", "A-3"]
    lines = client.get(f"/api/products/export?import={job.id}&columns=sku").text.split()
    assert lines == ["sku", "A-3", "A-4"]
    assert client.get("/api/products?import=x").json()["errors"][0]["field"] == "import"
    assert client.get(f"/api/products?import_id={job.id}").status_code == 422
    assert client.get(f"/api/products?import={new_id()}").json()["items"] == []
