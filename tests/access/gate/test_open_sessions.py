"""Websockets and event streams end soon after their session or token."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlmodel import delete
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from product_importer.access import sessions
from product_importer.access.gate.layer import SESSION_ENDED, AccessLayer
from product_importer.access.models import ApiToken
from product_importer.access.secrets import digest_of
from product_importer.core import db
from product_importer.core.settings import settings
from tests.access.people import add_person, add_token, bearer, sign_in


async def stream(request: Request) -> StreamingResponse:
    """Send one event, then nothing until the client is gone."""

    async def events() -> AsyncIterator[bytes]:
        yield b"data: first\n\n"
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return StreamingResponse(events(), media_type="text/event-stream")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            await websocket.send_text(await websocket.receive_text())


APPLICATION = Starlette(routes=[Route("/api/stream", stream), WebSocketRoute("/_event", echo)])


def _layer(farewell=None) -> AccessLayer:
    given = settings().model_copy(update={"auth": "on"})
    return AccessLayer(APPLICATION, given, set(), **({"farewell": farewell} if farewell else {}))


def test_a_websocket_ends_after_its_session_and_says_farewell_before(database):
    told: list[bytes] = []
    secret, other = sign_in(add_person()), sign_in(add_person())

    async def farewell(digests: frozenset[bytes]) -> None:
        told.extend(digests)

    with (
        TestClient(_layer(farewell), base_url="http://localhost") as client,
        client.websocket_connect("ws://localhost/_event", headers={"Cookie": f"pi_session={other}"}) as kept,
        client.websocket_connect("ws://localhost/_event", headers={"Cookie": f"pi_session={secret}"}) as opened,
    ):
        opened.send_text("a")
        assert opened.receive_text() == "a"
        db.run(sessions.end, digest_of(secret))
        with pytest.raises(WebSocketDisconnect) as ended:
            opened.receive_text()
        assert (ended.value.code, told) == (SESSION_ENDED, [digest_of(secret)])
        kept.send_text("b")
        assert kept.receive_text() == "b"


def test_an_event_stream_ends_after_its_token(database):
    token = add_token(add_person(), "read")
    layer = _layer()

    async def follow() -> list[str]:
        """Return the lines of a stream whose token is deleted after the first."""
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/api/stream",
            "raw_path": b"/api/stream",
            "query_string": b"",
            "scheme": "http",
            "http_version": "1.1",
            "headers": [(b"host", b"localhost"), (b"authorization", bearer(token)["Authorization"].encode())],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }
        sent: list[dict] = []
        began = asyncio.Event()

        async def receive():
            await asyncio.Event().wait()

        async def send(message):
            sent.append(message)
            if message.get("body"):
                began.set()

        answer = asyncio.create_task(layer(scope, receive, send))
        await began.wait()
        await asyncio.to_thread(db.run, lambda session: session.execute(delete(ApiToken)))
        await answer
        return [message.get("body", b"").decode() for message in sent[1:]]

    assert asyncio.run(follow()) == ["data: first\n\n", ""]
