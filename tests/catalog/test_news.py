"""Each write of products gives another stamp, and a look says what became of a list or a product."""

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event

from product_importer.catalog import news, service
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.product.live_state import Followed
from product_importer.catalog.schemas import ProductCreate, ProductQuery, ProductUpdate
from product_importer.catalog.search import indexer
from product_importer.core import db
from product_importer.imports import tasks
from tests.imports.conftest import upload

FILE = b"sku,name,description\n" + b"".join(b"N-%d,Mug,x\n" % number for number in range(1_200))


def create(sku: str) -> UUID:
    return db.run(service.create_product, ProductCreate(sku=sku, name="Mug")).id


def stamp() -> news.Stamp:
    return db.run(news.stamp)


def do_import() -> None:
    tasks.run_import(str(upload(FILE)))


def test_the_stamp_stays_while_nobody_writes(database):
    create("A-1")
    assert stamp() == stamp()


@pytest.mark.parametrize("what", ["create", "update", "delete", "delete all", "import"])
def test_each_write_gives_another_stamp(database, what: str):
    product_id = create("A-1")
    before = stamp()
    if what == "create":
        create("A-2")
    elif what == "update":
        db.run(service.update_product, product_id, ProductUpdate(name="Cup"))
    elif what == "delete":
        db.run(service.delete_product, product_id)
    elif what == "delete all":
        db.run(service.delete_all_products)
    else:
        do_import()
    assert stamp() != before


def test_an_import_whose_changes_were_indexed_meanwhile_is_noticed(database):
    before = stamp()
    do_import()
    assert db.run(indexer.collect) > 0
    assert stamp() != before


def test_a_write_is_noticed_once_it_is_committed_also_behind_a_later_one(database):
    create("A-1")
    with db.session() as session:
        service.create_product(session, ProductCreate(sku="A-2", name="Mug"))
        create("A-3")
        before = stamp()
    assert stamp() != before


def test_a_look_has_the_page_and_what_became_of_the_others(database):
    first, second, third = create("A-1"), create("A-2"), create("A-3")
    gone = uuid4()
    found = db.run(news.look, ProductQuery(page_size=1), {first, second, third, gone})
    assert [product.id for product in found.page.items] == [third]
    assert {product.id for product in found.others} == {first, second}


def test_a_tab_takes_newer_versions_from_a_look_and_no_older_ones(database):
    id = create("A-1")
    earlier = db.run(news.look, ProductQuery(), {id})
    db.run(service.update_product, id, ProductUpdate(name="Cup"))
    later = db.run(news.look, ProductQuery(), {id})
    for shown, seen, names in ((earlier, later, ["Cup"]), (later, earlier, [])):
        tab = CatalogState(_reflex_internal_init=True)  # type: ignore[call-arg]
        tab._show_page(shown.page.items)
        tab._loaded_page(shown.page)
        tab._compare(seen)
        assert [row.cells["name"] for row in tab.changed.values()] == names
        assert tab._versions == {str(id): 2}


def test_one_query_reads_the_versions_of_all_products_that_tabs_show(database):
    first, second, gone = create("A-1"), create("A-2"), uuid4()
    db.run(service.update_product, second, ProductUpdate(name="Cup"))
    now, asked = stamp(), list[str]()

    def note(*given) -> None:
        asked.append(given[2])

    async def versions() -> list[int]:
        followed = Followed()
        with followed.by_a_tab(first), followed.by_a_tab(second), followed.by_a_tab(gone), followed.by_a_tab(first):
            return await asyncio.gather(*(followed.version(id, now) for id in (first, second, gone, first)))

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        assert asyncio.run(versions()) == [1, 2, 0, 1]
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)
    assert sum("FROM product " in statement for statement in asked) == 1
