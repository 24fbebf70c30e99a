"""Connect to the page's websocket as a browser tab does, and send any event, as an attacker could."""

import json
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

from reflex_base.utils.format import format_event_handler
from simple_websocket import Client, ConnectionClosed  # type: ignore[import-untyped]

SECONDS = 60
NAMESPACE = "/_event,"
HYDRATE = "reflex___state____state.hydrate_and_load"


class WebsocketTab:
    """A tab of a browser that has a session's cookie.

    `token` is that of the tab's state, which changes when the server replaces it.
    """

    def __init__(self, url: str, secret: str | None, token: str | None = None, **headers: str):
        self.token = token or str(uuid4())
        given = {"Cookie": f"pi_session={secret}"} if secret else {}
        address = f"{url.replace('http', 'ws')}/_event/?EIO=4&transport=websocket&token={self.token}"
        self._client = Client(address, headers=given | headers)
        # Sent first: the client may overlook what arrives together with the answer to its handshake, until more does.
        self._client.send(f"40{NAMESPACE}{{}}")
        assert self._receive().startswith("0")
        self.was_replaced = False
        while "sid" not in (answer := self._receive()):
            name, value = _words(answer)
            assert name == "new_token"
            self.token, self.was_replaced = value, True

    def send(self, event: Any, router_data: dict[str, Any] | None = None, **payload: Any) -> None:
        """Send an event of the page: a handler, or its name."""
        name = event if isinstance(event, str) else format_event_handler(event)
        body = {"name": name, "router_data": router_data or {"pathname": "/"}, "payload": payload}
        self._client.send(f"42{NAMESPACE}{json.dumps(['event', body])}")

    def forge_connection(self, header: str, value: str, address: str) -> None:
        """Send an event that looks like the server's own of a new connection, with a header and an address."""
        header_pair = [[{"_placeholder": True, "num": number} for number in (0, 1)]]
        environ = {"QUERY_STRING": "", "asgi.scope": {"headers": header_pair, "client": [address, 1]}}
        self._client.send(f"452-{NAMESPACE}{json.dumps(['connect', environ])}")
        self._client.send(header.encode())
        self._client.send(value.encode())

    def receive(self) -> dict[str, Any]:
        """Return the next update: `delta` by state, and `events` for the browser."""
        while True:
            name, value = _words(self._receive())
            if name == "event":
                return dict(value)

    def hydrate(self, path: str = "/") -> dict[str, Any]:
        """Return the state that a page gets when it opens, by the names of states without their modules."""
        self.send(HYDRATE, {"pathname": path, "asPath": path})
        delta: dict[str, Any] = {}
        while "is_hydrated_rx_state_" not in delta.get("state", {}):
            update = self.receive()
            delta |= {short(name): values for name, values in (update.get("delta") or {}).items()}
        return delta

    def rest(self) -> list[str]:
        """Return all that still arrives until the server closes the connection."""
        received = []
        while True:
            try:
                received.append(self._receive())
            except ConnectionClosed:
                return received

    def close(self) -> None:
        """Close the tab."""
        with suppress(ConnectionClosed):
            self._client.close()

    def _receive(self) -> str:
        until = time.monotonic() + SECONDS
        while (message := self._client.receive(max(0.0, until - time.monotonic()))) is not None:
            if message != "2":
                return str(message)
            self._client.send("3")
        raise AssertionError(f"nothing but pings arrived within {SECONDS} s")


def short(name: str) -> str:
    """Return the last part of a state's name, such as `catalog_state`."""
    return name.rpartition(".")[2].rpartition("___")[2].strip("_")


def _words(message: str) -> tuple[str, Any]:
    assert message.startswith(f"42{NAMESPACE}"), message
    name, value = json.loads(message.partition(",")[2])
    return name, value
