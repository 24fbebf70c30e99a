"""The history of products that actions have changed, deleted and brought back."""

from uuid import UUID

from product_importer.access.principal import acting_as
from product_importer.catalog import last_change, service
from product_importer.catalog.schemas import ProductFilter
from product_importer.core import db
from product_importer.imports import actions, tasks
from product_importer.imports.action_schemas import ProductAction
from tests.catalog.history.test_history import (
    ANN,
    BOB,
    by_hand,
    by_import,
    changes,
    entries,
    id_of,
    told,
    undo,
)
from tests.imports.conftest import execute


def by_action(**given: object) -> UUID:
    with acting_as(ANN):
        job = db.run(actions.start_action, ProductFilter(), ProductAction.model_validate(given), is_confirmed=True)
    tasks.run_import(str(job.id))
    return job.id


def kinds(product_id: UUID) -> list[tuple]:
    """Return of each entry: version, kind, name, and what the action does."""
    return [(entry.version, entry.kind.value, entry.by, entry.action) for entry in entries(product_id)]


def test_an_action_is_told_with_what_it_does_and_its_undo_too(run_import):
    by_import(run_import, "A,one,x,red\n", "first.csv")
    product_id = id_of()
    job = by_action(action="set", values={"active": False, "attributes": {"colour": "blue"}})
    newest = entries(product_id)[0]
    assert (newest.kind, newest.action, newest.job_id, newest.filename) == (
        "updated",
        "set",
        job,
        "Set active and colour of products",
    )
    assert changes(newest) == {"active": (True, False), "attribute.colour": ("red", "blue")}
    assert db.run(last_change.read, product_id).by == (ANN.name, job, newest.filename, "set")
    undo(job)
    assert kinds(product_id) == [
        (3, "undone", BOB.name, "set"),
        (2, "updated", ANN.name, "set"),
        (1, "created", ANN.name, None),
    ]


def test_a_deletion_by_an_action_is_told_with_what_it_deleted(run_import):
    by_import(run_import, "A,one,x,red\n", "first.csv")
    product_id = id_of()
    by_hand(product_id, name="two")
    job = by_action(action="delete")
    assert kinds(product_id) == [
        (2, "deleted", ANN.name, "delete"),
        (2, "updated", BOB.name, None),
        (1, "created", ANN.name, None),
    ]
    deleted = entries(product_id)[0]
    assert (deleted.job_id, deleted.filename) == (job, "Delete products")
    assert changes(deleted) == {
        "sku": ("A", None),
        "name": ("two", None),
        "description": ("x", None),
        "active": (True, None),
        "attribute.colour": ("red", None),
    }
    assert changes(entries(product_id)[1]) == {"name": ("one", "two")}


def test_a_product_of_which_only_a_deletion_is_known_is_told(run_import):
    by_import(run_import, "A,one,x,\n", "first.csv")
    product_id = id_of()
    by_action(action="delete", product_ids=[str(product_id)])
    assert told(product_id) == [(1, "deleted", ANN.name, "Delete products"), (1, "created", ANN.name, "first.csv")]


def test_what_an_undo_brought_back_is_told_as_restored(run_import):
    by_import(run_import, "A,one,x,red\n", "first.csv")
    product_id = id_of()
    second = by_import(run_import, "A,two,x,red\n", "second.csv")
    before = [changes(entry) for entry in entries(product_id)]
    undo(by_action(action="delete"))
    assert kinds(product_id) == [
        (3, "restored", BOB.name, "delete"),
        (2, "deleted", ANN.name, "delete"),
        (2, "updated", ANN.name, None),
        (1, "created", ANN.name, None),
    ]
    restored, deleted, *rest = entries(product_id)
    assert restored.changes == [] and (changes(deleted) or {})["attribute.colour"] == ("red", None)
    assert [changes(entry) for entry in rest] == before, "what was before it is told as before"
    undo(second)
    assert kinds(product_id)[0] == (4, "undone", BOB.name, None)
    assert changes(entries(product_id)[0]) == {"name": ("two", "one")}
    by_hand(product_id, description="z")
    by_action(action="delete")
    assert [(version, kind) for version, kind, *_ in kinds(product_id)][:3] == [
        (5, "deleted"),
        (5, "updated"),
        (4, "undone"),
    ]


def test_a_product_deleted_by_hand_after_it_was_brought_back_has_one_end_for_each(run_import):
    by_import(run_import, "A,one,x,\n", "first.csv")
    product_id = id_of()
    undo(by_action(action="delete"))
    with acting_as(BOB):
        db.run(service.delete_product, product_id)
    by_import(run_import, "B,other,x,\n", "second.csv")
    by_action(action="delete")
    assert [kind for _, kind, *_ in kinds(product_id)] == ["deleted", "restored", "deleted", "created"]


def test_a_deletion_that_is_forgotten_is_not_told_as_another_one(run_import):
    by_import(run_import, "A,one,x,\n", "first.csv")
    product_id = id_of()
    by_hand(product_id, name="two")
    job = by_action(action="delete")
    # As it is after `UNDO_DAYS`.
    execute(f"DROP TABLE import_undo_of_{job.hex}")
    execute("UPDATE import_job SET undo_table = NULL WHERE id = %s", str(job))
    assert kinds(product_id)[0] == (2, "updated", BOB.name, None)
    by_import(run_import, "B,other,x,\n", "second.csv")
    db.run(service.delete_all_products)
    assert kinds(product_id)[0] == (2, "updated", BOB.name, None)
