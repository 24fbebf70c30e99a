"""What changed a product: by hand, by imports, by their undos; as far back as it is known."""

from itertools import pairwise
from uuid import UUID

import pytest
from sqlmodel import select

from product_importer.access.principal import Principal, PrincipalKind, acting_as
from product_importer.access.schemas import ROLE_PERMISSIONS, Role
from product_importer.catalog import service
from product_importer.catalog.history.reading import list_history, list_newest
from product_importer.catalog.history.schemas import HistoryEntry
from product_importer.catalog.models import Product
from product_importer.catalog.schemas import ProductCreate, ProductRead, ProductUpdate
from product_importer.core import db
from product_importer.core.errors import Conflict, NotFound
from product_importer.core.ids import new_id
from product_importer.core.pagination import PageQuery
from product_importer.imports import service as imports
from product_importer.imports import tasks, undo_indexes
from product_importer.imports.retention import prune
from tests.catalog.conftest import events
from tests.imports.conftest import execute

ANN = Principal(PrincipalKind.PERSON, ROLE_PERMISSIONS[Role.EDITOR], id=new_id(), name="ann@shop.example")
BOB = Principal(PrincipalKind.TOKEN, ROLE_PERMISSIONS[Role.EDITOR], id=new_id(), name="nightly")
HEADER = "sku,name,description,colour\n"


def id_of(sku: str = "A") -> UUID:
    return db.run(lambda session: session.scalars(select(Product.id).where(Product.sku == sku)).one())


def entries(product_id: UUID, **query: int) -> list[HistoryEntry]:
    return db.run(list_history, product_id, PageQuery(**query)).items


def told(product_id: UUID) -> list[tuple]:
    """Return each entry: version, kind, name, file."""
    return [(entry.version, entry.kind.value, entry.by, entry.filename) for entry in entries(product_id)]


def changes(entry: HistoryEntry) -> dict[str, tuple] | None:
    return None if entry.changes is None else {one.field: (one.before, one.after) for one in entry.changes}


def by_import(run_import, content: str, filename: str, by: Principal = ANN) -> UUID:
    with acting_as(by):
        return run_import(HEADER + content, filename).id


def by_hand(product_id: UUID, by: Principal = BOB, **fields: object) -> ProductRead:
    with acting_as(by):
        return db.run(service.update_product, product_id, ProductUpdate.model_validate(fields))


def undo(job_id: UUID) -> None:
    with acting_as(BOB):
        db.run(imports.undo_import, job_id)
    tasks.run_undo(str(job_id))


def test_changes_by_hand_are_told_with_their_values(database):
    with acting_as(ANN):
        given = ProductCreate(sku="A", name="Cup", attributes={"colour": "red", "size": "M"})
        product = db.run(service.create_product, given)
    by_hand(product.id, name="Mug", attributes={"colour": "blue", "weight": "1 kg"})
    newest, first = entries(product.id)
    assert told(product.id) == [(2, "updated", BOB.name, None), (1, "created", ANN.name, None)]
    assert changes(newest) == {
        "name": ("Cup", "Mug"),
        "attribute.colour": ("red", "blue"),
        "attribute.size": ("M", ""),
        "attribute.weight": ("", "1 kg"),
    }
    assert changes(first) == {
        "sku": (None, "A"),
        "name": (None, "Cup"),
        "active": (None, True),
        "attribute.colour": (None, "red"),
        "attribute.size": (None, "M"),
    }


def test_a_chain_of_imports_edits_and_undos_is_told_with_old_and_new_values(run_import):
    first = by_import(run_import, "A,one,x,red\n", "first.csv")
    product_id = id_of()
    by_hand(product_id, name="two")
    second = by_import(run_import, "A,three,y,\nB,new,,\n", "second.csv")
    assert told(product_id) == [
        (3, "updated", ANN.name, "second.csv"),
        (2, "updated", BOB.name, None),
        (1, "created", ANN.name, "first.csv"),
    ]
    before = [changes(entry) for entry in entries(product_id)]
    assert before[0] == {"name": ("two", "three"), "description": ("x", "y"), "attribute.colour": ("red", "")}
    assert before[1] == {"name": ("one", "two")}
    assert before[2] == {
        "sku": (None, "A"),
        "name": (None, "one"),
        "description": (None, "x"),
        "active": (None, True),
        "attribute.colour": (None, "red"),
    }
    undo(second)
    undone, *rest = entries(product_id)
    assert (undone.version, undone.kind, undone.by, undone.job_id) == (4, "undone", BOB.name, second)
    assert changes(undone) == {"name": ("three", "two"), "description": ("y", "x"), "attribute.colour": ("", "red")}
    assert [changes(entry) for entry in rest] == before, "the import that was undone is told as before"
    assert [entry.job_id for entry in rest] == [second, None, first]
    by_hand(product_id, description="z")
    assert [changes(entry) for entry in entries(product_id)][1:] == [changes(undone), *before]
    assert len({entry.at for entry in entries(product_id)}) == 5
    assert entries(product_id) == sorted(entries(product_id), key=lambda entry: entry.at, reverse=True)


def test_imports_undone_one_after_the_other_are_all_told(run_import):
    by_import(run_import, "A,one,x,\n", "first.csv")
    product_id = id_of()
    jobs = [by_import(run_import, f"A,{name},x,\n", f"{name}.csv") for name in ("two", "three")]
    undo(jobs[1])
    undo(jobs[0])
    assert [(entry.version, entry.kind, entry.filename, changes(entry)) for entry in entries(product_id)][:-1] == [
        (5, "undone", "two.csv", {"name": ("two", "one")}),
        (4, "undone", "three.csv", {"name": ("three", "two")}),
        (3, "updated", "three.csv", {"name": ("two", "three")}),
        (2, "updated", "two.csv", {"name": ("one", "two")}),
    ]


def test_what_is_kept_no_longer_is_a_gap(run_import):
    by_import(run_import, "A,one,x,\n", "first.csv")
    product_id = id_of()
    by_import(run_import, "A,two,x,\n", "second.csv")
    execute("UPDATE import_job SET finished_at = finished_at - interval '30 days'")
    db.run(prune)
    assert told(product_id) == [(2, "updated", None, None), (1, "created", ANN.name, "first.csv")]
    assert [entry.changes for entry in entries(product_id)] == [None, None]
    by_import(run_import, "A,three,x,\n", "third.csv")
    execute("UPDATE product SET version = 9")
    newest, third, _ = entries(product_id)
    assert (newest.version, newest.changes) == (9, None)
    # What was before is known; whether the import changed the description, too, is not.
    assert {one: values for one, values in (changes(third) or {}).items() if values[0]} == {
        "name": ("two", None),
        "description": ("x", None),
        "active": (True, None),
    }


def test_a_deleted_and_restored_product_keeps_its_history(run_import, client):
    by_import(run_import, "A,one,x,red\n", "first.csv")
    product_id = id_of()
    created_at = db.run(service.read_product, product_id).created_at
    with acting_as(BOB):
        deleted = db.run(service.delete_product, product_id)
    assert told(product_id) == [(1, "deleted", BOB.name, None), (1, "created", ANN.name, "first.csv")]
    assert (changes(entries(product_id)[0]) or {})["attribute.colour"] == ("red", None)
    assert client.get(f"/api/products/{product_id}/history").json()["total"] == 2
    with acting_as(ANN):
        restored = db.run(service.restore_product, deleted)
    assert (restored.id, restored.version, restored.created_at) == (product_id, 2, created_at)
    assert restored == db.run(service.read_product, product_id)
    assert restored.model_copy(update={"version": 1, "updated_at": deleted.updated_at}) == deleted
    assert told(product_id)[0] == (2, "restored", ANN.name, None) and entries(product_id)[0].changes == []
    assert [event["event_type"] for event in events()][-2:] == ["product_deleted", "product_created"]
    assert db.run(service.restore_product, deleted) == restored, "once is enough"
    assert len(told(product_id)) == 3


def test_a_product_is_not_restored_when_another_one_has_its_sku(database):
    product = db.run(service.create_product, ProductCreate(sku="A", name="A"))
    deleted = db.run(service.delete_product, product.id)
    other = db.run(service.create_product, ProductCreate(sku=" a ", name="Other"))
    with pytest.raises(Conflict, match="“A” is taken by another product") as raised:
        db.run(service.restore_product, deleted)
    assert raised.value.extra["product_id"] == str(other.id)
    assert told(product.id)[0][1] == "deleted"


def test_that_all_products_were_deleted_is_told(database):
    product = db.run(service.create_product, ProductCreate(sku="A", name="A"))
    with acting_as(ANN):
        db.run(service.delete_all_products)
    assert told(product.id) == [(1, "deleted", ANN.name, None), (1, "created", None, None)]


def test_an_undo_that_removed_a_product_is_told_where_something_is_known_of_it(run_import):
    job = by_import(run_import, "A,one,x,\n", "first.csv")
    product_id = id_of()
    second = by_import(run_import, "A,two,x,\n", "second.csv")
    undo(second)
    undo(job)
    newest = entries(product_id)[0]
    assert (newest.kind, newest.job_id, newest.by) == ("deleted", job, BOB.name)
    numbered = UUID(int=product_id.int + 1)
    with pytest.raises(NotFound):
        entries(numbered)


def test_pages_continue_each_other(run_import):
    by_import(run_import, "A,one,x,\n", "first.csv")
    product_id = id_of()
    for number in range(5):
        by_hand(product_id, name=f"name {number}")
        by_import(run_import, f"A,file {number},x,\n", f"{number}.csv")
    whole = entries(product_id)
    assert len(whole) == 11 and all(entry.changes for entry in whole)
    pages = [db.run(list_history, product_id, PageQuery(page=number, page_size=3)) for number in range(1, 6)]
    assert [entry for page in pages for entry in page.items] == whole
    assert [(page.total, page.pages, page.total_is_exact) for page in pages] == [(11, 4, True)] * 5
    assert [db.run(list_newest, product_id, most) for most in (4, 50)] == [(whole[:4], 11), (whole, 11)]


def test_overwritten_values_are_indexed_behind_the_import(run_import):
    by_import(run_import, "A,one,x,\n", "first.csv")
    assert not db.run(undo_indexes.step), "it has overwritten nothing"
    second = by_import(run_import, "A,two,x,\n", "second.csv")
    third = by_import(run_import, "A,three,x,\n", "third.csv")
    assert [db.run(undo_indexes.step) for _ in range(3)] == [True, True, False]
    with db.engine().connect() as connection:
        indexed = connection.exec_driver_sql(
            "SELECT tablename FROM pg_indexes WHERE indexname LIKE 'ix_import_undo_of%%'"
        ).scalars()
        assert sorted(indexed) == sorted(f"import_undo_of_{job.hex}" for job in (second, third))
    assert [changes(entry) for entry in entries(id_of())][:2] == [
        {"name": ("two", "three")},
        {"name": ("one", "two")},
    ]
    undo(third)
    undo(second)
    assert db.run(service.read_product, id_of()).name == "one"


def test_a_table_that_is_gone_hides_no_other(run_import):
    by_import(run_import, "A,one,x,\n", "first.csv")
    second = by_import(run_import, "A,two,x,\n", "second.csv")
    by_import(run_import, "A,three,x,\n", "third.csv")
    # As if it were dropped between being found and being read.
    execute(f"ALTER TABLE import_undo_of_{second.hex} DROP COLUMN attributes")
    assert told(id_of()) == [(3, "updated", ANN.name, "third.csv"), (1, "created", ANN.name, "first.csv")]


def test_old_undos_of_which_less_was_kept_are_told(run_import):
    by_import(run_import, "A,one,x,\n", "first.csv")
    undo(by_import(run_import, "A,two,x,\n", "second.csv"))
    execute("UPDATE import_undo_restored SET job_id = NULL, overwritten = NULL")
    undone, first = entries(id_of())
    assert (undone.version, undone.kind, undone.job_id, undone.changes) == (3, "undone", None, None)
    assert changes(first) == {
        "sku": (None, "A"),
        "name": (None, "one"),
        "description": (None, "x"),
        "active": (None, True),
    }


def test_a_reader_of_long_texts_gets_them_cut(run_import):
    by_import(run_import, f"A,one,{'x' * 20_000},\n", "first.csv")
    by_import(run_import, f"A,one,{'y' * 20_000},\n", "second.csv")
    [change] = entries(id_of())[0].changes or []
    assert str(change.before).startswith("xxx") and len(str(change.before)) < 10_100
    assert str(change.after).endswith("(20,000 characters)")


def test_times_never_rise_towards_the_past(run_import):
    by_import(run_import, "A,one,x,\n", "first.csv")
    by_import(run_import, "A,two,x,\n", "second.csv")
    by_hand(id_of(), name="three")
    execute("UPDATE import_job SET finished_at = now() + interval '1 day'")
    found = entries(id_of())
    assert all(newer.at >= older.at for newer, older in pairwise(found))
