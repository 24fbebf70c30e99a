"""From event to delivery: which webhooks get which events, in which order, and what delays them."""

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from product_importer.core import db, outbox, redis
from product_importer.core.messages import ProductsDeletedMessage
from product_importer.core.outbox import EventType
from product_importer.core.queue import JOBS
from product_importer.webhooks import reconciler, tasks
from product_importer.webhooks.delivery import http_attempt, outcomes, queue
from product_importer.webhooks.delivery.http_attempt import Outcome
from tests.catalog.conftest import create
from tests.imports.conftest import run_import
from tests.waiting import wait_for
from tests.webhooks.conftest import execute, fetch

__all__ = ["create", "run_import"]


def event_types(receiver) -> list[str]:
    return [message.headers["webhook-event"] for message in receiver.received]


def waiting() -> int:
    length: Any = redis.client().llen("rq:queue:webhooks")
    return length


def test_product_events_carry_the_product_s_version(client, webhook, receiver, create, send):
    webhook(receiver.url)
    product = create("SKU-1", "Mug")
    client.patch(f"/api/products/{product['id']}", json={"name": "Cup"})
    client.delete(f"/api/products/{product['id']}")
    client.delete("/api/products?confirm=true")
    send()
    by_event = {message.headers["webhook-event"]: message for message in receiver.received}
    assert set(by_event) == {"product_created", "product_updated", "product_deleted", "products_deleted"}
    created = json.loads(by_event["product_created"].body)
    assert created | {"timestamp": 0} == {
        "event_type": "product_created",
        "product_id": product["id"],
        "sku": "SKU-1",
        "name": "Mug",
        "timestamp": 0,
    }
    assert list(created) == ["event_type", "product_id", "sku", "name", "timestamp"]
    assert abs(created["timestamp"] - time.time()) < 60
    versions = {name: message.headers.get("webhook-product-version") for name, message in by_event.items()}
    assert versions == {
        "product_created": "1",
        "product_updated": "2",
        "product_deleted": "2",
        "products_deleted": None,
    }
    assert len({message.headers["webhook-id"] for message in receiver.received}) == 4


def test_each_webhook_gets_its_event_types_once(client, webhook, make_receiver, create, send):
    everything, updates, disabled, late = (make_receiver() for _ in range(4))
    webhook(everything.url)
    webhook(updates.url, event_types=["product_updated"])
    webhook(disabled.url, enabled=False)
    product = create()
    webhook(late.url)
    client.put(f"/api/products/{product['id']}", json={"name": "Other"})
    send()
    send()
    assert sorted(event_types(everything)) == ["product_created", "product_updated"]
    assert event_types(updates) == event_types(late) == ["product_updated"]
    assert event_types(disabled) == []
    assert fetch("SELECT count(*) FROM event WHERE dispatched_at IS NULL") == [(0,)]


def test_a_deleted_webhook_gets_nothing_more(client, webhook, receiver, create, send):
    made = webhook(receiver.url)
    create()
    db.run(queue.dispatch)
    client.delete(f"/api/webhooks/{made['id']}")
    send()
    assert receiver.received == []
    for _ in range(2):
        db.run(reconciler.reconcile)
        execute("UPDATE webhook SET deleted_at = deleted_at - interval '2 hours'")
    assert fetch("SELECT count(*) FROM webhook") == fetch("SELECT count(*) FROM webhook_delivery") == [(0,)]


def test_an_import_sends_one_message_and_writes_no_other_event(webhook, receiver, run_import, send):
    webhook(receiver.url)
    run_import("sku,name,description\na,A,\nb,B,\n,C,\n")
    send()
    [message] = receiver.received
    body = json.loads(message.body)
    assert list(body) == ["event_type", "job_id", "filename", "status", "counts", "timestamp"]
    assert (body["event_type"], body["status"]) == ("import_completed", "completed")
    assert body["counts"]["created"] == 2 and body["counts"]["rejected"] == 1
    assert fetch("SELECT count(*) FROM event") == [(1,)]


def test_each_product_of_an_import_is_sent_in_the_order_of_lines(
    client, webhook, make_receiver, run_import, send, monkeypatch
):
    monkeypatch.setattr(queue, "MAX_IN_FLIGHT_PER_WEBHOOK", 1)
    each, summary = make_receiver(), make_receiver()
    webhook(each.url, import_events="each")
    webhook(summary.url)
    rows = [f"S{(n * 7919) % 3000:04}" for n in range(3000)]
    run_import("sku,name,description\n" + "".join(f"{sku},Name {sku},\n" for sku in rows[:50]))
    send()
    assert event_types(summary) == ["import_completed"]
    assert sorted(event_types(each)) == ["import_completed"] + ["product_created"] * 50
    skus = [json.loads(message.body).get("sku") for message in each.received]
    assert [sku for sku in skus if sku] == rows[:50]
    body = json.loads(next(message.body for message in each.received if b"product_created" in message.body))
    assert list(body) == ["event_type", "product_id", "sku", "name", "timestamp"]
    [(found,)] = fetch(f"SELECT id FROM product WHERE sku = '{body['sku']}'")
    assert UUID(body["product_id"]) == found
    # The next import changes one, creates one, and leaves one as it is.
    del each.received[:]
    run_import(f"sku,name,description\nnew,New,\n{rows[1]},Changed,\n{rows[2]},Name {rows[2]},\n")
    send()
    rest = [message for message in each.received if b"import_completed" not in message.body]
    assert [message.headers["webhook-event"] for message in rest] == ["product_created", "product_updated"]
    assert [message.headers["webhook-product-version"] for message in rest] == ["1", "2"]
    assert fetch("SELECT count(*) FROM event_batch") == [(0,)]


def test_product_events_of_all_ranges_wait_for_the_import_s_end(webhook, receiver, run_import, send):
    webhook(receiver.url, import_events="each", event_types=["product_created"])
    run_import("sku,name,description\n" + "".join(f"S{n},Name,\n" for n in range(5000)))
    assert fetch("SELECT count(*), count(DISTINCT payload->>'sku') FROM event WHERE batch_id IS NOT NULL") == [
        (5000, 5000)
    ]
    while dispatched := db.run(queue.dispatch):
        assert dispatched <= queue.MAX_EVENTS_PER_DISPATCH + 1
    assert fetch("SELECT count(*) FROM webhook_delivery") == [(5000,)]


def test_two_senders_do_not_mix_up_the_order_of_lines(webhook, receiver, run_import, monkeypatch):
    monkeypatch.setattr(queue, "MAX_EVENTS_PER_DISPATCH", 2)
    webhook(receiver.url, import_events="each", event_types=["product_created"])
    run_import("sku,name,description\n" + "".join(f"{sku},Name,\n" for sku in "abcdef"))
    db.run(queue.dispatch)
    with db.session() as one, db.session() as other:
        # The other transaction begins earlier, and dispatches later.
        other.execute(text("SELECT now()"))
        assert queue.dispatch(one) == 2
        assert queue.dispatch(other) == 0
        one.commit()
        assert queue.dispatch(other) == 2
    skus = "SELECT payload->>'sku' FROM webhook_delivery JOIN event ON event.id = event_id ORDER BY next_attempt_at"
    assert [sku for (sku,) in fetch(f"{skus}, event_id")] == list("abcdef")


def test_fewer_events_are_dispatched_at_once_with_many_webhooks(webhook, receiver, create, monkeypatch):
    monkeypatch.setattr(queue, "MAX_DELIVERIES_PER_DISPATCH", 6)
    for number in range(3):
        webhook(f"{receiver.url}/{number}")
    for number in range(5):
        create(f"SKU-{number}")
    assert [db.run(queue.dispatch) for _ in range(4)] == [2, 2, 1, 0]
    assert fetch("SELECT count(*) FROM webhook_delivery") == [(15,)]


def test_events_of_an_unfinished_import_wait(webhook, receiver):
    webhook(receiver.url, import_events="each")
    batch = UUID(int=7)
    with db.session() as session:
        assert outbox.hold_batch(session, batch)
        session.add(outbox.Event(event_type="product_created", payload={}, batch_id=batch))
    assert db.run(queue.dispatch) == 0
    with db.session() as session:
        outbox.release_batch(session, batch)
    assert db.run(queue.dispatch) == 1


def test_a_slow_receiver_delays_no_other(webhook, make_receiver, create, send, monkeypatch):
    # No message ends before the slow receiver is released.
    monkeypatch.setattr(http_attempt, "TOTAL_SECONDS", 120.0)
    monkeypatch.setattr(queue, "CLAIM_SECONDS", 120)
    slow, quick = make_receiver(), make_receiver()
    release = threading.Event()

    def wait(handler) -> None:
        release.wait(90)
        slow.respond(handler)

    slow.answer = wait
    webhook(slow.url)
    webhook(quick.url)
    for number in range(60):
        create(f"SKU-{number}")
    sending = threading.Thread(target=send)
    sending.start()
    wait_for(lambda: len(quick.received) == 60, 45, "the quick receiver has its messages")
    assert len(slow.received) <= queue.MAX_IN_FLIGHT_PER_WEBHOOK
    release.set()
    sending.join(60)
    assert len(slow.received) == 60


def test_the_claims_of_a_killed_sender_expire(webhook, receiver, create, send):
    webhook(receiver.url)
    create()
    db.run(queue.dispatch)
    assert len(db.run(queue.claim, {}, 10)) == 1
    assert db.run(queue.claim, {}, 10) == []
    execute("UPDATE webhook_delivery SET claimed_until = now() - interval '1 second'")
    send()
    assert len(receiver.received) == 1


def test_two_senders_share_the_work(webhook, receiver, create):
    webhook(receiver.url)
    for number in range(8):
        create(f"SKU-{number}")
    with db.session() as one, db.session() as other:
        assert queue.dispatch(one) == 8
        assert queue.dispatch(other) == 0
    with db.session() as one, db.session() as other:
        first = {claim.delivery_id for claim in queue.claim(one, {}, 3)}
        second = {claim.delivery_id for claim in queue.claim(other, {}, 10)}
    assert len(first) == 3 and not first & second


def test_a_failing_receiver_has_fewer_deliveries_in_flight(webhook, receiver, create):
    made = webhook(receiver.url)
    for number in range(30):
        create(f"SKU-{number}")
    db.run(queue.dispatch)
    execute("UPDATE webhook SET first_failed_at = now()")
    assert len(db.run(queue.claim, {UUID(made["id"]): 1}, 100)) == queue.MAX_IN_FLIGHT_FAILING - 1
    execute("UPDATE webhook SET first_failed_at = NULL")
    assert len(db.run(queue.claim, {UUID(made["id"]): 3}, 100)) == queue.MAX_IN_FLIGHT_PER_WEBHOOK - 3


@pytest.mark.parametrize(("succeeds", "status"), [(False, "pending"), (True, "succeeded")])
def test_a_redelivery_during_an_attempt_is_sent_again_unless_the_attempt_succeeds(
    client, webhook, receiver, create, succeeds, status
):
    made = webhook(receiver.url)
    create()
    db.run(queue.dispatch)
    execute("UPDATE webhook_delivery SET attempts = 9, tries = 9")
    [last_attempt] = db.run(queue.claim, {}, 10)
    answer = client.post(f"/api/webhooks/{made['id']}/deliveries/{last_attempt.delivery_id}/redeliver")
    assert answer.json()["status"] == "pending"
    outcome = (
        Outcome(datetime.now(UTC), 1, status_code=200) if succeeds else Outcome(datetime.now(UTC), 1, error="no")
    )
    db.run(outcomes.record, [(last_attempt, outcome)])
    assert fetch("SELECT status, attempts FROM webhook_delivery") == [(status, 10)]
    assert len(db.run(queue.claim, {}, 10)) == (0 if succeeds else 1)


def test_many_events_make_one_notification_and_a_rollback_none(webhook, create, client):
    webhook("https://example.com/")
    assert waiting() == 0
    create("SKU-1")
    create("SKU-2")
    create("SKU-3")
    assert waiting() == 1
    redis.client().delete("rq:queue:webhooks")
    with pytest.raises(RuntimeError), db.session() as session:
        message = ProductsDeletedMessage(event_type=EventType.PRODUCTS_DELETED, deleted=1, timestamp=1)
        outbox.record(session, EventType.PRODUCTS_DELETED, message)
        outbox.record(session, EventType.PRODUCTS_DELETED, message)
        raise RuntimeError
    assert waiting() == 0


def test_the_reconciler_notifies_again_after_redis_is_wiped(webhook, receiver, create, send):
    webhook(receiver.url)
    create()
    redis.client().delete("rq:queue:webhooks")
    db.run(reconciler.reconcile)
    assert waiting() == 0, "the notification after the commit gets its time"
    execute("UPDATE event SET created_at = now() - interval '1 minute'")
    db.run(reconciler.reconcile)
    db.run(reconciler.reconcile)
    assert waiting() == 1
    execute("UPDATE webhook SET created_at = now() - interval '1 hour'")
    db.run(queue.dispatch)
    redis.client().delete("rq:queue:webhooks")
    db.run(reconciler.reconcile)
    assert waiting() == 0
    execute("UPDATE webhook_delivery SET next_attempt_at = now() - interval '1 minute'")
    db.run(reconciler.reconcile)
    assert waiting() == 1


def test_old_events_are_deleted_in_small_batches(webhook, receiver, create, send, monkeypatch):
    monkeypatch.setattr(reconciler, "MAX_DELETES", 2)
    webhook(receiver.url)
    for number in range(5):
        create(f"OLD-{number}")
    create("UNSENT")
    send()
    execute("UPDATE event SET dispatched_at = NULL WHERE payload->>'sku' = 'UNSENT'")
    monkeypatch.setattr(reconciler, "oldest_id", lambda days: UUID(int=2**128 - 1))
    left = []
    for _ in range(4):
        db.run(reconciler.prune)
        left.append(fetch("SELECT count(*) FROM event")[0][0])
    assert left == [4, 2, 1, 1]
    assert fetch("SELECT count(*) FROM webhook_delivery") == fetch("SELECT count(*) FROM webhook_attempt") == [(1,)]


def test_an_event_with_many_deliveries_is_deleted_in_small_batches(webhook, receiver, create, send, monkeypatch):
    monkeypatch.setattr(reconciler, "MAX_DELETES", 2)
    for number in range(5):
        webhook(f"{receiver.url}/{number}")
    create()
    send()
    monkeypatch.setattr(reconciler, "oldest_id", lambda days: UUID(int=2**128 - 1))
    left = []
    for _ in range(3):
        db.run(reconciler.prune)
        left.append(fetch("SELECT (SELECT count(*) FROM webhook_delivery), (SELECT count(*) FROM event)")[0])
    assert left == [(3, 1), (1, 1), (0, 0)]


def test_recent_events_are_kept(webhook, receiver, create, send):
    webhook(receiver.url)
    create()
    send()
    db.run(reconciler.prune)
    assert fetch("SELECT count(*) FROM event") == [(1,)]
    [(identity,)] = fetch("SELECT id FROM event")
    assert reconciler.oldest_id(1) < identity < reconciler.oldest_id(-1)


def test_every_job_name_names_a_function():
    for job in JOBS:
        module, _, name = job.function.rpartition(".")
        assert callable(getattr(__import__(module, fromlist=[name]), name))
    assert outbox.DELIVER.function == f"{tasks.__name__}.{tasks.deliver.__name__}"
