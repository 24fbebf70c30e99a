"""The REST API, the forms of the sign-in and the web process, with sign-in on."""

import os
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any

import pytest
from fastapi.testclient import TestClient

from product_importer.access.gate.layer import AccessLayer
from product_importer.access.sign_in import app as sign_in
from product_importer.api import api
from product_importer.core.settings import settings
from tests.application import Application
from tests.conftest import DATA

Open = Callable[..., TestClient]


@pytest.fixture
def open_api(database: None) -> Iterator[Open]:
    """Return clients of the API with sign-in on: `open_api(PUBLIC_URL="https://shop.example")`."""
    opened: list[TestClient] = []

    def make(url: str = "http://localhost", client: str = "testclient", **given: Any) -> TestClient:
        values = {name.lower(): value for name, value in ({"AUTH": "on"} | given).items()}
        chosen = settings().model_copy(update=values)
        layer = AccessLayer(api, chosen, set(), sign_in=sign_in.create_app(chosen), sign_in_paths=sign_in.PATHS)
        opened.append(
            TestClient(
                layer, base_url=url, raise_server_exceptions=False, follow_redirects=False, client=(client, 50_000)
            )
        )
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def guarded(open_api: Open) -> TestClient:
    """A client of the API with sign-in on, of somebody who has not signed in."""
    return open_api()


@pytest.fixture(scope="module")
def served(servers: None) -> Iterator[Application]:
    """The web process alone, with sign-in on, on the servers of the tests."""
    given = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    started = Application(AUTH="on", DATA_DIR=str(DATA), SECRET_KEY=token_hex(32), **given)
    started.start("web", until="/api/health")
    yield started
    assert started.stop() == 0
    started.remove()
