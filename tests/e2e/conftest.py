"""Fixtures for tests in a browser: the application, a Chromium and a page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.application import Application
from tests.browser import chromium

# Also where one file runs alone: a busy machine takes long.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="package")
def started(own_servers: dict[str, str]) -> Iterator[Application]:
    """Start the whole application once, as users start it."""
    application = Application(WORKERS="1", BATCH_SIZE="2000", **own_servers)
    application.start()
    yield application
    assert application.stop() == 0
    application.remove()


@pytest.fixture(scope="module")
def application(started: Application) -> Application:
    """The application without the products of other files, whose SKUs may be the same."""
    if started.client.get("/api/products", params={"page_size": 1}).raise_for_status().json()["total"]:
        started.empty()
    return started


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start a Chromium for the package. Its event loop occupies this thread until the package ends."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, application: Application) -> Iterator[Page]:
    """Open a page as a new visitor; a script error or a violation of the content security policy fails the test."""
    context = browser.new_context(base_url=application.url, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on(
        "console", lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None
    )
    yield opened
    context.close()
    assert errors == []
