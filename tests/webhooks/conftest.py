"""Fixtures for tests of webhooks: a receiver in this process, a sender, and SQL helpers."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from product_importer.core import db
from product_importer.core.settings import settings
from product_importer.webhooks.delivery import sender

LOOPBACK = "127.0.0.0/8,::1/128"


@dataclass
class Received:
    """A received request; `reached` is the address of this machine at which it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    reached: str


@dataclass
class Receiver:
    """An HTTP server that keeps its requests; `answer`, if given, writes the whole response."""

    received: list[Received] = field(default_factory=list)
    status: int = 200
    content: bytes = b"thanks"
    headers: dict[str, str] = field(default_factory=dict)
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None
    host: str = "127.0.0.1"
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/hook"

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(self.status)
        for name, value in {"Content-Length": str(len(self.content)), **self.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(self.content)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address) -> None:
        """Ignore that the sender closed the connection: some tests do this on purpose."""


@pytest.fixture
def make_receiver() -> Iterator[Callable[..., Receiver]]:
    servers = []

    def make(**options) -> Receiver:
        receiver = Receiver(**options)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reached = self.connection.getsockname()[0]
                receiver.received.append(Received(self.path, headers, body, reached))
                (receiver.answer or receiver.respond)(self)

            def log_message(self, *_) -> None:
                pass

        server = Server((receiver.host, 0), Handler)
        receiver.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return receiver

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def receiver(make_receiver) -> Receiver:
    return make_receiver()


@pytest.fixture(autouse=True)
def loopback_is_open(monkeypatch) -> None:
    """Allow loopback, as with the embedded servers, whatever servers the tests use."""
    monkeypatch.setattr(settings(), "webhook_allow_cidrs", LOOPBACK)


@pytest.fixture
def closed(monkeypatch) -> None:
    """Allow no private network."""
    monkeypatch.setattr(settings(), "webhook_allow_cidrs", "none")


@pytest.fixture
def webhook(client) -> Callable[..., dict]:
    """Create a webhook by REST and return it."""

    def post(url: str, **fields: object) -> dict:
        answer = client.post("/api/webhooks", json={"url": url, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()

    return post


@pytest.fixture
def send(monkeypatch) -> Callable[[], None]:
    """Run the sender as a worker does, without waiting for later retries."""
    monkeypatch.setattr(sender, "MAX_WAIT_SECONDS", 0.5)
    monkeypatch.setattr(sender, "IDLE_SECONDS", 0.2)

    def run() -> None:
        asyncio.run(sender.run())

    return run


def execute(statement: str) -> None:
    with db.engine().begin() as connection:
        connection.exec_driver_sql(statement)


def fetch(query: str) -> list:
    with db.engine().connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]
