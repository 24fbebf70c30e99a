"""What people do before the page has the server's answers, in a real browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.application import Application
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
expect.set_options(timeout=30_000)
# Keeps what the server sends, and gives all of it to the page at once.
GATE = """() => {
    const { get, set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
    let kept = null;
    Object.defineProperty(WebSocket.prototype, "onmessage", {
        configurable: true,
        get,
        set(take) { set.call(this, (event) => (kept ? kept.push(() => take(event)) : take(event))); },
    });
    window.keepAnswers = () => { kept = []; };
    window.giveAnswers = () => { const all = kept; kept = null; all.forEach((give) => give()); };
}"""


class Sent:
    """The events that a page has sent, and what its server has answered, as one text each."""

    def __init__(self, page: Page):
        self.page = page
        self.events = ""
        self.answers = ""
        page.add_init_script(f"({GATE})()")
        page.on("websocket", self._follow)

    def _follow(self, socket: WebSocket) -> None:
        socket.on("framesent", self._note_event)
        socket.on("framereceived", self._note_answer)

    def _note_event(self, frame: str | bytes) -> None:
        self.events += str(frame)

    def _note_answer(self, frame: str | bytes) -> None:
        self.answers += str(frame)

    def wait(self, event: str) -> None:
        """Wait until an event is sent. The page must be asked, so that Playwright hears of it."""
        wait_for(lambda: self.page.evaluate("1") and event in self.events, 30, f"{event} is sent")

    def wait_for_answer(self, variable: str) -> None:
        """Wait until the server has answered that a variable is true."""
        found = re.compile(rf'"{variable}_rx_state_": ?true')
        wait_for(lambda: self.page.evaluate("1") and found.search(self.answers), 30, f"{variable} is true")

    @contextmanager
    def late(self) -> Iterator[None]:
        """Let no answer arrive during the block."""
        self.events = self.answers = ""
        self.page.evaluate("keepAnswers()")
        yield
        self.page.evaluate("giveAnswers()")


@pytest.fixture
def sent(page: Page) -> Sent:
    return Sent(page)


def opened(page: Page, application: Application, sku: str) -> None:
    answer = application.client.post("/api/products", json={"sku": sku, "name": f"Name of {sku}"})
    assert answer.status_code == 201, answer.text
    page.goto(f"/products?sku={sku}")
    expect(page.get_by_test_id("product-row")).to_have_count(1)
    expect(page.get_by_test_id("product-new")).to_be_enabled()


def test_a_dialog_that_is_closed_and_opened_again_is_open(page: Page, sent: Sent, application: Application):
    opened(page, application, "Late-1")
    delete = page.get_by_test_id("product-delete")
    delete.click()
    expect(page.get_by_role("alertdialog")).to_contain_text("Late-1")
    with sent.late():
        page.keyboard.press("Escape")
        expect(page.get_by_role("alertdialog")).to_have_count(0)
        delete.click()
        sent.wait_for_answer("is_open")
    expect(page.get_by_role("alertdialog")).to_contain_text("Late-1")
    page.get_by_test_id("confirm-delete").click()
    expect(page.get_by_text("Late-1 was deleted.")).to_be_visible()


def test_a_dialog_that_is_opened_before_the_list_is_filtered_stays_open(
    page: Page, sent: Sent, application: Application
):
    opened(page, application, "Late-2")
    with sent.late():
        page.get_by_test_id("filter-name").fill("name of")
        sent.wait("filter_name")
        page.get_by_test_id("product-edit").click()
        sent.wait_for_answer("is_open")
    page.wait_for_url("**/products?sku=Late-2&name=name+of")
    page.get_by_test_id("product-name").fill("Typed")
    # The address is loaded.
    sent.wait_for_answer("is_hydrated")
    page.get_by_test_id("product-save").click()
    expect(page.get_by_text("Late-2 was saved.")).to_be_visible()


def test_a_value_is_not_written_into_another_field_than_the_one_that_is_shown(
    page: Page, sent: Sent, application: Application
):
    opened(page, application, "Late-3")
    page.get_by_test_id("product-select").click()
    page.get_by_test_id("action-set").click()
    expect(page.get_by_test_id("set-value")).to_be_visible()
    with sent.late():
        page.get_by_test_id("set-field").select_option("name")
        page.get_by_test_id("confirm-action-set").click()
        sent.wait("set_field")
    expect(page.get_by_test_id("action-set-error")).to_contain_text("Another field was chosen meanwhile.")
    page.get_by_role("textbox", name="New value").fill("Chosen")
    page.get_by_test_id("confirm-action-set").click()
    expect(page.get_by_text("1 product changed")).to_be_visible()
    [product] = application.client.get("/api/products", params={"sku": "Late-3"}).json()["items"]
    assert (product["name"], product["version"]) == ("Chosen", 2)
