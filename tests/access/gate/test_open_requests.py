"""The number of open requests of one address is limited."""

import pytest
from starlette.testclient import WebSocketDenialResponse

from product_importer.access.gate.open_requests import OpenRequests
from product_importer.core.errors import TooMany


def scope(address: str) -> dict:
    return {"client": (address, 1)}


def test_an_address_has_at_most_the_maximum_of_open_requests():
    requests = OpenRequests(2)
    with requests.counted(scope("203.0.113.7")), requests.counted(scope("203.0.113.7")):
        with pytest.raises(TooMany), requests.counted(scope("203.0.113.7")):
            pass
        with requests.counted(scope("203.0.113.8")):
            pass
    with requests.counted(scope("203.0.113.7")):
        pass


def test_a_failed_request_no_longer_counts():
    requests = OpenRequests(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), requests.counted(scope("203.0.113.7")):
            raise ZeroDivisionError


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_not_counted(address):
    requests = OpenRequests(1)
    with requests.counted(scope(address)), requests.counted(scope(address)):
        pass


def test_an_open_websocket_counts_and_the_next_request_gets_retry_after(visit):
    client = visit(client="203.0.113.7", MAX_REQUESTS_PER_ADDRESS=1)
    host = {"host": "localhost:3000"}
    with client.websocket_connect("/_event", headers=host):
        answer = client.get("/api/products")
        assert (answer.status_code, answer.json()["type"]) == (429, "/api/problems/too-many-requests")
        assert int(answer.headers["retry-after"]) > 0
        with pytest.raises(WebSocketDenialResponse), client.websocket_connect("/_event", headers=host):
            pass
    assert client.get("/api/products").status_code == 200
