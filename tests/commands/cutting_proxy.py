"""A proxy that cuts the first upload to the REST API."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx


@contextmanager
def cutting(url: str, what: str) -> Iterator[str]:
    """Run a proxy that cuts the first upload, in the middle of the file or before its answer; yield its address."""
    target = httpx.URL(url)
    listener = socket.create_server(("127.0.0.1", 0))
    has_cut = threading.Event()

    def forward(client: socket.socket) -> None:
        server = socket.create_connection((target.host, target.port))
        seen = bytearray()
        threading.Thread(target=answer, args=(server, client, seen), daemon=True).start()
        while piece := receive(client):
            seen += piece
            if what == "the file" and is_upload(seen, 500_000) and not has_cut.is_set():
                has_cut.set()
                break
            server.sendall(piece)
        close(server, client)

    def answer(server: socket.socket, client: socket.socket, seen: bytearray) -> None:
        while piece := receive(server):
            if what == "the answer" and is_upload(seen, 0) and not has_cut.is_set():
                has_cut.set()
                break
            client.sendall(piece)
        close(server, client)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=forward, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    close(listener)
    assert has_cut.is_set()


def is_upload(seen: bytearray, least: int) -> bool:
    return b"POST /api/upload-csv" in seen and len(seen) > least


def receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def close(*connections: socket.socket) -> None:
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()
