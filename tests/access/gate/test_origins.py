"""Requests from pages of other sites are rejected."""

import pytest
from starlette.testclient import WebSocketDenialResponse

UNSAFE = ["POST", "PUT", "PATCH", "DELETE"]
OURS = [
    {},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"origin": "http://localhost:3000"},
    {"sec-fetch-site": "same-origin", "origin": "https://localhost:3000"},
]
FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": ""},
    {"sec-fetch-site": "cross-site", "origin": "http://localhost:3000"},
    {"origin": "http://evil.example"},
    {"origin": "http://localhost:5000"},
    {"origin": "http://localhost"},
    {"origin": "http://127.0.0.1:3000"},
    {"origin": "http://localhost:3000.evil.example"},
    {"origin": "http://localhost:3000/path"},
    {"origin": "http://user@localhost:3000"},
    {"origin": "file://localhost:3000"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://[::1"},
]


@pytest.mark.parametrize("headers", OURS)
@pytest.mark.parametrize("method", UNSAFE)
def test_our_page_and_programs_may_send_unsafe_requests(visit, method, headers):
    assert visit().request(method, "/api/products", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(("method", "path"), [(method, "/api/x") for method in UNSAFE] + [("POST", "/_upload")])
def test_a_page_of_another_site_is_rejected(visit, method, path, headers):
    answer = visit().request(method, path, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "/api/problems/cross-site")


def test_repeated_fetch_metadata_is_rejected(visit):
    headers = [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")]
    assert visit().post("/api/x", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://shop.example", "shop.example"),
        ("http://shop.example:80", "shop.example"),
        ("https://shop.example", "shop.example:443"),
    ],
)
def test_a_default_port_may_be_omitted(visit, origin, host):
    client = visit(host, ALLOWED_HOSTS="shop.example")
    assert client.post("/api/x", headers={"origin": origin, "host": host}).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
def test_links_from_other_sites_work(visit, headers):
    assert visit().get("/page", headers=headers).status_code == 200


def test_preflights_of_other_origins_are_rejected(visit):
    asked = {"origin": "http://evil.example", "access-control-request-method": "GET"}
    assert visit().options("/api/x", headers=asked).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:5000"])
def test_the_websocket_is_only_for_our_page(visit, origin):
    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        visit().websocket_connect("/_event", headers={"host": "localhost:3000", "origin": origin}),
    ):
        pass
    assert denied.value.status_code == 403


@pytest.mark.parametrize("headers", [{}, {"origin": "http://localhost:3000"}])
def test_our_page_gets_its_websocket(visit, headers):
    with visit().websocket_connect("/_event", headers={"host": "localhost:3000"} | headers) as websocket:
        assert websocket.receive_text() == "hello"


def test_a_webhook_to_the_application_itself_is_rejected(visit):
    sent = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    answer = visit().post("/api/webhooks/1/test", headers=sent)
    assert (answer.status_code, answer.json()["type"]) == (403, "/api/problems/webhook-loop")
    assert visit().post("/api/webhooks/1/test", headers={"webhook-id": "msg_1"}).status_code == 200
