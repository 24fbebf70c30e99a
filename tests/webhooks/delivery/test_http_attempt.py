"""One HTTP attempt: its time limit, how much is read, and when the next one is due."""

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from product_importer.webhooks.delivery import http_attempt
from product_importer.webhooks.delivery.http_attempt import SCHEDULE, next_delay
from tests.catalog.conftest import create
from tests.webhooks.conftest import execute, fetch

__all__ = ["create"]


def test_the_schedule_is_that_of_the_contract():
    hours = 3600
    assert list(SCHEDULE) == [5, 300, 1800, *(n * hours for n in (2, 5, 10, 14, 20, 24))]
    for tries, seconds in enumerate(SCHEDULE, start=1):
        delays = [next_delay(tries) or 0 for _ in range(200)]
        assert 0.8 * seconds <= min(delays) < 0.95 * seconds and 1.05 * seconds < max(delays) <= 1.2 * seconds
    assert next_delay(len(SCHEDULE) + 1) is None


@pytest.mark.parametrize(
    ("tries", "retry_after", "expected"),
    [(1, 60, 60), (1, 1, 5), (1, 10**9, 86_400), (9, 60, 86_400), (10, 60, None)],
)
def test_retry_after_is_respected_up_to_a_day(tries, retry_after, expected):
    assert next_delay(tries, retry_after, lambda low, high: 1.0) == expected


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("120", 119, 121),
        (timedelta(hours=1), 3000, 3601),
        (timedelta(hours=-1), 3, 7),
        ("soon", 3, 7),
        ("-5", 3, 7),
        ("99999999999999999999", 3, 7),
    ],
)
def test_retry_after_moves_the_next_attempt(client, webhook, receiver, create, send, header, least, most):
    if isinstance(header, timedelta):
        header = format_datetime(datetime.now(UTC) + header)
    receiver.status, receiver.headers = 503, {"Retry-After": header}
    webhook(receiver.url)
    create()
    send()
    # From the moment at which the failure was stored: `send` goes on for a while.
    [(seconds,)] = fetch(
        "SELECT extract(epoch FROM next_attempt_at - first_failed_at)"
        " FROM webhook_delivery JOIN webhook ON webhook.id = webhook_id"
    )
    assert least <= seconds <= most


def test_after_the_last_attempt_a_delivery_has_failed(client, webhook, receiver, create, send):
    receiver.status = 500
    webhook(receiver.url)
    create()
    for _ in range(len(SCHEDULE) + 1):
        send()
        execute("UPDATE webhook_delivery SET next_attempt_at = now() WHERE status = 'pending'")
    assert fetch("SELECT status, attempts, next_attempt_at FROM webhook_delivery") == [("failed", 10, None)]
    assert fetch("SELECT count(*) FROM webhook_attempt") == [(10,)]
    assert len({message.headers["webhook-id"] for message in receiver.received}) == 1


def test_410_disables_the_webhook_with_a_reason(client, webhook, receiver, create, send, caplog):
    receiver.status = 410
    made = webhook(receiver.url)
    create("SKU-1")
    send()
    create("SKU-2")
    send()
    assert len(receiver.received) == 1
    shown = client.get(f"/api/webhooks/{made['id']}").json()
    assert shown["enabled"] is False and "410" in shown["disabled_reason"]
    assert shown["updated_at"] > made["updated_at"]
    assert f"webhook {made['id']} is disabled" in caplog.text
    receiver.status = 200
    again = client.put(f"/api/webhooks/{made['id']}", json={"enabled": True}).json()
    assert (again["enabled"], again["disabled_reason"]) == (True, None)


def test_five_days_of_only_failures_disable_the_webhook(client, webhook, receiver, create, send, caplog):
    made = webhook(receiver.url)
    receiver.status = 500
    create("SKU-1")
    send()
    execute("UPDATE webhook SET first_failed_at = now() - interval '4 days 23 hours'")
    create("SKU-2")
    send()
    assert client.get(f"/api/webhooks/{made['id']}").json()["enabled"] is True
    execute("UPDATE webhook SET first_failed_at = now() - interval '5 days 1 second'")
    create("SKU-3")
    send()
    shown = client.get(f"/api/webhooks/{made['id']}").json()
    assert shown["enabled"] is False and "5 days" in shown["disabled_reason"]
    assert f"webhook {made['id']} is disabled" in caplog.text


def test_another_url_restarts_the_five_days(client, webhook, receiver, create, send):
    made = webhook("http://127.0.0.1:1025/mistyped")
    create("SKU-1")
    send()
    execute("UPDATE webhook SET first_failed_at = now() - interval '6 days'")
    client.put(f"/api/webhooks/{made['id']}", json={"url": receiver.url})
    receiver.status = 503
    create("SKU-2")
    send()
    assert client.get(f"/api/webhooks/{made['id']}").json()["enabled"] is True


def test_a_success_restarts_the_five_days(client, webhook, receiver, create, send):
    webhook(receiver.url)
    create("SKU-1")
    send()
    execute("UPDATE webhook SET first_failed_at = now() - interval '6 days'")
    create("SKU-2")
    send()
    assert fetch("SELECT enabled, first_failed_at FROM webhook") == [(True, None)]


def test_a_slow_body_is_cut_off_at_the_time_limit(client, webhook, receiver, monkeypatch):
    monkeypatch.setattr(http_attempt, "TOTAL_SECONDS", 3.0)
    ended = threading.Event()

    def drip(handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        try:
            for _ in range(1000):
                handler.wfile.write(b".")
                time.sleep(0.05)
        finally:
            ended.set()

    receiver.answer = drip
    made = webhook(receiver.url)
    began = time.monotonic()
    tested = client.post(f"/api/webhooks/{made['id']}/test").json()
    # The whole body takes 50 s.
    assert time.monotonic() - began < 20
    assert (tested["success"], tested["status_code"]) == (False, 200)
    assert tested["error"] == "no complete response within 3 s"
    assert ended.wait(20), "the connection is still open"


def test_slow_headers_are_cut_off_at_the_time_limit(client, webhook, receiver, monkeypatch):
    monkeypatch.setattr(http_attempt, "TOTAL_SECONDS", 1.0)

    def drip(handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            handler.wfile.write(f"x-{number}: y\r\n".encode())
            time.sleep(0.02)

    receiver.answer = drip
    made = webhook(receiver.url)
    tested = client.post(f"/api/webhooks/{made['id']}/test").json()
    assert tested["success"] is False and tested["response_time_ms"] < 10_000


def test_only_a_part_of_a_large_response_is_read_and_stored(client, webhook, receiver, create, send):
    written = []

    def flood(handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**9))
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b"\xc3\xa4" * 50_000)
            written.append(100_000)

    receiver.answer = flood
    webhook(receiver.url)
    create()
    send()
    [(status, excerpt)] = fetch("SELECT status, response_excerpt FROM webhook_delivery")
    assert (status, excerpt) == ("succeeded", "ä" * 1024)
    assert sum(written) < 50_000_000


@pytest.mark.parametrize("piece", [b"HTTP/1.1 103 Early Hints\r\n\r\n", b"x: y\r\n"])
def test_endless_headers_are_cut_off_early(client, webhook, receiver, piece):
    """Each interim response takes time on the event loop that all deliveries share."""
    written = []

    def flood(handler) -> None:
        handler.wfile.write(b"" if piece.startswith(b"HTTP") else b"HTTP/1.1 200 OK\r\n")
        while True:
            handler.wfile.write(piece * 100)
            written.append(len(piece) * 100)

    receiver.answer = flood
    made = webhook(receiver.url)
    tested = client.post(f"/api/webhooks/{made['id']}/test").json()
    assert tested["error"] == "the response headers are longer than 64 KB"
    assert tested["response_time_ms"] < 5_000
    assert sum(written) < 20_000_000


@pytest.mark.parametrize("error", [RuntimeError("a library's error"), OSError("half a pair \ud800, and \0")])
def test_an_unexpected_error_ends_only_its_own_attempt(
    client, webhook, make_receiver, create, send, monkeypatch, error
):
    healthy, poisonous = make_receiver(), make_receiver()
    webhook(poisonous.url)
    webhook(healthy.url)
    post = http_attempt._post

    async def raise_error(client, url, target, message, response):
        if url.port == poisonous.port:
            raise error
        await post(client, url, target, message, response)

    monkeypatch.setattr(http_attempt, "_post", raise_error)
    create()
    send()
    assert len(healthy.received) == 1
    outcomes = fetch("SELECT status, attempts, error FROM webhook_delivery ORDER BY status")
    assert [(status, attempts) for status, attempts, _ in outcomes] == [("pending", 1), ("succeeded", 1)]
    assert type(error).__name__ in outcomes[0][2] or "half a pair ?" in outcomes[0][2]


@pytest.mark.parametrize(
    "raw",
    [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 999 \xff\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"],
)
def test_a_response_that_is_not_http_is_a_failure_with_a_reason(client, webhook, receiver, raw):
    def answer(handler) -> None:
        handler.wfile.write(raw)
        handler.close_connection = True

    receiver.answer = answer
    made = webhook(receiver.url)
    tested = client.post(f"/api/webhooks/{made['id']}/test")
    assert tested.status_code == 200
    assert tested.json()["success"] is False and tested.json()["error"]


def test_a_refused_connection_is_a_failure_with_a_reason(client, webhook, make_receiver):
    made = webhook("http://127.0.0.1:1025/")
    tested = client.post(f"/api/webhooks/{made['id']}/test").json()
    assert tested["success"] is False and tested["error"].startswith("no connection")
