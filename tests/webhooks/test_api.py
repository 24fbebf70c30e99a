"""The REST API of webhooks."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from product_importer.webhooks.delivery import http_attempt
from tests.catalog.conftest import create, problem
from tests.waiting import wait_for
from tests.webhooks.conftest import execute, fetch

__all__ = ["create"]

FIELDS = {
    "id",
    "url",
    "description",
    "event_types",
    "import_events",
    "enabled",
    "created_at",
    "updated_at",
    "disabled_reason",
    "last_delivery",
}
URL = "https://example.com/hook"


def test_a_webhook_is_created_read_changed_and_deleted(client, webhook):
    made = webhook(URL, event_types=["product_created", "product_created"])
    assert set(made) == FIELDS | {"secret"}
    assert made["event_types"] == ["product_created"]
    assert (made["import_events"], made["enabled"], made["last_delivery"]) == ("summary", True, None)
    address = f"/api/webhooks/{made['id']}"
    assert client.get(address).json() == {field: made[field] for field in FIELDS}
    changed = client.put(address, json={"enabled": False, "description": "Shop"}).json()
    assert set(changed) == FIELDS
    assert (changed["enabled"], changed["description"], changed["url"]) == (False, "Shop", URL)
    assert changed["updated_at"] > made["updated_at"]
    assert client.put(address, json={"description": "Shop"}).json()["updated_at"] == changed["updated_at"]
    assert client.delete(address).status_code == 204
    problem(client.get(address), 404, "not-found")
    problem(client.delete(address), 404, "not-found")
    assert client.get("/api/webhooks").json()["items"] == []


def test_the_list_is_paged_newest_first_and_shows_no_secret(client, webhook):
    ids = [webhook(f"{URL}/{number}")["id"] for number in range(3)]
    page = client.get("/api/webhooks?page_size=2").json()
    assert [item["id"] for item in page["items"]] == ids[:0:-1]
    assert (page["total"], page["pages"]) == (3, 2)
    assert "whsec_" not in client.get("/api/webhooks").text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": ""}, "url"),
        ({"url": 5}, "url"),
        ({"url": URL + "a" * 2000}, "url"),
        ({"url": URL, "event_types": []}, "event_types"),
        ({"url": URL, "event_types": ["no_such"]}, "event_types.0"),
        ({"url": URL, "import_events": "all"}, "import_events"),
        ({"url": URL, "enabled": "yes"}, "enabled"),
        ({"url": URL, "description": "a\0b"}, "description"),
        ({"url": URL, "secret": "mine"}, "secret"),
    ],
)
def test_an_error_names_the_wrong_field(client, body, field):
    answer = problem(client.post("/api/webhooks", json=body), 422, "invalid-fields")
    assert [error["field"] for error in answer["errors"]] == [field]


def test_a_change_to_a_url_that_is_not_allowed_is_rejected(client, webhook):
    address = f"/api/webhooks/{webhook(URL)['id']}"
    answer = problem(client.put(address, json={"url": "http://10.0.0.1/"}), 422, "address-not-allowed")
    assert answer["errors"][0]["field"] == "url"
    assert client.get(address).json()["url"] == URL


def test_an_unknown_webhook_or_delivery_is_404(client, webhook):
    made, other = webhook(URL)["id"], uuid4()
    for method, path in [
        ("GET", f"{other}"),
        ("PUT", f"{other}"),
        ("DELETE", f"{other}"),
        ("POST", f"{other}/test"),
        ("POST", f"{other}/rotate-secret"),
        ("GET", f"{other}/deliveries"),
        ("GET", f"{other}/deliveries/{other}"),
        ("GET", f"{made}/deliveries/{other}"),
        ("POST", f"{made}/deliveries/{other}/redeliver"),
        ("POST", f"{other}/redeliver?since=2026-01-01T00:00:00Z"),
    ]:
        body: dict | None = {} if method == "PUT" else None
        problem(client.request(method, f"/api/webhooks/{path}", json=body), 404, "not-found")


def test_a_test_returns_its_outcome(client, webhook, receiver):
    made = webhook(receiver.url)
    answer = client.post(f"/api/webhooks/{made['id']}/test")
    assert answer.status_code == 200
    assert answer.json() | {"response_time_ms": 0} == {
        "success": True,
        "status_code": 200,
        "response_time_ms": 0,
        "error": None,
    }
    assert receiver.received[0].headers["webhook-event"] == "webhook_test"
    receiver.status = 500
    failed = client.post(f"/api/webhooks/{made['id']}/test").json()
    assert (failed["success"], failed["status_code"], failed["error"]) == (False, 500, "answered 500")


def test_many_tests_of_slow_receivers_delay_no_other_request(client, webhook, receiver, monkeypatch):
    monkeypatch.setattr(http_attempt, "TOTAL_SECONDS", 120.0)
    release = threading.Event()

    def wait(handler) -> None:
        release.wait(100)
        receiver.respond(handler)

    receiver.answer = wait
    made = webhook(receiver.url)
    # More tests than the server has threads for requests.
    with ThreadPoolExecutor(60) as testers:
        tests = [testers.submit(client.post, f"/api/webhooks/{made['id']}/test") for _ in range(60)]
        wait_for(lambda: len(receiver.received) == 60, 45, "every test waits for its receiver")
        began = time.monotonic()
        assert client.get("/api/webhooks").status_code == 200
        # Behind the tests, it would wait for the rest of their time.
        assert time.monotonic() - began < 20
        release.set()
        assert {test.result().json()["success"] for test in tests} == {True}


def test_a_rotated_secret_differs_and_the_old_one_expires_after_a_day(client, webhook, receiver, send, create):
    made = webhook(receiver.url)
    rotated = client.post(f"/api/webhooks/{made['id']}/rotate-secret").json()
    assert set(rotated) == {"secret"} and rotated["secret"] != made["secret"]
    [(hours,)] = fetch("SELECT extract(epoch FROM previous_secret_until - now()) / 3600 FROM webhook")
    assert 23.9 < hours <= 24
    client.post(f"/api/webhooks/{made['id']}/test")
    execute("UPDATE webhook SET previous_secret_until = now() - interval '1 second'")
    client.post(f"/api/webhooks/{made['id']}/test")
    create()
    send()
    assert [len(message.headers["webhook-signature"].split()) for message in receiver.received] == [2, 1, 1]


def test_deliveries_are_listed_newest_first_with_their_attempts(client, webhook, receiver, send, create):
    made = webhook(receiver.url)
    create("SKU-1")
    send()
    receiver.status, receiver.content = 500, b"<script>alert(1)</script>\0"
    create("SKU-2")
    send()
    page = client.get(f"/api/webhooks/{made['id']}/deliveries").json()
    assert page["total"] == 2
    failed, succeeded = page["items"]
    assert (succeeded["status"], succeeded["attempts"], succeeded["status_code"]) == ("succeeded", 1, 200)
    assert succeeded["next_attempt_at"] is None and succeeded["response_excerpt"] == "thanks"
    assert (failed["status"], failed["attempts"], failed["error"]) == ("pending", 1, "answered 500")
    assert (failed["state"], succeeded["state"]) == ("retrying", "succeeded")
    assert (failed["object_name"], failed["is_test"]) == ("SKU-2", False)
    assert failed["next_attempt_at"] and failed["response_excerpt"] == "<script>alert(1)</script>\ufffd"
    assert [attempt["number"] for attempt in failed["history"]] == [1]
    last = client.get(f"/api/webhooks/{made['id']}").json()["last_delivery"]
    assert last["id"] == failed["id"]
    only = client.get(f"/api/webhooks/{made['id']}/deliveries?status=succeeded").json()
    assert [one["id"] for one in only["items"]] == [succeeded["id"]]


def test_one_delivery_is_sent_again_with_the_same_id(client, webhook, receiver, send, create):
    made = webhook(receiver.url)
    create()
    send()
    deliveries = f"/api/webhooks/{made['id']}/deliveries"
    [one] = client.get(deliveries).json()["items"]
    again = client.post(f"{deliveries}/{one['id']}/redeliver")
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    send()
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == one["event_id"]
    assert first.body == second.body
    assert client.get(deliveries).json()["items"][0]["attempts"] == 2


def test_all_failed_deliveries_since_a_time_are_sent_again(client, webhook, receiver, send, create):
    made = webhook(receiver.url)
    receiver.status = 500
    create("SKU-1")
    create("SKU-2")
    send()
    execute("UPDATE webhook_delivery SET status = 'failed', next_attempt_at = NULL")
    receiver.status = 200
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    again = f"/api/webhooks/{made['id']}/redeliver"
    assert client.post(again, params={"since": soon}).json() == {"redelivered": 0}
    answer = client.post(again, params={"since": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()) == (202, {"redelivered": 2})
    send()
    assert fetch("SELECT status, attempts FROM webhook_delivery") == [("succeeded", 2)] * 2
    problem(client.post(again), 422, "invalid-fields")
    problem(client.post(again, params={"since": "2020-01-01T00:00:00"}), 422, "invalid-fields")
