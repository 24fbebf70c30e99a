"""Hold event streams and pages open until the end: `python -m bench.held URL JOB STREAMS PAGES`; prints `open`."""

import asyncio
import json
import resource
import sys
import uuid
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

SECONDS = 120
AT_ONCE = 20
NAMESPACE = "/_event,"
HYDRATE = "reflex___state____state.hydrate_and_load"
PATH = "/products"


async def main(url: str, job_id: str, streams: int, pages: int) -> None:
    """Open everything, say so, and hold it."""
    # Each is a file.
    resource.setrlimit(resource.RLIMIT_NOFILE, (streams + pages + 1_000,) * 2)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    turn = asyncio.Semaphore(AT_ONCE)
    opened = [asyncio.Event() for _ in range(streams + pages)]
    held = [hold_stream(host, port, job_id, turn, event) for event in opened[:streams]]
    held += [hold_page(host, port, turn, event) for event in opened[streams:]]
    holding = asyncio.gather(*held)
    said = asyncio.create_task(_say_so(opened))
    # Ends only with an error: nothing here closes a connection.
    await asyncio.gather(holding, said)


async def _say_so(opened: list[asyncio.Event]) -> None:
    for event in opened:
        await event.wait()
    print("open", flush=True)


async def hold_stream(host: str, port: int, job_id: str, turn: asyncio.Semaphore, opened: asyncio.Event) -> None:
    """Read an import's events."""
    async with turn:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(f"GET /api/jobs/{job_id}/events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        await asyncio.wait_for(reader.readuntil(b"data:"), SECONDS)
    opened.set()
    while await reader.read(65_536):
        pass
    raise ConnectionError("an event stream has ended")


async def hold_page(host: str, port: int, turn: asyncio.Semaphore, opened: asyncio.Event) -> None:
    """Be a tab that shows the list of products."""
    token = uuid.uuid4()
    async with turn:
        reader, writer = await asyncio.open_connection(host, port)
        connection = WSConnection(ConnectionType.CLIENT)
        target = f"/_event/?EIO=4&transport=websocket&token={token}"
        writer.write(connection.send(Request(host=f"{host}:{port}", target=target)))
        tab = _Tab(connection, writer)
        while not tab.is_hydrated:
            tab.take(await asyncio.wait_for(reader.read(65_536), SECONDS))
    opened.set()
    while data := await reader.read(65_536):
        tab.take(data)
    raise ConnectionError("a page's connection has ended")


class _Tab:
    """The messages of a page's websocket."""

    def __init__(self, connection: WSConnection, writer: asyncio.StreamWriter):
        self.is_hydrated = False
        self._connection, self._writer = connection, writer
        self._text = ""

    def take(self, data: bytes) -> None:
        """Take what has arrived, and answer it."""
        if not data:
            raise ConnectionError("a page's connection was refused")
        self._connection.receive_data(data)
        for event in self._connection.events():
            if isinstance(event, AcceptConnection):
                self._send(f"40{NAMESPACE}{{}}")
            elif isinstance(event, CloseConnection):
                raise ConnectionError("a page's connection was closed")
            elif isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    text, self._text = self._text, ""
                    self._answer(text)

    def _answer(self, text: str) -> None:
        if text == "2":
            self._send("3")
        elif text.startswith(f"40{NAMESPACE}"):
            body = {"name": HYDRATE, "router_data": {"pathname": PATH, "asPath": PATH}, "payload": {}}
            self._send(f"42{NAMESPACE}{json.dumps(['event', body])}")
        elif '"is_hydrated_rx_state_":true' in text.replace(" ", ""):
            self.is_hydrated = True

    def _send(self, text: str) -> None:
        self._writer.write(self._connection.send(TextMessage(data=text)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
