"""The access layer in front of a small application that returns what it received."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from product_importer.access.gate.layer import AccessLayer
from product_importer.core.settings import Settings

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]


async def echo(request: Request) -> JSONResponse:
    body = await request.body()
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=60"}
    received = {
        "client": request.client.host if request.client else None,
        "host": request.headers["host"],
        "scheme": request.url.scheme,
        "forwarded": sorted(name for name in request.headers if "forwarded" in name or name == "x-real-ip"),
        "size": len(body),
    }
    return JSONResponse(received, headers=headers)


async def show(_: Request) -> HTMLResponse:
    return HTMLResponse("<p>A page")


async def greet(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    # Open until the client closes it.
    await websocket.receive()


APPLICATION = Starlette(
    routes=[
        Route("/api/{path:path}", echo, methods=METHODS),
        Route("/_upload", echo, methods=METHODS),
        Route("/page", show),
        WebSocketRoute("/_event", greet),
    ]
)


@pytest.fixture
def visit() -> Callable[..., TestClient]:
    """Return a client of the layer: `visit(host="localhost", client="203.0.113.7", ALLOWED_HOSTS="shop.example")`."""

    def opened(host: str = "localhost:3000", client: str = "127.0.0.1", **given: Any) -> TestClient:
        # What these tests are about comes before the question who it is.
        given = {"AUTH": "off", "I_KNOW_ANYONE_CAN_CHANGE_EVERYTHING": True, **given}
        settings = Settings(_env_file=None, **{name.lower(): value for name, value in given.items()})
        layer = AccessLayer(APPLICATION, settings, {"'sha256-x='"})
        return TestClient(layer, base_url=f"http://{host}", client=(client, 50_000))

    return opened
