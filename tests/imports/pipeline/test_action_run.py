"""Actions on products that are interrupted, cancelled, or meet imports: every product is written exactly once."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

import pytest

from product_importer.catalog.schemas import ProductFilter
from product_importer.core import db, outbox
from product_importer.core.settings import settings
from product_importer.imports import actions, service, tasks
from product_importer.imports.action_schemas import ProductAction
from product_importer.imports.progress import current
from tests.imports.conftest import execute, upload
from tests.imports.pipeline.test_runner import csv_of, fetch
from tests.waiting import wait_for

BATCH = 200
ROWS = 1_000
FILE = csv_of(*(f"s{number:04},Name {number},x" for number in range(ROWS)))
# Far more than it takes: a wait without end fails the test instead of stopping the run.
LIMIT_SECONDS = 60
END_OF_WORKER = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
EVENTS = """
SELECT event_type, payload ->> 'sku', version FROM event WHERE batch_id = '{}' ORDER BY id
"""


@pytest.fixture(autouse=True)
def many_batches(monkeypatch) -> None:
    monkeypatch.setattr(settings(), "batch_size", BATCH)


def start(action: str = "deactivate", **more) -> UUID:
    given = ProductAction.model_validate({"action": action, **more})
    return db.run(actions.start_action, ProductFilter(), given, is_confirmed=True).id


@contextmanager
def held(sku: str) -> Iterator[None]:
    """Keep a product locked during the block, so that the batch with it waits."""
    with db.engine().connect() as connection, connection.begin():
        connection.exec_driver_sql("SELECT FROM product WHERE sku = %s FOR UPDATE", (sku,))
        yield


@contextmanager
def stopped_midway(job_id: UUID) -> Iterator[Future[None]]:
    """Run an action that waits for its last product, once all other batches are done."""
    with ThreadPoolExecutor(1) as pool:
        with held(f"s{ROWS - 1:04}"):
            run = pool.submit(tasks.run_import, str(job_id))
            wait_for(lambda: current(job_id).processed_rows == ROWS - BATCH, LIMIT_SECONDS, "the last batch is left")
            yield run
        run.result(LIMIT_SECONDS)


@pytest.mark.parametrize("action", ["deactivate", "delete"])
def test_another_worker_goes_on_behind_what_is_done(run_import, action: str):
    run_import(FILE)
    job_id = start(action)
    with stopped_midway(job_id):
        execute(END_OF_WORKER, f"import {job_id}")
        execute("UPDATE import_job SET lease_until = now() - interval '1 s' WHERE id = %s", str(job_id))
    assert current(job_id).status == "processing", "the batch under way must be rolled back"
    tasks.run_import(str(job_id))
    job = current(job_id)
    assert (job.status, job.updated + job.deleted, job.unchanged) == ("completed", ROWS, 0)
    left = fetch("SELECT version, active, count(*) FROM product GROUP BY 1, 2")
    assert left == ([] if action == "delete" else [(2, False, ROWS)])
    assert fetch("SELECT fence FROM import_job WHERE action IS NOT NULL") == [(2,)]
    db.run(service.undo_import, job_id)
    tasks.run_undo(str(job_id))
    assert current(job_id).undo.restored == ROWS
    assert fetch("SELECT active, count(*) FROM product GROUP BY 1") == [(True, ROWS)]


def test_a_cancelled_action_keeps_what_is_done_and_is_retried_or_undone(run_import):
    run_import(FILE)
    job_id = start("delete")
    with stopped_midway(job_id):
        db.run(service.cancel_import, job_id)
    job = current(job_id)
    # The batch under way ends first.
    assert (job.status, job.total_rows) == ("cancelled", ROWS) and job.deleted >= ROWS - BATCH
    assert fetch("SELECT count(*) FROM product") == [(ROWS - job.deleted,)]
    db.run(service.retry_import, job_id)
    tasks.run_import(str(job_id))
    assert (current(job_id).status, current(job_id).deleted) == ("completed", ROWS)
    db.run(service.undo_import, job_id)
    tasks.run_undo(str(job_id))
    assert fetch("SELECT count(*) FROM product") == [(ROWS,)]


def test_a_product_that_no_longer_matches_at_its_turn_stays_as_it_is(run_import):
    run_import(FILE)
    job_id = db.run(actions.start_action, ProductFilter(name="Name"), ProductAction(action="delete")).id
    with ThreadPoolExecutor(1) as pool:
        with db.engine().connect() as connection, connection.begin():
            connection.exec_driver_sql("UPDATE product SET name = 'Kept' WHERE sku = 's0999'")
            run = pool.submit(tasks.run_import, str(job_id))
            wait_for(lambda: current(job_id).processed_rows == ROWS - BATCH, LIMIT_SECONDS, "the last batch is left")
        run.result(LIMIT_SECONDS)
    job = current(job_id)
    assert (job.status, job.deleted, job.unchanged) == ("completed", ROWS - 1, 1)
    assert fetch("SELECT sku FROM product") == [("s0999",)]


def test_products_that_come_after_its_beginning_are_not_taken(run_import):
    run_import(FILE)
    job_id = start("deactivate")
    with stopped_midway(job_id):
        execute("INSERT INTO product (id, sku, sku_key, name) VALUES (gen_random_uuid(), 'new', 'new', 'New')")
    assert current(job_id).total_rows == ROWS
    assert fetch("SELECT sku FROM product WHERE active") == [("new",)]


@pytest.mark.parametrize("action", ["deactivate", "delete"])
def test_an_action_and_an_import_of_the_same_products_both_complete(run_import, action: str):
    run_import(FILE)
    backwards = [f"S{number:04},Changed {number},y" for number in reversed(range(ROWS))]
    job_id, import_id = start(action), upload(csv_of(*backwards).encode())
    threads = [threading.Thread(target=tasks.run_import, args=[str(one)]) for one in (job_id, import_id)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_SECONDS)
    job, imported = current(job_id), current(import_id)
    assert (job.status, imported.status) == ("completed", "completed")
    assert job.updated + job.deleted == ROWS == imported.created + imported.updated
    if action == "delete":
        assert fetch("SELECT count(*) FROM product") == [(imported.created,)]
    else:
        assert fetch("SELECT version, active, description, count(*) FROM product GROUP BY 1, 2, 3") == [
            (3, False, "y", ROWS)
        ]


@pytest.mark.parametrize(
    ("action", "written", "undone"),
    [("deactivate", "product_updated", "product_updated"), ("delete", "product_deleted", "product_created")],
)
def test_each_product_has_an_event_where_a_webhook_wants_each(run_import, monkeypatch, action, written, undone):
    run_import(FILE)
    monkeypatch.setattr(outbox, "WANTS_EACH", [lambda _: True])
    job_id = start(action)
    tasks.run_import(str(job_id))
    version = 1 if action == "delete" else 2
    assert fetch(EVENTS.format(job_id)) == [(written, f"s{number:04}", version) for number in range(ROWS)]
    assert fetch(f"SELECT released_at IS NOT NULL FROM event_batch WHERE id = '{job_id}'") == [(True,)]
    db.run(service.undo_import, job_id)
    tasks.run_undo(str(job_id))
    [(batch,)] = fetch(f"SELECT id FROM event_batch WHERE id <> '{job_id}'")
    assert fetch(EVENTS.format(batch)) == [(undone, f"s{number:04}", version + 1) for number in range(ROWS)]


def test_a_deletion_sends_its_number_and_a_change_its_counts(run_import):
    run_import(FILE)
    execute("DELETE FROM event")
    for action in ("deactivate", "delete"):
        tasks.run_import(str(start(action)))
    fields = "payload -> 'counts', payload -> 'deleted', payload ->> 'filename'"
    sent = fetch(f"SELECT event_type, {fields} FROM event ORDER BY id")
    counts = {"total": ROWS, "updated": ROWS, **dict.fromkeys(("created", "unchanged", "duplicates", "rejected"), 0)}
    assert sent == [
        ("import_completed", counts, None, "Deactivate products"),
        ("products_deleted", None, ROWS, None),
    ]
