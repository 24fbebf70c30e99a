"""The log of a webhook in a real browser: details, timeline, chart, live changes, and secrets shown once."""

import json
import re
from collections.abc import Iterator
from typing import Literal
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text

from tests.application import Application
from tests.e2e.test_products_page import cut_waiting, database
from tests.e2e.test_webhooks_page import _no_webhooks, create, create_product, part, receiver
from tests.waiting import wait_for

__all__ = ["_no_webhooks", "receiver"]

pytestmark = pytest.mark.e2e
WIDTHS = (1280, 390)
SHIFTS = """
window.shifted = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => {
    if (!entry.hadRecentInput) window.shifted += entry.value;
})).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture(params=WIDTHS)
def page(request: pytest.FixtureRequest, page: Page) -> Page:
    """A page, wide and narrow."""
    page.set_viewport_size({"width": request.param, "height": 900})
    page.add_init_script(SHIFTS)
    return page


@pytest.fixture
def webhook(application: Application, receiver) -> Iterator[dict]:
    """A webhook for new products, to which one was sent."""
    made = create(application, receiver.url, event_types=["product_created"], description="The shop's search")
    send(application, receiver)
    yield made


def send(application: Application, receiver) -> dict:
    """Create a product, and wait until the receiver has its message."""
    before = len(receiver.received)
    product = create_product(application)
    wait_for(lambda: len(receiver.received) > before, 30, "the receiver has the message")
    return product


def deliveries(application: Application, webhook: dict, **query) -> list[dict]:
    return application.client.get(f"/api/webhooks/{webhook['id']}/deliveries", params=query).json()["items"]


def wait_for_state(application: Application, webhook: dict, state: str, attempts: int) -> None:
    def is_reached() -> bool:
        found = deliveries(application, webhook)[0]
        # Soon after the first attempt there is another one.
        return found["state"] == state and found["attempts"] >= attempts

    wait_for(is_reached, 40, f"the delivery is {state} after {attempts} attempts")


def rows(page: Page) -> Locator:
    return page.get_by_test_id("delivery-row")


def opened(page: Page, webhook: dict, count: int, query: str = "") -> Locator:
    page.goto(f"/webhooks/{webhook['id']}{query}")
    expect(rows(page)).to_have_count(count)
    return rows(page)


def test_a_delivery_shows_its_request_and_its_answer(page: Page, application: Application, receiver, webhook: dict):
    [(headers, body)] = receiver.received
    row = opened(page, webhook, 1)
    expect(row).to_contain_text(json.loads(body)["sku"])
    row.get_by_test_id("delivery-details").click()
    expect(page.get_by_test_id("delivery-url")).to_have_text(f"POST {receiver.url}")
    shown = page.get_by_test_id("delivery-request-headers")
    expect(shown).to_contain_text(headers["webhook-id"])
    expect(shown).to_contain_text(f"{headers['webhook-signature'][:11]}…")
    assert headers["webhook-signature"] not in page.content()
    assert json.loads(page.get_by_test_id("delivery-body").inner_text()) == json.loads(body)
    assert page.get_by_test_id("delivery-body").inner_text().count("\n") > 4, "it is broken into lines"
    expect(page.get_by_test_id("delivery-answer-headers")).to_contain_text("BaseHTTP")
    expect(page.get_by_test_id("delivery-excerpt")).to_have_text("thank you")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_test_id("request-body-copy").click()
    expect(page.get_by_test_id("request-body-copy")).to_contain_text("Copied")
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == json.loads(body)


def test_a_retried_delivery_says_when_and_is_found_under_failed(
    page: Page, application: Application, receiver, webhook: dict
):
    receiver.status, receiver.content = 503, "away"
    send(application, receiver)
    # The second attempt follows after about 5 s, the third after about 5 min.
    wait_for_state(application, webhook, "retrying", 2)
    opened(page, webhook, 2)
    page.get_by_test_id("delivery-filter-failed").click()
    expect(page).to_have_url(re.compile(r"status=failed"))
    expect(rows(page)).to_have_count(1)
    expect(rows(page).get_by_test_id("delivery-status")).to_have_text(re.compile(r"^retrying, next in [3-6] min$"))
    expect(page.get_by_test_id("webhook-retrying")).to_have_text("1 retrying")
    expect(page.get_by_test_id("webhook-failed")).to_have_text("2 failed")
    rows(page).get_by_test_id("delivery-details").click()
    expect(page.get_by_test_id("delivery-next")).to_contain_text(re.compile(r"in [3-6] min"))
    attempts = page.get_by_test_id("delivery-attempt")
    expect(attempts).to_have_count(2)
    expect(attempts.first).to_have_attribute("aria-pressed", "true")
    attempts.last.click()
    expect(page.get_by_text("Answer of attempt 1")).to_be_visible()
    receiver.status = 200
    page.get_by_test_id("delivery-redeliver").click()
    expect(page.get_by_test_id("delivery-detail-status")).to_have_text("succeeded")
    expect(attempts).to_have_count(3)
    expect(page.get_by_text("Answer of attempt 1"), "what is read stays").to_be_visible()


def test_words_say_what_a_disabled_webhook_waits_for(page: Page, application: Application, receiver, webhook: dict):
    receiver.status = 503
    send(application, receiver)
    wait_for_state(application, webhook, "retrying", 1)
    status = opened(page, webhook, 2).first.get_by_test_id("delivery-status")
    application.client.put(f"/api/webhooks/{webhook['id']}", json={"enabled": False})
    expect(status).to_have_text("retrying, when enabled again")
    expect(part(page, "enabled")).to_have_attribute("aria-checked", "false")
    page.get_by_test_id("deliveries-redeliver").click()
    page.get_by_test_id("confirm-redeliver").click()
    toasts = page.locator("[data-sonner-toast]")
    expect(toasts).to_have_text("1 delivery will be sent when the webhook is enabled again.")
    expect(status).to_have_text("pending, when enabled again")
    page.get_by_test_id("delivery-details").first.click()
    page.get_by_test_id("delivery-redeliver").click()
    expect(toasts.first).to_have_text("The delivery will be sent again.")


def test_a_test_is_in_the_log_at_once(page: Page, application: Application, receiver, webhook: dict):
    listed = opened(page, webhook, 1)
    part(page, "test").click()
    expect(listed).to_have_count(2)
    expect(listed.first).to_contain_text("Test")
    expect(listed.first.get_by_test_id("delivery-status")).to_have_text("succeeded")
    expect(page.get_by_test_id("deliveries-new")).to_have_count(0)


def test_new_deliveries_are_counted_and_shown_on_demand(
    page: Page, application: Application, receiver, webhook: dict
):
    listed = opened(page, webhook, 1)
    expect(page.get_by_test_id("webhook-chart").locator("path").first).to_be_visible()
    # The receiver has a message before its outcome is stored.
    expect(listed.first.get_by_test_id("delivery-status")).to_have_text("succeeded")
    expect(page.get_by_test_id("webhook-succeeded")).to_have_text("1 succeeded")
    before = listed.first.bounding_box()
    page.evaluate("window.shifted = 0")
    send(application, receiver)
    new = page.get_by_test_id("deliveries-new")
    expect(new).to_have_text("1 new, show")
    send(application, receiver)
    expect(new).to_have_text("2 new, show")
    assert listed.first.bounding_box() == before and page.evaluate("window.shifted") < 0.05
    new.focus()
    page.keyboard.press("Enter")
    expect(listed).to_have_count(3)
    expect(new).to_have_count(0)
    expect(page.locator("#deliveries")).to_be_focused()


def test_what_is_shown_changes_in_place(page: Page, application: Application, receiver, webhook: dict):
    receiver.status = 503
    send(application, receiver)
    wait_for_state(application, webhook, "retrying", 2)
    listed = opened(page, webhook, 2)
    expect(listed.first.get_by_test_id("delivery-status")).to_contain_text("retrying")
    receiver.status = 200
    failed = deliveries(application, webhook)[0]
    application.client.post(f"/api/webhooks/{webhook['id']}/deliveries/{failed['id']}/redeliver")
    expect(listed.first.get_by_test_id("delivery-status")).to_have_text("succeeded")
    expect(listed).to_have_count(2)


def test_an_empty_list_fills_by_itself(page: Page, application: Application, receiver):
    webhook = create(application, receiver.url, event_types=["product_created"])
    page.goto(f"/webhooks/{webhook['id']}")
    expect(page.get_by_text("Nothing sent yet")).to_be_visible()
    send(application, receiver)
    expect(rows(page)).to_have_count(1)


def test_after_an_outage_the_deliveries_show_by_themselves(page: Page, application: Application, webhook: dict):
    problem = page.get_by_test_id("deliveries-problem")
    with database(application) as connection:
        connection.execute(text("LOCK TABLE webhook_delivery IN ACCESS EXCLUSIVE MODE"))
        page.goto(f"/webhooks/{webhook['id']}")
        wait_for(lambda: (cut_waiting(connection), problem.count())[1], 30, "the outage is shown")
        expect(problem.get_by_role("button", name="Try again")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    expect(problem).to_have_count(0)
    expect(page.get_by_test_id("webhooks-problem")).to_have_count(0)


def test_the_keyboard_opens_and_closes_a_delivery(page: Page, application: Application, receiver, webhook: dict):
    send(application, receiver)
    link = opened(page, webhook, 2).nth(1).get_by_test_id("delivery-details")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("delivery-detail")).to_be_visible()
    expect(page.locator("#delivery-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("delivery")).to_be_hidden()
    expect(link).to_be_focused()
    expect(page).not_to_have_url(re.compile("delivery="))
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("delivery-detail")).to_be_visible()
    page.go_back()
    expect(page.get_by_test_id("delivery")).to_be_hidden()


def test_an_address_opens_a_delivery(page: Page, application: Application, receiver, webhook: dict):
    [one] = deliveries(application, webhook)
    opened(page, webhook, 1, f"?delivery={one['id']}")
    expect(page.get_by_test_id("delivery-detail")).to_contain_text(one["event_id"])
    page.get_by_test_id("delivery-close").click()
    expect(rows(page).get_by_test_id("delivery-details")).to_be_focused()
    page.goto(f"/webhooks/{webhook['id']}?delivery={uuid4()}")
    expect(page.get_by_text("There is no such delivery.")).to_be_visible()
    opened(page, webhook, 1, "?delivery=nonsense&status=nonsense&page=nonsense")


def test_the_chart_is_told_in_a_table(page: Page, application: Application, receiver, webhook: dict):
    opened(page, webhook, 1)
    expect(page.get_by_test_id("webhook-succeeded")).to_have_text("1 succeeded")
    expect(page.get_by_test_id("webhook-chart").locator("path").first).to_be_visible()
    table = page.get_by_role("table", name=re.compile("Attempts in the last 7 days"))
    expect(table.get_by_role("row")).to_have_count(29)
    expect(table.get_by_role("row").last.get_by_role("cell")).to_have_text(["1", "0"])
    assert page.evaluate("window.shifted") < 0.05


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    page: Page, application: Application, receiver, webhook: dict, scheme: Literal["light", "dark"]
):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    receiver.status, receiver.content = 503, "away"
    send(application, receiver)
    wait_for_state(application, webhook, "retrying", 1)
    listed = opened(page, webhook, 2)
    expect(page.get_by_test_id("webhook-chart").locator("path").first).to_be_visible()
    for _ in range(2):
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if not page.get_by_test_id("delivery").is_visible():
            listed.first.get_by_test_id("delivery-details").click()
            expect(page.get_by_test_id("delivery-detail")).to_be_visible()


def test_only_its_button_closes_a_secret(page: Page, application: Application, receiver):
    create(application, receiver.url)
    page.goto("/webhooks")
    part(page, "rotate").click()
    page.get_by_test_id("confirm-rotate").click()
    secret = part(page, "secret")
    expect(secret).to_have_value(re.compile("^whsec_"))
    for _ in range(3):
        page.keyboard.press("Escape")
    page.mouse.click(5, 5)
    page.keyboard.press("Escape")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(secret).to_be_visible()
    expect(secret).to_have_value(re.compile("^whsec_"))
    part(page, "secret-done").click()
    expect(secret).to_be_hidden()
    expect(secret).to_have_value("")
