"""Without triggers, the application notes exactly what triggers note elsewhere."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from product_importer import migrations
from product_importer.catalog import distributed, service
from product_importer.catalog.schemas import ProductCreate, ProductUpdate
from product_importer.catalog.search import indexer
from product_importer.core import db
from product_importer.core.errors import Conflict
from tests.databases import new_database
from tests.imports.pipeline.test_runner import csv_of, fetch
from tests.imports.pipeline.test_undo import run_undo

HEAD = "sku,name,description,active,colour"
FIRST = csv_of(*(f"s{n:04},Name {n},x,yes,red" for n in range(2_500)), header=HEAD)
UNDO_TABLES = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'import_undo_of_%%' ORDER BY 1"
# A product that is gone is named by its absence. Ranges are written side by side, so in any order.
CHANGES = """
SELECT number, (SELECT array_agg(coalesce(sku, 'gone') ORDER BY place)
    FROM unnest(product_ids) WITH ORDINALITY AS noted (id, place) LEFT JOIN product USING (id))
FROM product_change ORDER BY 2, 1
"""
# Products that are gone have no SKU to be told apart by.
OVERWRITTEN = """
SELECT sku, u.version, u.name, u.description, u.active, u.attributes FROM {table} AS u LEFT JOIN product AS p
ON p.id = u.product_id ORDER BY sku, u.name
"""

Notes = tuple[list[Any], ...]


@pytest.fixture(params=["plain", "distributed"], scope="module")
def shape(request, servers: None) -> Iterator[str]:
    """A database whose table of products has triggers, and one whose has none."""
    with new_database("", pytest.MonkeyPatch()) as engine:
        migrations.migrate()
        if request.param == "distributed":
            with engine.begin() as connection:
                distributed.reshape(connection.connection.cursor())
            with db.session() as session:
                distributed.note_truncation(session)
        yield request.param


@pytest.fixture(scope="module")
def noted() -> dict[str, dict[str, Notes]]:
    """What each step has noted, by shape."""
    return {}


def notes() -> Notes:
    tables = [table for (table,) in fetch(UNDO_TABLES)]
    return (
        [tuple(row) for row in fetch(CHANGES)],
        [tuple(row) for row in fetch("SELECT delta FROM product_count ORDER BY 1")],
        [[tuple(row) for row in fetch(OVERWRITTEN.format(table=table))] for table in tables],
        [tuple(row) for row in fetch("SELECT sku, name, active, attributes, version FROM product ORDER BY sku_key")],
    )


def id_of(sku: str) -> Any:
    [(product_id,)] = fetch(f"SELECT id FROM product WHERE sku = '{sku}'")
    return product_id


def steps(run_import: Callable[..., Any]) -> Iterator[str]:
    run_import(FIRST)
    yield "new"
    run_import(FIRST.replace(",red", ",blue", 1_500))
    yield "changed"
    job = run_import(csv_of("s0001,Other,x,no,", "new,New,x,yes,red", header=HEAD))
    yield "few"
    run_undo(job)
    yield "undone"
    product = db.run(service.create_product, ProductCreate(sku="one", name="One"))
    yield "created"
    with pytest.raises(Conflict):
        db.run(service.create_product, ProductCreate(sku="ONE", name="Again"))
    with pytest.raises(Conflict):
        db.run(service.update_product, product.id, ProductUpdate(sku="s0002"))
    yield "refused"
    db.run(service.update_product, product.id, ProductUpdate(name="Eins"))
    db.run(service.update_product, product.id, ProductUpdate(name="Eins"))
    yield "edited"
    moved = db.run(service.update_product, product.id, ProductUpdate(sku="two"), 2)
    assert (moved.id, moved.version, moved.created_at) == (product.id, 3, product.created_at)
    yield "renamed"
    deleted = db.run(service.delete_product, product.id)
    yield "deleted"
    db.run(service.restore_product, deleted)
    yield "restored"
    assert db.run(indexer.collect) > 0
    yield "collected"
    assert db.run(service.delete_all_products) == 2_501
    yield "emptied"


def test_each_step_notes_the_same(shape, noted, run_import):
    seen = noted.setdefault(shape, {})
    for step in steps(run_import):
        seen[step] = notes()
    assert seen["new"][0] and seen["changed"][2] and seen["emptied"][0] == seen["emptied"][1] == []
    if shape == "distributed":
        assert set(noted) == {"plain", "distributed"}, "the plain shape comes first"
        for step, expected in noted["plain"].items():
            assert seen[step] == expected, step
