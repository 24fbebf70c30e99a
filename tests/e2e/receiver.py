"""A receiver of webhooks on this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4


@dataclass
class Receiver:
    """A server on this machine, with the messages that it received and the response that it sends."""

    url: str
    status: int = 200
    content: str = "thank you"
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def event_types(self) -> list[str]:
        """Return the types of the received events."""
        return [json.loads(body)["event_type"] for _, body in self.received]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that takes messages while it is used."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            opened.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(opened.status)
            self.end_headers()
            self.wfile.write(opened.content.encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    opened = Receiver(f"http://127.0.0.1:{server.server_port}/{uuid4().hex}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield opened
    server.shutdown()
    server.server_close()
    thread.join()
