"""The log of deliveries: requests, answers, tests, filters, counts, and what it never holds."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from product_importer.core import db
from product_importer.webhooks import activity, delivery_log, reconciler
from product_importer.webhooks.delivery import queue
from product_importer.webhooks.schemas import DeliveryQuery
from tests.catalog.conftest import create, problem
from tests.imports.conftest import run_import
from tests.webhooks.conftest import execute, fetch

__all__ = ["create", "run_import"]


def deliveries(client, webhook: dict, **query) -> list[dict]:
    return client.get(f"/api/webhooks/{webhook['id']}/deliveries", params=query).json()["items"]


def detail(client, webhook: dict, delivery: dict) -> dict:
    answer = client.get(f"/api/webhooks/{webhook['id']}/deliveries/{delivery['id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def values(headers: list[dict]) -> dict[str, str]:
    return {header["name"]: header["value"] for header in headers}


def test_a_delivery_shows_its_request_and_answer_as_the_receiver_saw_them(client, webhook, receiver, create, send):
    made = webhook(receiver.url)
    product = create("SKU-ü")
    receiver.headers = {"X-Request-Id": "r-1", "Content-Type": "text/plain"}
    send()
    [one] = deliveries(client, made)
    shown = detail(client, made, one)
    [message] = receiver.received
    assert shown["body"].encode() == message.body
    assert (shown["object_id"], shown["object_name"]) == (product["id"], "SKU-ü")
    [attempt] = shown["history"]
    assert (attempt["url"], attempt["status_code"], attempt["response_excerpt"]) == (receiver.url, 200, "thanks")
    sent = values(attempt["request_headers"])
    signature, cut = message.headers["webhook-signature"], sent.pop("webhook-signature")
    assert cut.endswith("…") and signature.startswith(cut[:-1]) and len(cut) < 20
    assert sent == {name: value for name, value in message.headers.items() if name != "webhook-signature"}
    assert values(attempt["response_headers"])["x-request-id"] == "r-1"
    assert "history" in one and "request_headers" not in one["history"][0], "a list stays short"


def test_no_secret_is_stored_or_shown(client, webhook, receiver, create, send, monkeypatch):
    made = webhook(receiver.url)
    receiver.headers = {"Set-Cookie": "session=of-the-receiver", "X-Api-Key": "of-the-receiver"}
    client.post(f"/api/webhooks/{made['id']}/rotate-secret")
    # Two messages in a row, over the same connection.
    monkeypatch.setattr(queue, "MAX_IN_FLIGHT_PER_WEBHOOK", 1)
    create("SKU-1")
    create("SKU-2")
    send()
    client.post(f"/api/webhooks/{made['id']}/test")
    assert not any("cookie" in message.headers for message in receiver.received)
    stored = str(fetch("SELECT to_jsonb(webhook_attempt) FROM webhook_attempt"))
    key = made["secret"].removeprefix("whsec_")
    signatures = " ".join(message.headers["webhook-signature"] for message in receiver.received)
    for secret in (key, "of-the-receiver", *signatures.replace("v1,", "").split()):
        assert secret not in stored
    assert stored.count("[hidden]") == 6


def test_long_and_odd_headers_are_cut(client, webhook, receiver, create, send):
    made = webhook(receiver.url)
    receiver.headers = {"X-Long": "y" * 5_000, "X-Odd": "caf\xe9"} | {f"X-{n}": "z" for n in range(80)}
    create()
    send()
    [attempt] = detail(client, made, deliveries(client, made)[0])["history"]
    shown = values(attempt["response_headers"])
    assert len(attempt["response_headers"]) == 40
    assert len(shown["x-long"]) == 501 and shown["x-odd"] == "caf\ufffd"


def test_an_attempt_that_sends_nothing_has_no_request(client, webhook, receiver, create, send):
    made = webhook(receiver.url)
    create()
    execute("UPDATE webhook SET url = 'http://10.0.0.1/'")
    send()
    [attempt] = detail(client, made, deliveries(client, made)[0])["history"]
    assert attempt["error"].startswith("address not allowed")
    assert attempt["url"] is attempt["request_headers"] is attempt["response_headers"] is None


def test_a_test_is_in_the_log_and_is_not_retried(client, webhook, receiver, send):
    made = webhook(receiver.url)
    receiver.status = 500
    client.post(f"/api/webhooks/{made['id']}/test")
    [one] = deliveries(client, made)
    assert (one["event_type"], one["is_test"], one["state"]) == ("webhook_test", True, "failed")
    assert (one["attempts"], one["next_attempt_at"], one["error"]) == (1, None, "answered 500")
    assert detail(client, made, one)["body"].encode() == receiver.received[0].body
    assert one["event_id"] == receiver.received[0].headers["webhook-id"]
    send()
    assert len(receiver.received) == 1
    # It says nothing about the webhook's messages.
    assert client.get(f"/api/webhooks/{made['id']}").json()["last_delivery"] is None
    assert db.run(activity.read_activity, UUID(made["id"])).hours == []
    again = client.post(f"/api/webhooks/{made['id']}/redeliver", params={"since": "2020-01-01T00:00:00Z"})
    assert again.json() == {"redelivered": 0}


def test_a_test_that_is_sent_again_by_hand_is_not_retried(client, webhook, receiver, send):
    made = webhook(receiver.url)
    receiver.status = 500
    client.post(f"/api/webhooks/{made['id']}/test")
    [one] = deliveries(client, made)
    client.post(f"/api/webhooks/{made['id']}/deliveries/{one['id']}/redeliver")
    send()
    [shown] = deliveries(client, made, status="failed")
    assert (shown["attempts"], shown["state"], shown["next_attempt_at"]) == (2, "failed", None)
    first, second = receiver.received
    assert first.body == second.body and first.headers["webhook-id"] == second.headers["webhook-id"]


def test_a_test_of_a_deleted_webhook_leaves_nothing(client, webhook, receiver):
    made = webhook(receiver.url)

    def delete(handler) -> None:
        client.delete(f"/api/webhooks/{made['id']}")
        receiver.respond(handler)

    receiver.answer = delete
    assert client.post(f"/api/webhooks/{made['id']}/test").json()["success"] is True
    assert fetch("SELECT count(*) FROM webhook_delivery") == [(0,)]


def test_each_state_is_found_under_one_filter(client, webhook, receiver, create, send):
    made = webhook(receiver.url)
    for sku in ("ARRIVED", "GIVEN-UP", "RETRIED", "NEW", "AGAIN"):
        create(sku)
    send()
    change = "UPDATE webhook_delivery SET {} FROM event WHERE event.id = event_id AND payload->>'sku' = '{}'"
    later = "next_attempt_at = now() + interval '5 minutes'"
    execute(change.format("status = 'failed', tries = 10", "GIVEN-UP"))
    execute(change.format(f"status = 'pending', tries = 1, {later}", "RETRIED"))
    execute(change.format(f"status = 'pending', tries = 0, attempts = 0, {later}", "NEW"))
    execute(change.format(f"status = 'pending', tries = 0, attempts = 3, {later}", "AGAIN"))

    def found(status: str) -> list[tuple[str, str]]:
        return [(one["object_name"], one["state"]) for one in deliveries(client, made, status=status)]

    assert found("succeeded") == [("ARRIVED", "succeeded")]
    assert found("failed") == [("RETRIED", "retrying"), ("GIVEN-UP", "failed")]
    assert found("pending") == [("AGAIN", "pending"), ("NEW", "pending")]
    problem(client.get(f"/api/webhooks/{made['id']}/deliveries?status=retrying"), 422, "invalid-fields")


def test_a_look_sees_what_changed_and_what_is_new(client, webhook, receiver, create, send):
    made = webhook(receiver.url)
    create("FIRST")
    db.run(delivery_log.look, UUID(made["id"]), DeliveryQuery(), [])
    send()
    [first] = deliveries(client, made)
    receiver.status = 500
    create("SECOND")
    send()
    client.post(f"/api/webhooks/{made['id']}/deliveries/{first['id']}/redeliver")
    seen = db.run(delivery_log.look, UUID(made["id"]), DeliveryQuery(), [UUID(first["id"])])
    assert [one.state for one in seen.shown.values()] == ["pending"]
    assert [str(one) for one in seen.newest] == [one["event_id"] for one in deliveries(client, made)]
    only = db.run(delivery_log.look, UUID(made["id"]), DeliveryQuery.model_validate({"status": "failed"}), [])
    assert len(only.newest) == 1 and only.shown == {}


def test_attempts_are_counted_by_the_hour_and_measured(client, webhook, receiver, create, send):
    made = webhook(receiver.url)
    for number in range(3):
        create(f"SKU-{number}")
    send()
    receiver.status = 500
    create("FAILS")
    send()
    found = db.run(activity.read_activity, UUID(made["id"]))
    assert (sum(hour.succeeded for hour in found.hours), sum(hour.failed for hour in found.hours)) == (3, 1)
    assert all(datetime.now(UTC) - hour.hour < timedelta(hours=2) for hour in found.hours)
    assert (found.waiting, found.retrying) == (0, 1)
    assert found.p50_ms is not None and found.p95_ms is not None and 0 <= found.p50_ms <= found.p95_ms


def test_counts_of_hours_go_with_their_time_and_their_webhook(client, webhook, receiver, create, send):
    made = webhook(receiver.url)
    create()
    send()
    execute("UPDATE webhook_hour SET hour = hour - interval '29 days'")
    db.run(reconciler.prune)
    assert fetch("SELECT count(*) FROM webhook_hour") == [(1,)]
    execute("UPDATE webhook_hour SET hour = hour - interval '2 days'")
    db.run(reconciler.prune)
    assert fetch("SELECT count(*) FROM webhook_hour") == [(0,)]
    create("SKU-2")
    send()
    client.delete(f"/api/webhooks/{made['id']}")
    for _ in range(2):
        db.run(reconciler.prune)
        execute("UPDATE webhook SET deleted_at = deleted_at - interval '2 hours'")
    assert fetch("SELECT count(*) FROM webhook_hour") == fetch("SELECT count(*) FROM webhook") == [(0,)]


def test_a_test_goes_with_the_events_of_its_time(client, webhook, receiver, monkeypatch):
    made = webhook(receiver.url)
    client.post(f"/api/webhooks/{made['id']}/test")
    monkeypatch.setattr(reconciler, "oldest_id", lambda days: UUID(int=2**128 - 1))
    db.run(reconciler.prune)
    for table in ("event", "webhook_delivery", "webhook_attempt"):
        assert fetch(f"SELECT count(*) FROM {table}") == [(0,)]


def test_an_import_is_named_by_its_file(client, webhook, receiver, run_import, send):
    made = webhook(receiver.url)
    job = run_import("sku,name,description\na,A,\n")
    send()
    [one] = deliveries(client, made)
    assert one["object_id"] == str(getattr(job, "id", job)) and one["object_name"].endswith(".csv")


@pytest.mark.parametrize("status", ["failed", "succeeded"])
def test_failures_are_found_by_an_index_among_many_deliveries(client, webhook, receiver, status):
    made = webhook(receiver.url)
    execute(
        "INSERT INTO webhook_delivery (id, webhook_id, event_id, event_type, status) "
        f"SELECT gen_random_uuid(), '{made['id']}', gen_random_uuid(), 'product_created', "
        "CASE WHEN mod(n, 5000) = 0 THEN 'failed' ELSE 'succeeded' END FROM generate_series(1, 20000) AS n"
    )
    execute("ANALYZE webhook_delivery")
    query = DeliveryQuery.model_validate({"status": status})
    conditions = delivery_log._conditions(UUID(made["id"]), query)
    page = delivery_log.newest_ids(conditions, query)
    with db.engine().connect() as connection:
        compiled = page.compile(connection, compile_kwargs={"literal_binds": True})
        plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {compiled}"))
    assert ("ix_webhook_delivery_failed" if status == "failed" else "ix_webhook_delivery_list") in plan, plan
