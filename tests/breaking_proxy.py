"""A proxy between client and server whose connections can be cut, or freeze without a word."""

import socket
import threading
from contextlib import suppress

import httpx


class BreakingProxy:
    """Forwards TCP connections, to a port or a Unix socket, until it is told otherwise."""

    def __init__(self, url: str) -> None:
        self.target = httpx.URL(url)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.open: list[socket.socket] = []
        self.is_cut = False
        # Set while bytes flow: to the server, and back.
        self.flows, self.answers = threading.Event(), threading.Event()
        self.flows.set()
        self.answers.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Cut all connections, and take no further ones."""
        self.is_cut = True
        self._close(*self.open)

    def freeze(self) -> None:
        """Forward nothing any more; all connections stay open."""
        self.flows.clear()

    def freeze_answers(self) -> None:
        """Forward no answers any more; what the client sends arrives."""
        self.answers.clear()

    def mend(self) -> None:
        """Forward again. What was open while it was frozen stays dead, as behind a router that lost its table."""
        dead = [] if self.flows.is_set() and self.answers.is_set() else list(self.open)
        self.is_cut = False
        self._close(*dead)
        self.flows.set()
        self.answers.set()

    def end(self) -> None:
        """Cut everything and take no further connections."""
        self.cut()
        self.flows.set()
        self.answers.set()
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                self._close(client)
                continue
            server = self._connect()
            self.open += [client, server]
            for given in ((client, server, self.flows), (server, client, self.answers)):
                threading.Thread(target=self._forward, args=given, daemon=True).start()

    def _connect(self) -> socket.socket:
        if self.target.scheme != "unix":
            return socket.create_connection((self.target.host, self.target.port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.target.path)
        return server

    def _forward(self, source: socket.socket, sink: socket.socket, flows: threading.Event) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                flows.wait()
                sink.sendall(piece)
        self._close(source, sink)

    @staticmethod
    def _close(*connections: socket.socket) -> None:
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
