"""Request bodies: limits of size and time."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Message

from product_importer.access.gate import bodies
from product_importer.access.gate.layer import AccessLayer
from product_importer.core.settings import Settings
from tests.access.gate.conftest import APPLICATION

MIB = 1024 * 1024


def pieces(size: int) -> Iterator[bytes]:
    """Yield a body in pieces, which is sent without a Content-Length."""
    for _ in range(size // 1024):
        yield b"x" * 1024


@pytest.mark.parametrize("path", ["/api/products", "/api/upload-csv/", "/api/upload-csvs"])
def test_a_large_body_is_rejected_and_a_small_one_arrives_complete(visit, path):
    assert visit().post(path, content=b"x" * MIB).json()["size"] == MIB
    assert visit().post(path, content=pieces(MIB)).json()["size"] == MIB
    for content in (b"x" * (MIB + 1), pieces(MIB + 1024)):
        answer = visit().post(path, content=content)
        assert (answer.status_code, answer.json()["type"]) == (413, "/api/problems/too-large")
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/api/upload-csv", "/api/products/bulk", "/_upload"])
def test_files_have_their_own_limit(visit, path):
    assert visit().post(path, content=b"x" * (MIB + 1)).json()["size"] == MIB + 1
    assert visit().put(path, content=b"x" * (MIB + 1)).status_code == 413


def answer_to(path: str, messages: list[Message], *, has_length: bool = True) -> list[Message]:
    """Return the layer's answer to a request that sends these messages and then nothing more."""
    sent: list[Message] = []
    waiting = iter(messages)

    async def receive() -> Message:
        for message in waiting:
            return message
        return await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    length = [(b"content-length", b"%d" % (MIB + 1))] if has_length else [(b"transfer-encoding", b"chunked")]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 3000),
        "headers": [(b"host", b"localhost"), *length],
    }
    asyncio.run(AccessLayer(APPLICATION, Settings(_env_file=None), set())(scope, receive, send))
    return sent


def test_a_body_announced_as_too_large_is_not_read():
    sent = answer_to("/api/products", [])
    assert sent[0]["status"] == 413


@pytest.mark.parametrize("path", ["/api/products", "/api/upload-csv", "/api/products/bulk", "/_upload"])
def test_a_request_that_stops_arriving_is_ended(monkeypatch, path):
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.05)
    begun: list[Message] = [{"type": "http.request", "body": b"x", "more_body": True}]
    sent = answer_to(path, begun, has_length=False)
    assert [message["status"] for message in sent if message["type"] == "http.response.start"] == [408]
    assert b"request-timeout" in sent[1]["body"]


def test_a_slow_answer_is_not_ended(monkeypatch):
    """The limit applies to the request, not to the time of the answer."""
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.05)

    async def wait_for_the_end(scope, receive, send):
        await receive()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await receive()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    sent: list[Message] = []

    async def receive() -> Message:
        if sent or seen:
            return await asyncio.Future()
        seen.append(True)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    seen: list[bool] = []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/api/jobs/1/events",
        "client": None,
        "headers": [(b"host", b"localhost")],
    }
    asyncio.run(AccessLayer(wait_for_the_end, Settings(_env_file=None), set())(scope, receive, send))
    assert sent[0]["status"] == 204
