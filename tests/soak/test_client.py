"""Requests of a soak run are repeated over outages, and only over outages."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from soak import client
from soak.client import Client
from tests.application import free_port

Serve = Callable[[list[int]], str]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start servers that answer with these statuses, one after the other."""
    monkeypatch.setattr(client, "PAUSE_SECONDS", 0.01)
    servers = []

    def start(statuses: list[int]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = b'{"number": 1}'
                self.send_response(statuses.pop(0))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_answer_at_once_is_not_repeated(serve: Serve):
    answer = Client([serve([404])]).send("GET", "/")
    assert (answer.status, answer.body, answer.repeated) == (404, {"number": 1}, False)


def test_an_outage_and_a_missing_server_are_waited_for(serve: Serve):
    nobody = f"http://127.0.0.1:{free_port()}"
    answer = Client([nobody, serve([503, 429, 200])]).send("GET", "/")
    assert (answer.status, answer.repeated) == (200, True)


def test_an_error_of_the_application_is_one(serve: Serve):
    with pytest.raises(AssertionError, match="500"):
        Client([serve([500])]).send("GET", "/")


def test_an_outage_has_an_end(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client, "OUTAGE_SECONDS", 0.2)
    with pytest.raises(AssertionError, match="nobody answers"):
        Client([f"http://127.0.0.1:{free_port()}"]).send("GET", "/")
