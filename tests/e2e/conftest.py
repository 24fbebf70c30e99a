from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.application import Application
from tests.browser import chromium


@pytest.fixture(scope="package")
def application(own_servers: dict[str, str]) -> Iterator[Application]:
    """The whole application, started once as people start it."""
    started = Application(WORKERS="1", BATCH_SIZE="2000", **own_servers)
    started.start()
    yield started
    assert started.stop() == 0
    started.remove()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A real Chromium; with its package's last test it ends, and with it the event loop that keeps this thread."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, application: Application) -> Iterator[Page]:
    """A new page of a new visitor; an error in a script fails the test, and so does what its policy forbids."""
    context = browser.new_context(base_url=application.url, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda told: errors.append(told.text) if "Content Security Policy" in told.text else None)
    yield opened
    context.close()
    assert errors == []
