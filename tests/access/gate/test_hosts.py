"""Only allowed hosts are served."""

import pytest
from starlette.testclient import WebSocketDenialResponse

GOOD = [
    "localhost",
    "LOCALHOST:3000",
    "127.0.0.1:9",
    "[::1]:3000",
    "[0:0:0:0:0:0:0:1]",
    "shop.example",
    "10.0.0.7:80",
]
FOREIGN = [
    "evil.example",
    "localhost.evil.example",
    "localhost.",
    "127.0.0.2",
    "127.1",
    "2130706433",
    "10.0.0.8",
    "shop.example.",
    "localhost:3000@evil.example",
    "localhost:port",
    "[::2]",
    "[::1",
    "",
    "*",
]


@pytest.fixture
def client(visit):
    return visit(ALLOWED_HOSTS="shop.example", HOST="10.0.0.7")


@pytest.mark.parametrize("host", GOOD)
def test_allowed_hosts_are_served(client, host):
    assert client.get("/api/products", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/api/products", "/page", "/_upload", "/nowhere", "/api/health/", "/api/healthy"])
@pytest.mark.parametrize("host", FOREIGN)
def test_other_hosts_are_rejected_on_every_path(client, host, path):
    answer = client.get(path, headers={"host": host})
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/host-not-allowed")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/health", "/api/ready"])
def test_probes_may_use_any_host(client, path):
    assert client.get(path, headers={"host": "10.1.2.3:3000"}).status_code == 200


def test_two_host_headers_are_rejected(client):
    headers = [("host", "localhost"), ("host", "evil.example")]
    assert client.get("/api/products", headers=headers).status_code == 400


def test_other_hosts_get_no_websocket(client):
    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        client.websocket_connect("/_event", headers={"host": "evil.example"}),
    ):
        pass
    assert denied.value.status_code == 400
    assert denied.value.json()["type"] == "/api/problems/host-not-allowed"
