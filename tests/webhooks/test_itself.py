"""A webhook cannot call the application itself, because this could be an endless loop."""

import pytest

from product_importer.core.outbound import http_client
from product_importer.core.settings import settings
from tests.application import Application, free_port
from tests.catalog.conftest import create, problem
from tests.faults.processes import family
from tests.waiting import wait_for
from tests.webhooks.conftest import fetch
from tests.webhooks.forbidden import LOOPBACK_HOSTS

__all__ = ["create"]

NOT_ALLOWED = "address not allowed"
ITSELF = "is this application itself"


@pytest.fixture
def everything_is_open(monkeypatch) -> None:
    monkeypatch.setattr(settings(), "webhook_allow_cidrs", "0.0.0.0/0, ::/0")


@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_every_notation_of_its_url_is_rejected_by_create_and_update(client, webhook, everything_is_open, host):
    url = f"http://{host}:{settings().port}/api/products"
    answer = problem(client.post("/api/webhooks", json={"url": url}), 422, "address-not-allowed")
    assert answer["errors"][0]["message"].startswith(NOT_ALLOWED) and ITSELF in answer["errors"][0]["message"]
    made = webhook("https://example.com/hook")
    problem(client.put(f"/api/webhooks/{made['id']}", json={"url": url}), 422, "address-not-allowed")
    assert client.get(f"/api/webhooks/{made['id']}").json()["url"] == "https://example.com/hook"


def test_its_public_names_are_rejected(client, webhook, monkeypatch):
    monkeypatch.setattr(settings(), "allowed_hosts", "shop.example")
    monkeypatch.setattr(settings(), "auth", "off")
    for url in ("https://shop.example/api/products", "http://SHOP.example.:80/", "http://shop.example:3000/"):
        problem(client.post("/api/webhooks", json={"url": url}), 422, "address-not-allowed")
    webhook("https://shop.example:8443/hook")
    webhook("https://hooks.shop.example/hook")


def test_another_port_of_loopback_is_allowed(client, webhook, receiver, create, send):
    made = webhook(receiver.url)
    assert client.post(f"/api/webhooks/{made['id']}/test").json()["success"]
    create()
    send()
    assert fetch("SELECT status FROM webhook_delivery WHERE NOT is_test") == [("succeeded",)]
    assert len(receiver.received) == 2


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::ffff:127.0.0.1"])
def test_a_name_that_resolves_to_it_is_rejected_when_connecting(
    client, webhook, everything_is_open, create, send, monkeypatch, receiver, address
):
    # The receiver listens on the application's port: a request that is not rejected arrives there.
    monkeypatch.setattr(settings(), "port", receiver.port)
    monkeypatch.setattr(http_client, "resolve", lambda host, port: [address])
    made = webhook(f"http://hooks.example.com:{receiver.port}/hook")
    tested = client.post(f"/api/webhooks/{made['id']}/test").json()
    assert tested["error"].startswith(NOT_ALLOWED) and ITSELF in tested["error"]
    create()
    send()
    assert ITSELF in fetch("SELECT error FROM webhook_delivery")[0][0]
    assert receiver.received == []


def test_a_url_that_became_its_own_is_rejected_by_test_and_delivery(
    client, webhook, receiver, create, send, monkeypatch
):
    made = webhook(receiver.url)
    monkeypatch.setattr(settings(), "port", receiver.port)
    assert ITSELF in client.post(f"/api/webhooks/{made['id']}/test").json()["error"]
    create()
    send()
    assert fetch("SELECT error FROM webhook_delivery")[0][0].startswith(NOT_ALLOWED)
    assert receiver.received == []


@pytest.mark.e2e
@pytest.mark.embedded
def test_a_test_of_a_webhook_to_itself_does_not_loop():
    application = Application(DATABASE_URL="", REDIS_URL="")
    later = free_port()
    try:
        application.start("web", until="/api/health")
        rejected = application.client.post("/api/webhooks", json={"url": f"{application.url}/api/products"})
        problem(rejected, 422, "address-not-allowed")
        # Stored while the application had another port.
        made = application.client.post("/api/webhooks", json={"url": f"http://localhost:{later}/"}).json()
        itself = f"http://localhost:{later}/api/webhooks/{made['id']}/test"
        assert application.client.put(f"/api/webhooks/{made['id']}", json={"url": itself}).status_code == 200
        assert application.stop() == 0
        application.moves_to(later)
        application.start("web", until="/api/health")
        tested = application.client.post(f"/api/webhooks/{made['id']}/test").json()
        assert (tested["success"], tested["status_code"]) == (False, None)
        assert tested["error"] == f"{NOT_ALLOWED}: port {later} of localhost {ITSELF}"
    finally:
        if application.process and application.process.poll() is None:
            application.stop()
        wait_for(lambda: not family(application), 30, "its servers have stopped")
        application.remove()
