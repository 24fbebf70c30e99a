"""The webhook pages in a real browser, with a real receiver on this machine."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier

from tests.application import Application, catalogue
from tests.e2e.receiver import Receiver, receiving
from tests.e2e.test_products_page import database
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
SECONDS = 30_000
expect.set_options(timeout=SECONDS)

HOSTILE = "<h1>No</h1><img src=x onerror=\"document.title='taken over'\"><script>document.title='taken over'</script>"
ADDRESSES = [
    ("ftp://example.com/", "only http:// and https:// are called"),
    ("http://10.0.0.1/hook", "10.0.0.1 is private"),
    ("http://169.254.169.254/latest", "169.254.169.254 is link-local"),
    ("https://user:word@example.com/", "must not hold a name or a password"),
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _no_webhooks(application: Application) -> Iterator[None]:
    """Delete all webhooks before and after the test."""
    _delete_all(application)
    yield
    _delete_all(application)


def _delete_all(application: Application) -> None:
    for webhook in webhooks(application):
        application.client.delete(f"/api/webhooks/{webhook['id']}")


def webhooks(application: Application) -> list[dict]:
    return application.client.get("/api/webhooks", params={"page_size": 200}).json()["items"]


def create(application: Application, url: str, **fields) -> dict:
    answer = application.client.post("/api/webhooks", json={"url": url, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def create_product(application: Application) -> dict:
    sku = f"Hooked-{uuid4().hex[:8]}"
    return application.client.post("/api/products", json={"sku": sku, "name": "Hooked"}).json()


def part(page: Page | Locator, name: str) -> Locator:
    return page.get_by_test_id(f"webhook-{name}")


def open_form(page: Page) -> None:
    page.goto("/webhooks")
    part(page, "new").click()
    expect(part(page, "url")).to_be_focused()


def row(page: Page, url: str) -> Locator:
    return part(page, "row").filter(has_text=url)


def open_row(page: Page, url: str) -> Locator:
    page.goto("/webhooks")
    expect(row(page, url)).to_have_count(1)
    return row(page, url)


def open_deliveries(page: Page, webhook: dict, count: int) -> Locator:
    page.goto(f"/webhooks/{webhook['id']}")
    rows = page.get_by_test_id("delivery-row")
    expect(rows).to_have_count(count)
    return rows


def read_secret(page: Page) -> str:
    expect(part(page, "secret")).to_have_value(re.compile("^whsec_.{40,}"))
    return part(page, "secret").input_value()


def test_creating_a_webhook_shows_its_secret_once(page: Page, application: Application, receiver: Receiver):
    page.goto("/webhooks")
    expect(page.get_by_text("No webhooks yet")).to_be_visible()
    open_form(page)
    part(page, "url").fill(receiver.url)
    part(page, "description").fill("The shop's search")
    part(page, "event-product_deleted").uncheck()
    part(page, "import-each").check()
    part(page, "save").click()
    secret = read_secret(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    part(page, "secret-copy").click()
    expect(part(page, "secret-copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.reload()
    expect(row(page, receiver.url)).to_contain_text("The shop's search")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(part(page, "secret")).to_have_value("")
    assert secret not in page.content()
    [made] = webhooks(application)
    assert (made["url"], made["import_events"], made["enabled"]) == (receiver.url, "each", True)
    assert "product_deleted" not in made["event_types"]
    assert len(made["event_types"]) == 5


def test_a_form_with_errors_shows_each_beside_its_field(page: Page, application: Application):
    open_form(page)
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    part(page, "save").click()
    expect(part(page, "form-error")).to_have_attribute("role", "alert")
    expect(part(page, "url-fault")).to_have_text("This is required.")
    expect(part(page, "events-fault")).to_have_text("Choose at least one event.")
    expect(part(page, "url")).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Escape")
    page.get_by_test_id("discard-confirm").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert webhooks(application) == []


def test_a_url_that_is_not_allowed_is_rejected_with_the_reason(page: Page, application: Application):
    open_form(page)
    for address, why in ADDRESSES:
        part(page, "url").fill(address)
        part(page, "save").click()
        expect(part(page, "url-fault")).to_contain_text("This address is not allowed:")
        expect(part(page, "url-fault")).to_contain_text(why)
    assert webhooks(application) == []


def test_the_test_button_shows_the_outcome(page: Page, application: Application, receiver: Receiver):
    webhook = create(application, receiver.url)
    shown = open_row(page, receiver.url)
    part(shown, "test").click()
    expect(part(shown, "test-result")).to_contain_text("200")
    expect(part(shown, "test-result")).to_contain_text(re.compile(r"\d ms"))
    [(headers, body)] = receiver.received
    Verifier(webhook["secret"]).verify(body, headers)
    receiver.status = 503
    part(shown, "test").click()
    expect(part(shown, "test-result")).to_contain_text("503")
    expect(part(shown, "test-result")).to_contain_text("test failed")


def test_a_test_that_cannot_connect_says_why(page: Page, application: Application):
    create(application, "http://127.0.0.1:9999/nobody")
    shown = open_row(page, "127.0.0.1:9999")
    part(shown, "test").click()
    expect(part(shown, "test-result")).to_contain_text("test failed")
    expect(part(shown, "test-result")).to_contain_text(re.compile("connect|refused", re.IGNORECASE))


def test_the_switch_disables_and_enables_a_webhook(page: Page, application: Application, receiver: Receiver):
    create(application, receiver.url)
    shown = open_row(page, receiver.url)
    for wanted in (False, True):
        part(shown, "enabled").click()
        expect(part(shown, "enabled")).to_have_attribute("aria-checked", str(wanted).lower())
        expect(part(shown, "enabled")).to_have_attribute("aria-busy", "false")
        assert webhooks(application)[0]["enabled"] is wanted
        expect(shown).to_contain_text("enabled" if wanted else "disabled")


def test_a_switch_that_cannot_be_saved_goes_back(page: Page, application: Application, receiver: Receiver):
    webhook = create(application, receiver.url)
    shown = open_row(page, receiver.url)
    with database(application) as connection:
        # Until this is committed, the list does not say so in place of the switch.
        deletion = text("UPDATE webhook SET deleted_at = now(), enabled = false, secret = '' WHERE id = :id")
        connection.execute(deletion, {"id": webhook["id"]})
        part(shown, "enabled").click()
        expect(part(shown, "enabled")).to_have_attribute("aria-busy", "true")
        connection.commit()
    expect(page.get_by_text("The change was not saved.")).to_be_visible()
    # Soon after, the list says that the webhook is gone.
    gone = page.get_by_role("listitem").filter(has_text=f"{receiver.url} deleted")
    expect(shown.locator("[aria-checked=true]").or_(gone)).to_be_visible()


def test_only_changed_fields_are_saved(page: Page, application: Application, receiver: Receiver):
    webhook = create(application, receiver.url, event_types=["import_failed"], description="Before")
    part(open_row(page, receiver.url), "edit").click()
    expect(part(page, "url")).to_have_value(receiver.url)
    expect(part(page, "event-import_failed")).to_be_checked()
    expect(part(page, "event-import_completed")).not_to_be_checked()
    application.client.put(f"/api/webhooks/{webhook['id']}", json={"description": "A colleague's"})
    part(page, "event-import_completed").check()
    part(page, "save").click()
    expect(page.get_by_text("The webhook was saved.")).to_be_visible()
    [saved] = webhooks(application)
    assert saved["event_types"] == ["import_completed", "import_failed"]
    assert saved["description"] == "A colleague's"


def test_a_new_secret_is_shown_once_and_the_old_one_stays_valid(
    page: Page, application: Application, receiver: Receiver
):
    webhook = create(application, receiver.url)
    shown = open_row(page, receiver.url)
    part(shown, "rotate").click()
    page.get_by_test_id("confirm-rotate").click()
    secret = read_secret(page)
    assert secret != webhook["secret"]
    expect(page.get_by_text("The old secret stays valid for 24 hours: until then")).to_be_visible()
    part(page, "secret-done").click()
    expect(part(page, "secret")).to_have_value("")
    part(shown, "test").click()
    expect(part(shown, "test-result")).to_contain_text("200")
    [(headers, body)] = receiver.received
    for valid in (secret, webhook["secret"]):
        Verifier(valid).verify(body, headers)


def test_the_question_before_a_new_secret_is_closed_when_the_page_is_left(
    page: Page, application: Application, receiver: Receiver
):
    create(application, receiver.url)
    part(open_row(page, receiver.url), "rotate").click()
    expect(page.get_by_test_id("confirm-rotate")).to_be_visible()
    page.goto("/imports")
    expect(page.get_by_test_id("import-file")).to_be_visible()
    page.goto("/webhooks")
    expect(part(page, "new")).to_be_enabled()
    expect(page.get_by_test_id("confirm-rotate")).to_be_hidden()


def test_deleting_a_webhook_asks_first(page: Page, application: Application, receiver: Receiver):
    create(application, receiver.url)
    part(open_row(page, receiver.url), "delete").click()
    expect(page.get_by_role("alertdialog")).to_contain_text(receiver.url)
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alertdialog")).to_be_hidden()
    assert len(webhooks(application)) == 1
    part(row(page, receiver.url), "delete").click()
    page.get_by_test_id("confirm-delete").click()
    expect(page.get_by_text("No webhooks yet")).to_be_visible()
    assert webhooks(application) == []


def test_deliveries_show_what_an_import_sent(page: Page, application: Application, receiver: Receiver):
    webhook = create(application, receiver.url, event_types=["import_completed"])
    application.finished(application.upload(catalogue(20, first=7_000_000)))
    wait_for(lambda: receiver.received, 30, "the receiver has the messages")
    shown = open_row(page, receiver.url)
    shown.get_by_role("link", name=receiver.url).click()
    delivery = page.get_by_test_id("delivery-row")
    expect(delivery).to_have_count(1)
    expect(delivery).to_contain_text("Import completed")
    expect(delivery.get_by_test_id("delivery-status")).to_have_text("succeeded")
    expect(delivery.get_by_test_id("delivery-answer")).to_have_text("200")
    delivery.get_by_test_id("delivery-details").click()
    expect(page.get_by_test_id("delivery-excerpt")).to_have_text("thank you")
    [(headers, body)] = receiver.received
    expect(page.get_by_test_id("delivery-detail")).to_contain_text(headers["webhook-id"])
    Verifier(webhook["secret"]).verify(body, headers)
    assert receiver.event_types() == ["import_completed"]


def test_a_response_is_shown_as_text(page: Page, application: Application, receiver: Receiver):
    receiver.status, receiver.content = 500, HOSTILE
    webhook = create(application, receiver.url, event_types=["product_created"])
    create_product(application)
    wait_for(lambda: receiver.received, 30, "the receiver has the messages")
    delivery = open_deliveries(page, webhook, 1)
    expect(delivery.get_by_test_id("delivery-answer")).to_have_text("500")
    delivery.get_by_test_id("delivery-details").click()
    expect(page.get_by_test_id("delivery-excerpt").first).to_have_text(HOSTILE)
    assert page.locator("h1").count() == 1
    assert "taken over" not in page.title()


def test_one_delivery_or_all_that_failed_are_sent_again(page: Page, application: Application, receiver: Receiver):
    receiver.status = 500
    webhook = create(application, receiver.url, event_types=["product_created"])
    for _ in range(2):
        create_product(application)
    wait_for(lambda: len(receiver.received) >= 2, 30, "the receiver has the messages")
    rows = open_deliveries(page, webhook, 2)
    receiver.status = 200
    rows.first.get_by_test_id("delivery-details").click()
    page.get_by_test_id("delivery-redeliver").click()
    expect(page.get_by_test_id("delivery-detail-status")).to_have_text("succeeded")
    page.get_by_test_id("delivery-close").click()
    expect(rows.first.get_by_test_id("delivery-status")).to_have_text("succeeded")
    page.get_by_test_id("deliveries-redeliver").click()
    page.get_by_test_id("redeliver-period").select_option("hour")
    page.get_by_test_id("confirm-redeliver").click()
    expect(rows.nth(1).get_by_test_id("delivery-status")).to_have_text("succeeded")
    page.get_by_test_id("delivery-filter-failed").click()
    expect(page.get_by_text("No delivery has this status")).to_be_visible()
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 2


def test_deliveries_are_paged_newest_first(page: Page, application: Application, receiver: Receiver):
    webhook = create(application, receiver.url, event_types=["product_created"])
    for _ in range(26):
        create_product(application)
    wait_for(lambda: len(receiver.received) >= 26, 60, "the receiver has the messages")
    oldest = min(headers["webhook-id"] for headers, _ in receiver.received)
    rows = open_deliveries(page, webhook, 25)
    page.get_by_test_id("deliveries-next").click()
    expect(rows).to_have_count(1)
    rows.get_by_test_id("delivery-details").click()
    expect(page.get_by_test_id("delivery-detail")).to_contain_text(oldest)
    page.get_by_test_id("delivery-close").click()
    page.get_by_test_id("deliveries-previous").click()
    expect(rows).to_have_count(25)


def test_a_webhook_that_was_disabled_by_a_failure_says_why(page: Page, application: Application, receiver: Receiver):
    receiver.status = 410
    create(application, receiver.url, event_types=["product_created"])
    create_product(application)
    wait_for(lambda: not webhooks(application)[0]["enabled"], 30, "the webhook is disabled")
    shown = open_row(page, receiver.url)
    expect(part(shown, "disabled-reason")).to_contain_text("410")
    expect(part(shown, "enabled")).to_have_attribute("aria-checked", "false")
    part(shown, "enabled").click()
    expect(part(shown, "disabled-reason")).to_have_count(0)


@pytest.mark.parametrize("named", ["1528ab4b-27fc-416a-b9c9-7c1c2ab3598f", "nonsense"])
def test_an_unknown_webhook_is_reported(page: Page, application: Application, named: str):
    page.goto(f"/webhooks/{named}")
    expect(page.get_by_text("There is no such webhook")).to_be_visible()


def test_deleting_a_webhook_on_its_own_page_leads_to_the_list(
    page: Page, application: Application, receiver: Receiver
):
    webhook = create(application, receiver.url)
    page.goto(f"/webhooks/{webhook['id']}")
    expect(page.get_by_role("heading", name=receiver.url)).to_be_visible()
    part(page, "delete").click()
    page.get_by_test_id("confirm-delete").click()
    expect(page.get_by_text("No webhooks yet")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_webhook_page_scrolls_sideways(page: Page, application: Application, receiver: Receiver, width: int):
    receiver.status, receiver.content = 500, "x" * 4_000
    webhook = create(application, receiver.url + "?" + "long" * 60, description="d" * 900)
    create_product(application)
    wait_for(lambda: receiver.received, 30, "the receiver has the messages")
    page.set_viewport_size({"width": width, "height": 800})
    open_row(page, receiver.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    open_deliveries(page, webhook, 1).get_by_test_id("delivery-details").click()
    expect(page.get_by_test_id("delivery-excerpt").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
