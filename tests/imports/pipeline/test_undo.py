"""Undo an import completely or not at all; products changed since are kept."""

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from product_importer.catalog import service as catalog
from product_importer.catalog.schemas import ProductUpdate
from product_importer.core import db, outbox, queue
from product_importer.core.errors import Conflict
from product_importer.core.pagination import PageQuery
from product_importer.imports import retention, service, tasks
from product_importer.imports.pipeline import undo
from product_importer.imports.progress import current
from product_importer.imports.reconciler import reconcile
from product_importer.imports.schemas import ImportRead, ImportUndo
from tests.imports.pipeline.test_runner import csv_of, fetch

HEAD = "sku,name,description,active,colour"
FIRST = csv_of("a,Apple,red,yes,r", "b,Bread,brown,no,b", "c,Cake,sweet,yes,", header=HEAD)
SECOND = csv_of("a,Apple,green,no,g", "b,Bread,brown,no,b", "n,New,x,yes,y", "m,More,x,yes,y", header=HEAD)


def catalogue() -> dict[str, tuple]:
    rows = fetch("SELECT sku, name, description, active, attributes FROM product")
    return {sku: tuple(rest) for sku, *rest in rows}


def run_undo(job: ImportRead) -> ImportUndo:
    db.run(service.undo_import, job.id)
    tasks.run_undo(str(job.id))
    undone = current(job.id).undo
    assert undone is not None
    return undone


def change(sku: str, **fields) -> None:
    [(product_id,)] = fetch(f"SELECT id FROM product WHERE sku = '{sku}'")
    db.run(catalog.update_product, product_id, ProductUpdate(**fields))


def kept(job) -> dict[str, str]:
    return {item.sku: item.reason for item in db.run(service.list_undo_kept, job.id, PageQuery()).items}


def undo_tables() -> list:
    return fetch("SELECT tablename FROM pg_tables WHERE tablename LIKE 'import_undo_of_%%'")


def test_created_products_are_deleted_and_updated_ones_restored(run_import):
    run_import(FIRST)
    run_import(FIRST.replace("b,Bread", "b,Loaf"))
    before, versions = catalogue(), dict(fetch("SELECT sku, version FROM product"))
    job = run_import(SECOND.replace("b,Bread", "b,Loaf"))
    assert job.undo.status == "possible"
    undone = run_undo(job)
    assert (undone.status, undone.removed, undone.restored, undone.kept) == ("undone", 2, 1, 0)
    assert catalogue() == before
    after = dict(fetch("SELECT sku, version FROM product"))
    assert after == versions | {"a": versions["a"] + 2}, "an undo must raise the version"
    assert len(undo_tables()) == 1, "only the undo data of the undone import must be deleted"


def test_products_changed_since_are_kept_and_listed(run_import):
    run_import(FIRST)
    job = run_import(SECOND)
    change("a", description="mine")
    change("n", name="mine, too")
    undone = run_undo(job)
    assert (undone.removed, undone.restored, undone.kept) == (1, 0, 2)
    assert set(catalogue()) == {"a", "b", "c", "n"}
    assert catalogue()["a"][1] == "mine"
    assert set(kept(job)) == {"a", "n"}
    assert "changed" in kept(job)["a"]


def test_products_deleted_since_stay_deleted(run_import):
    run_import(FIRST)
    job = run_import(SECOND)
    with db.engine().begin() as connection:
        connection.exec_driver_sql("DELETE FROM product WHERE sku IN ('a', 'n')")
    undone = run_undo(job)
    assert (undone.removed, undone.restored, undone.kept) == (1, 0, 1)
    assert set(catalogue()) == {"b", "c"}
    assert [reason for reason in kept(job).values() if "deleted" in reason]


def test_several_imports_are_undone_one_after_the_other(run_import):
    jobs = [run_import(csv_of(f"a,Name {n},x", f"only-{n},x,x")) for n in range(4)]
    for job in reversed(jobs):
        undone = run_undo(job)
        assert undone.kept == 0
    assert catalogue() == {}


def test_an_undo_out_of_order_keeps_products_changed_by_later_imports(run_import):
    first, second, third = (run_import(csv_of(f"a,Name {n},x")) for n in range(3))
    assert run_undo(second).kept == 1, "the third import has changed the product since"
    assert run_undo(third).restored == 1
    assert catalogue()["a"][0] == "Name 1"
    assert run_undo(first).kept == 1
    assert catalogue()["a"][0] == "Name 1"


def test_a_cancelled_import_can_be_undone(run_import):
    run_import(FIRST)
    job = run_import(SECOND)
    with db.engine().begin() as connection:
        connection.exec_driver_sql(f"UPDATE import_job SET status = 'cancelled' WHERE id = '{job.id}'")
    assert run_undo(current(job.id)).removed == 2


def test_an_undone_import_is_neither_undone_again_nor_retried(run_import):
    job = run_import(SECOND)
    run_undo(job)
    for action in (service.undo_import, service.retry_import):
        with pytest.raises(Conflict):
            db.run(action, job.id)
    assert current(job.id).undo.removed == 4
    # The same file can be imported again.
    assert run_import(SECOND).created == 4


def test_an_import_without_changes_cannot_be_undone(run_import):
    for job in (run_import(csv_of(",x,y")), run_import(FIRST, dry_run="true")):
        assert job.undo is None
        with pytest.raises(Conflict) as raised:
            db.run(service.undo_import, job.id)
        assert raised.value.kind == "not-undoable"


def test_an_undo_that_no_worker_has_is_queued_again(run_import):
    job = run_import(FIRST)
    db.run(service.undo_import, job.id)
    assert queue.waiting_keys(service.RUN_UNDO) == {str(job.id)}
    assert current(job.id).undo.status == "pending"
    with pytest.raises(Conflict):
        db.run(catalog.delete_all_products)
    from product_importer.core import redis

    redis.client().flushdb()
    db.run(reconcile)
    assert queue.waiting_keys(service.RUN_UNDO) == set(), "a notification has some seconds to arrive"
    with db.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE import_job SET undo_requested_at = now() - interval '1 minute'")
    db.run(reconcile)
    assert queue.waiting_keys(service.RUN_UNDO) == {str(job.id)}


def test_an_undo_does_not_wait_for_a_backup_that_reads_its_table(run_import):
    run_import(FIRST)
    job = run_import(SECOND)
    [(table,)] = fetch(f"SELECT undo_table FROM import_job WHERE id = '{job.id}'")
    with db.engine().begin() as backup:
        backup.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
        undone = run_undo(job)
        assert (undone.status, undone.removed, undone.restored, undone.kept) == ("undone", 2, 1, 0)
        db.run(retention.prune)
        assert (table,) in undo_tables()
    db.run(retention.prune)
    assert (table,) not in undo_tables() and current(job.id).undo == undone


def test_a_killed_undo_changes_nothing_and_can_be_repeated(run_import, monkeypatch):
    run_import(FIRST)
    job = run_import(SECOND)
    held = catalogue()
    db.run(service.undo_import, job.id)
    with monkeypatch.context() as patch:
        patch.setattr(undo, "END", "SELECT pg_terminate_backend(pg_backend_pid())")
        tasks.run_undo(str(job.id))
    assert catalogue() == held
    tasks.run_undo(str(job.id))
    assert current(job.id).undo.removed == 2


def test_two_workers_undo_an_import_once(run_import):
    job = run_import(csv_of(*(f"s{n},x,y" for n in range(2_000))))
    db.run(service.undo_import, job.id)
    with ThreadPoolExecutor() as pool:
        list(pool.map(tasks.run_undo, [str(job.id)] * 3))
    done = current(job.id).undo
    assert (done.status, done.removed, done.kept) == ("undone", 2_000, 0)


def test_an_undo_records_an_event_for_each_product_if_wanted(run_import, monkeypatch):
    monkeypatch.setattr(outbox, "WANTS_EACH", [lambda _: True])
    run_import(FIRST)
    job = run_import(SECOND)
    with db.engine().begin() as connection:
        connection.exec_driver_sql("DELETE FROM event")
    run_undo(job)
    events = fetch("SELECT event_type, payload->>'sku' FROM event ORDER BY id")
    assert sorted(events) == [("product_deleted", "m"), ("product_deleted", "n"), ("product_updated", "a")]


def test_only_an_import_stores_the_values_that_it_overwrites(run_import):
    run_import(FIRST)
    job = run_import(SECOND)
    [(table,)] = fetch(f"SELECT undo_table FROM import_job WHERE id = '{job.id}'")
    change("b", name="Bun")
    assert fetch(f"SELECT name, description, active, attributes, version FROM {table}") == [
        ("Apple", "red", True, {"colour": "r"}, 1)
    ]
    with pytest.raises(psycopg2.errors.UndefinedTable), db.engine().connect() as connection:
        raw = connection.connection.driver_connection
        undo.keep_overwritten(raw.cursor(), "no_such_table")
        raw.cursor().execute("UPDATE product SET name = name || '!'")
