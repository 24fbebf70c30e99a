"""What the overview says needs attention."""

from uuid import UUID

import pytest

from product_importer.catalog.schemas import ProductFilter
from product_importer.core import db, redis
from product_importer.core.queue import PRESENCE
from product_importer.imports import actions
from product_importer.imports import service as imports
from product_importer.imports.action_schemas import ProductAction
from product_importer.overview import attention
from product_importer.overview.attention import Item, Need
from product_importer.overview.pages.attention_words import ItemView
from product_importer.webhooks import service as webhooks
from product_importer.webhooks.schemas import WebhookCreate
from tests.imports.conftest import execute, upload
from tests.overview.test_numbers import HEAD, THREE, WRONG, run
from tests.webhooks.conftest import loopback_is_open  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def workers(database):
    """Workers of both queues report that they live."""
    for name in ("imports", "webhooks"):
        redis.client().zadd(PRESENCE.format(queue=name), {"test:1": 9e9})
    yield
    for name in ("imports", "webhooks"):
        redis.client().delete(PRESENCE.format(queue=name))


def found() -> list[Item]:
    return db.run(attention.find)


def needs() -> list[tuple[Need, UUID | None]]:
    return [(item.need, item.id) for item in found()]


def failed(filename: str = "catalogue.csv", days_ago: int = 0) -> UUID:
    job_id = upload(THREE.encode(), filename)
    execute(
        "UPDATE import_job SET status = 'failed', error_message = 'No.',"
        " finished_at = now() - make_interval(days => %s) WHERE id = %s",
        days_ago,
        str(job_id),
    )
    return job_id


def add_webhook() -> UUID:
    return db.run(webhooks.create_webhook, WebhookCreate(url="http://127.0.0.1:9999/")).id


def test_nothing_needs_attention_while_all_is_well():
    add_webhook()
    run(THREE)
    assert found() == []


def test_a_failed_import_needs_attention_until_it_is_retried():
    job_id = failed()
    assert needs() == [(Need.FAILED_IMPORT, job_id)]
    assert (found()[0].name, found()[0].detail) == ("catalogue.csv", "No.")
    db.run(imports.retry_import, job_id)
    assert found() == []


def test_a_corrected_file_of_the_same_name_settles_a_failed_import():
    job_id = failed()
    run(THREE, "other.csv")
    assert needs() == [(Need.FAILED_IMPORT, job_id)]
    run(THREE)
    assert found() == []


def test_what_failed_long_ago_is_in_the_history_only():
    failed(days_ago=attention.DAYS + 1)
    assert found() == []


def test_rejected_rows_need_attention_until_they_are_imported_again():
    job_id = run(WRONG)
    assert needs() == [(Need.REJECTED_ROWS, job_id)]
    assert found()[0].number == 3
    fixed = run(THREE)
    execute("UPDATE import_job SET parent_id = %s WHERE id = %s", str(job_id), str(fixed))
    assert found() == []


def test_more_of_a_kind_are_counted():
    for number in range(attention.MAX_NAMED + 2):
        failed(f"{number}.csv")
    *named, rest = found()
    assert [item.name for item in named] == ["4.csv", "3.csv", "2.csv"]
    assert (rest.number, rest.is_rest) == (2, True)
    assert ItemView.of(rest).title == "2 more imports or actions failed in the last 7 days"
    assert ItemView.of(rest).address == "/imports?status=failed"


def test_a_webhook_that_was_switched_off_and_one_that_fails_need_attention():
    disabled, failing, _ = add_webhook(), add_webhook(), add_webhook()
    execute("UPDATE webhook SET enabled = false, disabled_reason = '410' WHERE id = %s", str(disabled))
    execute("UPDATE webhook SET first_failed_at = now() WHERE id = %s", str(failing))
    for tries in (0, 1, 4):
        execute(
            "INSERT INTO webhook_delivery (id, webhook_id, event_id, event_type, tries)"
            " VALUES (gen_random_uuid(), %s, gen_random_uuid(), 'import_completed', %s)",
            str(failing),
            tries,
        )
    assert needs() == [(Need.DISABLED_WEBHOOK, disabled), (Need.FAILING_WEBHOOK, failing)]
    assert found()[1].number == 2
    assert ItemView.of(found()[1]).detail == "2 deliveries are tried again."
    assert ItemView.of(found()[1]).address == f"/webhooks/{failing}"


def test_a_webhook_that_a_person_switched_off_needs_nothing():
    webhook_id = add_webhook()
    execute("UPDATE webhook SET enabled = false WHERE id = %s", str(webhook_id))
    assert found() == []


def test_missing_workers_need_attention():
    redis.client().delete(PRESENCE.format(queue="imports"), PRESENCE.format(queue="webhooks"))
    assert needs() == [(Need.NO_WORKER, None)]
    add_webhook()
    assert needs() == [(Need.NO_WORKER, None), (Need.NO_WEBHOOK_WORKER, None)]


def test_a_text_index_that_is_far_behind_is_said(monkeypatch: pytest.MonkeyPatch):
    run(f"{HEAD}A-1,Mug,x\nA-2,Cup,x\n")
    monkeypatch.setattr(attention, "MAX_UNINDEXED", 1)
    assert [(item.need, item.number) for item in found()] == [(Need.INDEX_BEHIND, 2)]


def test_a_failed_action_is_settled_by_the_same_action_only():
    run(THREE)
    job_id = act("failed", sku="A-1")
    [item] = found()
    assert (item.need, item.id, item.is_action) == (Need.FAILED_IMPORT, job_id, True)
    shown = ItemView.of(item)
    assert (shown.title, shown.action) == ("The action “Delete products” failed", "See the action")
    act("completed", sku="A-2")
    assert needs() == [(Need.FAILED_IMPORT, job_id)]
    act("completed", sku="A-1")
    assert needs() == []


def act(status: str, **criteria: str) -> UUID:
    """Store an action that has ended."""
    job_id = db.run(actions.start_action, ProductFilter(**criteria), ProductAction(action="delete")).id
    execute("UPDATE import_job SET status = %s, finished_at = now() WHERE id = %s", status, str(job_id))
    return job_id
