"""Create, test and delivery reject private addresses, also after redirects and changes of names."""

import pytest

from product_importer.core import db
from product_importer.core.outbound import http_client
from product_importer.core.settings import settings
from tests.catalog.conftest import create, problem
from tests.webhooks.conftest import fetch
from tests.webhooks.forbidden import FORBIDDEN

__all__ = ["create"]

NOT_ALLOWED = "address not allowed"


@pytest.fixture
def old_webhook(webhook, closed):
    """Create a webhook whose URL was stored when it was still allowed."""

    def make(url: str) -> dict:
        made = webhook("https://example.com/hook")
        with db.engine().begin() as connection:
            connection.exec_driver_sql("UPDATE webhook SET url = %s WHERE id = %s", (url, made["id"]))
        return made

    return make


@pytest.mark.parametrize("url", FORBIDDEN)
def test_a_forbidden_url_is_rejected_by_create_and_test(client, closed, old_webhook, url):
    answer = problem(client.post("/api/webhooks", json={"url": url}), 422, "address-not-allowed")
    assert answer["errors"][0]["message"].startswith(NOT_ALLOWED)
    tested = client.post(f"/api/webhooks/{old_webhook(url)['id']}/test").json()
    assert (tested["success"], tested["status_code"]) == (False, None)
    assert tested["error"].startswith(NOT_ALLOWED)


def test_every_forbidden_url_is_rejected_by_delivery(old_webhook, create, send):
    for url in FORBIDDEN:
        old_webhook(url)
    create()
    send()
    found = fetch("SELECT url, attempts, error FROM webhook_delivery JOIN webhook ON webhook.id = webhook_id")
    assert sorted(url for url, _, _ in found) == sorted(FORBIDDEN)
    assert [row for row in found if row[1] != 1 or not row[2].startswith(NOT_ALLOWED)] == []


@pytest.mark.parametrize(
    "answers", [["127.0.0.1"], ["::1"], ["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:7f00:1"]]
)
def test_a_public_name_of_a_private_address_is_rejected_by_test_and_delivery(
    client, webhook, closed, create, send, monkeypatch, receiver, answers
):
    monkeypatch.setattr(http_client, "resolve", lambda host, port: answers)
    made = webhook(f"http://rebinding.example.com:{receiver.port}/hook")
    assert client.post(f"/api/webhooks/{made['id']}/test").json()["error"].startswith(NOT_ALLOWED)
    create()
    send()
    assert fetch("SELECT error FROM webhook_delivery")[0][0].startswith(NOT_ALLOWED)
    assert receiver.received == []


def test_a_name_that_changes_after_the_check_is_rejected(client, webhook, closed, monkeypatch, receiver):
    answers = iter([["192.0.2.77"], ["127.0.0.1"], ["127.0.0.1"], ["127.0.0.1"]])
    monkeypatch.setattr(http_client, "resolve", lambda host, port: next(answers))
    made = webhook(f"http://rebinding.example.com:{receiver.port}/hook")
    for _ in range(3):
        assert client.post(f"/api/webhooks/{made['id']}/test").json()["error"].startswith(NOT_ALLOWED)
    assert receiver.received == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(client, webhook, make_receiver, send, create, status):
    inside = make_receiver()
    outside = make_receiver(status=status, headers={"Location": inside.url})
    made = webhook(outside.url)
    tested = client.post(f"/api/webhooks/{made['id']}/test").json()
    assert (tested["success"], tested["status_code"]) == (False, status)
    assert "redirects are not followed" in tested["error"]
    create()
    send()
    found = fetch("SELECT status, attempts, status_code FROM webhook_delivery WHERE NOT is_test")
    assert found == [("pending", 1, status)]
    assert len(outside.received) == 2 and inside.received == []


def test_a_port_that_is_forbidden_later_is_rejected_by_delivery(client, webhook, receiver, create, send, monkeypatch):
    webhook(receiver.url)
    monkeypatch.setattr(settings(), "webhook_ports", "443")
    create()
    send()
    assert fetch("SELECT error FROM webhook_delivery")[0][0].startswith(f"{NOT_ALLOWED}: port {receiver.port}")
