"""People sign in in a browser, by keyboard alone, under a name that is served without TLS."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.access.people import PASSWORD
from tests.application import Application
from tests.browser import ARGUMENTS, installed_chromium
from tests.e2e.test_pages import SECONDS
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

EMAIL = "mina@shop.example"
LINK = re.compile(r"http://shop\.example:\d+/setup\?token=[\w-]{43}")


@pytest.fixture(scope="module")
def shop(own_servers: dict[str, str]) -> Iterator[Application]:
    """Start the application as `shop.example`, so that people must sign in."""
    started = Application(WORKERS="1", ALLOWED_HOSTS="shop.example", **own_servers)
    started.environment["PUBLIC_URL"] = f"http://shop.example:{started.port}"
    started.start()
    yield started
    assert started.stop() == 0
    started.remove()


@pytest.fixture(scope="module")
def shoppers(browser: Browser) -> Iterator[Browser]:
    """Start a Chromium that finds `shop.example` here."""
    rule = "--host-resolver-rules=MAP shop.example 127.0.0.1"
    opened = browser.browser_type.launch(executable_path=installed_chromium(), args=[*ARGUMENTS, rule])
    yield opened
    opened.close()


@pytest.fixture
def visitor(shoppers: Browser, shop: Application) -> Iterator[Page]:
    """Open a page as a new visitor."""
    context = shoppers.new_context(base_url=shop.environment["PUBLIC_URL"], viewport={"width": 390, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(SECONDS)
    yield opened
    context.close()


def _first_link(shop: Application) -> str:
    """Return the link that the start has printed, once."""
    found = wait_for(lambda: LINK.findall(shop.output.read_text()), 30, "the link to the first account is printed")
    assert len(found) == 1
    return found[0]


def _check(page: Page, title: str) -> None:
    """Check that a page can be used by everybody, in both colours and without scrolling sideways."""
    expect(page).to_have_title(f"{title} · Product Importer")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()


def _type(page: Page, *words: str) -> None:
    """Type into the field that has the focus and those after it, and send the form."""
    expect(page.locator("input:focus")).to_be_visible()
    for number, text in enumerate(words):
        if number:
            page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")


def _sign_out(page: Page) -> None:
    page.goto("/sign-out")
    _check(page, "Sign out")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/sign-in$"))


def test_from_the_first_link_to_the_sign_out(visitor: Page, shop: Application):
    visitor.goto(_first_link(shop))
    _check(visitor, "Create the first account")
    _type(visitor, EMAIL, "password12345")
    error = visitor.get_by_role("alert")
    expect(error).to_contain_text("common")
    _check(visitor, "Error: Create the first account")
    # The password has the focus, and its error describes it.
    password = visitor.get_by_label("Password")
    expect(password).to_be_focused()
    expect(password).to_have_accessible_description(re.compile("common.*At least 12 characters"))
    _type(visitor, PASSWORD)
    expect(visitor.get_by_role("status")).to_contain_text("Your password is set")
    _check(visitor, "Sign in")
    _type(visitor, EMAIL, PASSWORD)
    expect(visitor.get_by_test_id("overview-products")).to_be_visible()
    _sign_out(visitor)

    visitor.goto("/imports")
    expect(visitor).to_have_url(re.compile("/sign-in\\?next=/imports$"))
    _type(visitor, EMAIL, "not the password")
    expect(visitor.get_by_role("alert")).to_contain_text("is wrong")
    _check(visitor, "Error: Sign in")
    _type(visitor, PASSWORD)
    expect(visitor).to_have_url(re.compile("/imports$"))
    expect(visitor.get_by_test_id("import-file")).to_be_visible()
    _sign_out(visitor)
    assert not [cookie for cookie in visitor.context.cookies() if "pi_session" in str(cookie.get("name"))]


def test_a_link_that_is_not_valid_says_so(visitor: Page, shop: Application):
    visitor.goto(_first_link(shop)[:-1])
    expect(visitor.get_by_role("alert")).to_contain_text("Ask for a new one")
    _check(visitor, "Error: This link is not valid")
