"""The REST API, the forms of the sign-in and the web process, with sign-in on."""

import os
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, BrowserContext, Page, expect

from product_importer.access.gate.layer import AccessLayer
from product_importer.access.sign_in import app as sign_in
from product_importer.api import api
from product_importer.core.settings import settings
from tests.application import Application
from tests.browser import chromium
from tests.conftest import DATA

Open = Callable[..., TestClient]
Visit = Callable[..., Page]
SECONDS = 30_000


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for this module."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser, served: Application, database: None) -> Iterator[Visit]:
    """Open a page in a browser of its own, in which a session's secret is kept: `visit(secret, path)`."""
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def make(secret: str, path: str = "/", width: int = 1280) -> Page:
        context = browser.new_context(base_url=served.url, viewport={"width": width, "height": 900})
        context.add_cookies([{"name": "pi_session", "value": secret, "url": served.url, "httpOnly": True}])
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path)
        return page

    yield make
    for context in opened:
        context.close()
    assert errors == []


def signed_in(page: Page) -> None:
    """Wait until it is known who is at the page, and the page has loaded."""
    expect(page.get_by_test_id("person")).to_be_visible(timeout=SECONDS)
    expect(page.get_by_test_id("loading")).to_have_count(0, timeout=SECONDS)
