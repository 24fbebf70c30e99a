"""A page whose server is away: it says so, and what was done meanwhile is done once, or taken back in words."""

import os
import signal
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from product_importer.ui import routes
from tests.application import Application
from tests.breaking_proxy import BreakingProxy
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
SECONDS = 30_000
# Words of Reflex and of the websocket's library.
NOTE_MESSAGES = """() => {
    window.said = [];
    const note = () => {
        for (const one of document.querySelectorAll("[data-sonner-toast]")) window.said.push(one.innerText);
    };
    new MutationObserver(note).observe(document.body, { childList: true, subtree: true });
}"""
RAW = ("websocket", "ws://", "Cannot connect", "transport", "An error occurred", "Check if server")


class Web(Application):
    """A web process of its own beside the application: on its database, but on another port."""

    def begin(self) -> None:
        """Start it."""
        self.start("web", until="/api/health")

    def kill(self) -> None:
        """Kill it as a crash would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)


@pytest.fixture
def web(application: Application, own_servers: dict[str, str]) -> Iterator[Web]:
    """A web process that may be killed."""
    started = Web(DATA_DIR=str(application.data), **own_servers)
    started.begin()
    yield started
    started.kill()
    started.remove()


@pytest.fixture
def proxy(application: Application) -> Iterator[BreakingProxy]:
    """A proxy in front of the application."""
    breaking = BreakingProxy(application.url)
    yield breaking
    breaking.end()


Visit = Callable[[str, str], Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open an address of a server, and wait until the page takes clicks."""
    contexts = []

    def opened(url: str, address: str) -> Page:
        contexts.append(browser.new_context(base_url=url, viewport={"width": 1280, "height": 900}))
        page = contexts[-1].new_page()
        page.goto(address)
        expect(page.get_by_test_id("loading")).to_have_count(0, timeout=SECONDS)
        expect(page.get_by_test_id("product-new").or_(page.get_by_test_id("webhook-new"))).to_be_enabled(
            timeout=SECONDS
        )
        if "?sku=" in address:
            # The grid has code of its own, which comes over the connection, too.
            expect(page.get_by_role("switch")).to_be_visible(timeout=SECONDS)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def sku(application: Application) -> str:
    """A new product's SKU."""
    return create(application)


def create(application: Application) -> str:
    name = f"AWAY-{uuid4().hex[:10]}"
    answer = application.client.post("/api/products", json={"sku": name, "name": "Old name"})
    assert answer.status_code == 201, answer.text
    return name


def stored(application: Application, sku: str) -> dict | None:
    """Return a product as REST shows it, or None."""
    found = application.client.get("/api/products", params={"sku": sku}).json()["items"]
    return found[0] if found else None


def address_of(sku: str) -> str:
    return f"{routes.PRODUCTS}?sku={sku}"


def banner(page: Page) -> Locator:
    return page.get_by_test_id("connection")


def note_messages(page: Page) -> None:
    """Keep the messages that the page shows: they go away by themselves, perhaps while another page is awaited."""
    page.evaluate(NOTE_MESSAGES)


def expect_said(page: Page, words: str) -> None:
    wait_for(lambda: any(words in said for said in page.evaluate("window.said")), 30, f"the page says: {words}")


def expect_lost(page: Page) -> None:
    expect(banner(page)).to_contain_text("Connection lost. Trying again…", timeout=SECONDS)
    text = page.locator("body").inner_text()
    assert [word for word in RAW if word in text] == []


def expect_back(page: Page) -> None:
    expect(banner(page)).to_contain_text("Connected again", timeout=SECONDS)


def test_what_is_done_while_the_web_process_is_dead_is_done_when_it_is_back(
    web: Web, application: Application, visit: Visit
):
    switched, changed, deleted = (create(application) for _ in range(3))
    pages = [visit(web.url, address_of(sku)) for sku in (switched, changed, deleted)]
    pages[1].get_by_test_id("product-edit").click()
    pages[1].get_by_test_id("product-name").fill("New name")
    pages[2].get_by_test_id("product-delete").click()
    expect(pages[2].get_by_test_id("confirm-delete")).to_be_visible(timeout=SECONDS)
    web.kill()
    for page in pages:
        expect_lost(page)
    pages[0].get_by_role("switch").click()
    pages[1].get_by_test_id("product-save").click()
    pages[2].get_by_test_id("confirm-delete").click()
    for page in pages:
        note_messages(page)
    expect(pages[0].get_by_test_id("connection-waiting")).to_contain_text(switched)
    expect(pages[1].get_by_test_id("connection-waiting")).to_have_text("Waiting: “Save” of “Edit product”")
    expect(pages[2].get_by_test_id("connection-waiting")).to_have_text("Waiting: “Delete” of “Delete this product”")
    web.begin()
    # The switch shows the click before the server knows of it.
    wait_for(lambda: not (stored(application, switched) or {})["active"], 30, f"{switched} is switched")
    expect(pages[0].get_by_role("switch")).to_have_attribute("aria-checked", "false", timeout=SECONDS)
    expect_said(pages[1], f"{changed} was saved.")
    expect_said(pages[2], f"{deleted} was deleted.")
    assert (stored(application, changed) or {})["name"] == "New name"
    assert stored(application, deleted) is None
    for page in pages:
        expect(banner(page)).to_be_hidden(timeout=SECONDS)


def test_what_needs_a_forgotten_dialog_is_taken_back_by_name(web: Web, application: Application, visit: Visit):
    before = application.client.get("/api/webhooks").json()["total"]
    page = visit(web.url, routes.WEBHOOKS)
    page.get_by_test_id("webhook-new").click()
    page.get_by_test_id("webhook-url").fill("https://example.com/hook")
    web.kill()
    expect_lost(page)
    page.get_by_test_id("webhook-save").click()
    web.begin()
    undone = page.get_by_test_id("connection-undone")
    expect(undone).to_contain_text("Not done: “Create” of “New webhook”", timeout=SECONDS)
    expect(page.get_by_test_id("webhook-url")).to_be_hidden()
    assert application.client.get("/api/webhooks").json()["total"] == before
    page.get_by_test_id("connection-dismiss").click()
    expect(banner(page)).to_be_hidden(timeout=SECONDS)


def test_a_form_that_is_lost_with_the_server_is_not_lost_without_a_word(web: Web, sku: str, visit: Visit):
    page = visit(web.url, address_of(sku))
    page.get_by_test_id("product-edit").click()
    page.get_by_test_id("product-name").fill("Never saved")
    web.kill()
    expect_lost(page)
    web.begin()
    expect(page.get_by_test_id("connection-closed")).to_contain_text("“Edit product” was closed", timeout=SECONDS)


def test_a_form_stays_as_it_is_over_a_broken_connection(proxy: BreakingProxy, sku: str, visit: Visit):
    page = visit(proxy.url, address_of(sku))
    page.get_by_test_id("product-edit").click()
    page.get_by_test_id("product-name").fill("Typed before")
    proxy.cut()
    expect_lost(page)
    page.get_by_test_id("product-description").fill("Typed meanwhile")
    proxy.mend()
    expect_back(page)
    expect(page.get_by_test_id("product-name")).to_have_value("Typed before")
    expect(page.get_by_test_id("product-description")).to_have_value("Typed meanwhile")
    page.get_by_test_id("product-save").click()
    expect(page.get_by_text(f"{sku} was saved.")).to_be_visible(timeout=SECONDS)


def test_what_was_sent_into_a_dead_connection_is_done_once(
    proxy: BreakingProxy, application: Application, sku: str, visit: Visit
):
    page = visit(proxy.url, address_of(sku))
    version = (stored(application, sku) or {})["version"]
    proxy.freeze()
    page.get_by_role("switch").click()
    proxy.mend()
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false", timeout=SECONDS)
    # The switch shows the click before the server knows of it.
    wait_for(lambda: (stored(application, sku) or {})["version"] > version, 30, f"{sku} is switched")
    assert (stored(application, sku) or {})["version"] == version + 1


def test_an_event_is_taken_once_though_its_confirmation_was_lost(
    proxy: BreakingProxy, application: Application, visit: Visit
):
    name = f"ONCE-{uuid4().hex[:10]}"
    page = visit(proxy.url, routes.PRODUCTS)
    page.get_by_test_id("product-new").click()
    page.get_by_test_id("product-sku").fill(name)
    page.get_by_test_id("product-name").fill("Once")
    # The answers do not arrive any more, but what the browser sends does.
    proxy.freeze_answers()
    page.get_by_test_id("product-save").click()
    wait_until_stored(application, name)
    proxy.mend()
    expect(page.get_by_test_id("product-sku")).to_be_hidden(timeout=SECONDS)
    expect(page.get_by_text("Another product has this SKU.")).to_have_count(0)


def wait_until_stored(application: Application, sku: str) -> None:
    wait_for(lambda: stored(application, sku), 30, f"{sku} is stored")


def test_an_impatient_click_counts_once_and_the_filters_stay(
    proxy: BreakingProxy, application: Application, sku: str, visit: Visit
):
    page = visit(proxy.url, address_of(sku))
    version = (stored(application, sku) or {})["version"]
    proxy.cut()
    expect_lost(page)
    for _ in range(3):
        page.get_by_role("switch").click()
    proxy.mend()
    expect_back(page)
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false", timeout=SECONDS)
    expect(page.get_by_test_id("products-total")).to_have_text("1")
    wait_for(lambda: (stored(application, sku) or {})["version"] > version, 30, f"{sku} is switched")
    assert (stored(application, sku) or {})["version"] == version + 1


def test_a_link_does_not_leave_a_page_for_an_error_of_the_browser(proxy: BreakingProxy, sku: str, visit: Visit):
    page = visit(proxy.url, address_of(sku))
    proxy.cut()
    expect_lost(page)
    page.get_by_role("link", name="Webhooks").click()
    expect(banner(page)).to_contain_text("“Webhooks” can be opened when the connection is back.")
    proxy.mend()
    expect_back(page)
    page.get_by_role("link", name="Webhooks").click()
    expect(page.get_by_role("heading", level=1, name="Webhooks")).to_be_visible(timeout=SECONDS)


def test_what_is_too_long_to_be_sent_is_refused_and_the_connection_stays(
    application: Application, sku: str, visit: Visit
):
    page = visit(application.url, address_of(sku))
    page.get_by_test_id("product-edit").click()
    page.get_by_test_id("product-description").fill("x" * 1_200_000)
    refused = page.get_by_test_id("connection-too-long")
    expect(refused).to_contain_text("Not sent: What was typed or pasted. At most 999,000 characters")
    page.get_by_test_id("product-save").click()
    expect(refused).to_contain_text("Not sent: “Save” of “Edit product”.")
    page.get_by_test_id("product-description").fill("Short")
    expect(banner(page)).to_be_hidden()
    page.get_by_test_id("product-save").click()
    expect(page.get_by_text(f"{sku} was saved.")).to_be_visible(timeout=SECONDS)
    assert (stored(application, sku) or {})["description"] == "Short"


def test_the_banner_moves_nothing(proxy: BreakingProxy, sku: str, visit: Visit):
    page = visit(proxy.url, address_of(sku))
    expect(page.get_by_test_id("products-total")).to_have_text("1", timeout=SECONDS)
    before = page.get_by_test_id("products-total").bounding_box()
    proxy.cut()
    expect_lost(page)
    assert page.get_by_test_id("products-total").bounding_box() == before


def test_a_page_whose_code_cannot_be_loaded_says_so_in_our_words(application: Application, browser: Browser):
    context = browser.new_context(base_url=application.url)
    page = context.new_page()
    page.route("**/assets/*webhooks*.js", lambda route: route.abort())
    page.goto(routes.WEBHOOKS)
    expect(page.get_by_role("alert")).to_contain_text("This page could not be loaded completely", timeout=SECONDS)
    page.unroute("**/assets/*webhooks*.js")
    page.get_by_role("button", name="Load again").click()
    expect(page.get_by_test_id("webhook-new").first).to_be_enabled(timeout=SECONDS)
    context.close()
