"""Forms in dialogs ask before what somebody has typed is thrown away."""

import re

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.application import Application
from tests.e2e.test_imports_page import choose, csv_of
from tests.e2e.test_product_page import SECONDS, WIDTHS, check_with_axe, create, opened, read
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
expect.set_options(timeout=SECONDS)
CLICK_WITH_NEXT_ADDRESS = """() => {
    const push = history.pushState;
    history.pushState = (...given) => {
        push.apply(history, given);
        history.pushState = push;
        document.querySelector("[data-testid=view-save-as]").click();
    };
}"""


def open_form(page: Page, product: dict, width: int) -> Locator:
    opened(page, product, width).get_by_test_id("product-edit").click()
    expect(page.get_by_test_id("product-name")).to_be_visible()
    return page.get_by_test_id("product-name")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_form_that_is_half_filled_asks_before_it_is_thrown_away(page: Page, application: Application, width: int):
    product = create(application, f"Half-{width}", attributes={"size": "M"}, description="Two\r\nlines")
    name, question = open_form(page, product, width), page.get_by_test_id("discard")
    # Untouched, also by typing that was taken back, it closes at once.
    name.fill("x")
    name.fill(f"Name of Half-{width}")
    page.keyboard.press("Escape")
    expect(name).to_have_count(0)
    page.get_by_test_id("product-edit").click()
    name.fill("typed")
    page.keyboard.press("Escape")
    expect(question).to_be_visible()
    expect(page.get_by_test_id("discard-keep")).to_be_focused()
    check_with_axe(page)
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(name).to_have_value("typed")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_test_id("discard-keep").click()
    expect(question).to_be_hidden()
    expect(name).to_have_value("typed")
    page.mouse.click(4, 450)
    expect(question).to_be_visible()
    expect(page.get_by_test_id("discard-keep")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(name).to_have_count(0)
    page.get_by_test_id("product-edit").click()
    expect(name).to_have_value(f"Name of Half-{width}")
    # A removed attribute is a change, too; a click beside an untouched form closes it.
    page.get_by_test_id("attribute-remove").click()
    expect(page.get_by_test_id("attribute-remove")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_test_id("discard-confirm").click()
    expect(name).to_have_count(0)
    page.get_by_test_id("product-edit").click()
    expect(page.get_by_test_id("attribute-remove")).to_be_visible()
    page.mouse.click(4, 450)
    expect(name).to_have_count(0)
    assert read(application, product)["version"] == 1


def test_leaving_the_page_with_a_half_filled_form_asks(page: Page, application: Application):
    product = create(application, "Leave-1")
    page.goto("/products?sku=Leave-1")
    page.get_by_test_id("product-row").get_by_role("link", name="Leave-1").click()
    expect(page.get_by_test_id("product-history")).to_be_visible()
    page.get_by_test_id("product-edit").click()
    name = page.get_by_test_id("product-name")
    expect(name).to_be_visible()
    name.press_sequentially("typed")
    page.go_back()
    expect(page.get_by_test_id("discard")).to_be_visible()
    page.get_by_test_id("discard-keep").click()
    expect(page.get_by_test_id("discard")).to_be_hidden()
    page.wait_for_url(f"**/products/{product['id']}")
    seen: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        seen.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.evaluate("() => { setTimeout(() => location.reload()) }")
    wait_for(lambda: bool(page.evaluate("1")) and seen == ["beforeunload"], 30, "the browser asks")
    expect(name).to_have_value(re.compile("typed"))
    page.go_back()
    page.get_by_test_id("discard-confirm").click()
    page.wait_for_url("**/products?sku=Leave-1")
    expect(page.get_by_test_id("product-row")).to_have_count(1)
    expect(name).to_have_count(0)


def test_the_form_of_a_webhook_asks_too(page: Page):
    page.goto("/webhooks")
    page.get_by_test_id("webhook-new").click()
    expect(page.get_by_test_id("webhook-url")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("webhook-url")).to_have_count(0)
    page.get_by_test_id("webhook-new").click()
    page.get_by_test_id("webhook-event-product_deleted").uncheck()
    page.keyboard.press("Escape")
    page.get_by_test_id("discard-confirm").click()
    expect(page.get_by_test_id("webhook-url")).to_have_count(0)


def open_view_form(page: Page) -> Locator:
    page.get_by_test_id("views").click()
    page.get_by_test_id("view-save-as").click()
    return page.get_by_test_id("view-name")


def test_the_dialogs_of_the_list_of_products_ask_too(page: Page, application: Application):
    create(application, "Unsaved-1")
    page.goto("/products?sku=Unsaved-1")
    page.get_by_test_id("product-select").click()
    page.get_by_test_id("action-set").click()
    page.get_by_test_id("set-field").select_option("description")
    value = page.get_by_role("textbox", name="New value")
    value.fill("typed")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("discard")).to_be_visible()
    check_with_axe(page)
    page.get_by_test_id("discard-keep").click()
    expect(page.get_by_test_id("discard")).to_be_hidden()
    expect(value).to_have_value("typed")
    page.keyboard.press("Escape")
    page.get_by_test_id("discard-confirm").click()
    expect(value).to_have_count(0)
    page.get_by_test_id("selection-clear").click()
    name = open_view_form(page)
    name.fill("typed")
    page.keyboard.press("Escape")
    page.get_by_test_id("discard-confirm").click()
    expect(name).to_have_count(0)


def test_going_back_asks_and_saving_a_view_does_not(page: Page, application: Application):
    create(application, "Unsaved-2")
    page.goto("/products")
    expect(page.get_by_test_id("product-row").first).to_be_visible()
    page.get_by_test_id("filter-sku").fill("Unsaved-2")
    page.wait_for_url("**/products?sku=Unsaved-2")
    name = open_view_form(page)
    name.fill("Unsaved view")
    page.go_back()
    page.get_by_test_id("discard-keep").click()
    expect(page.get_by_test_id("discard")).to_be_hidden()
    page.wait_for_url("**/products?sku=Unsaved-2")
    name.press("Enter")
    expect(name).to_have_count(0)
    page.wait_for_url("**/products?*view=Unsaved*")
    expect(page.get_by_test_id("discard")).to_be_hidden()


def test_a_dialog_that_is_opened_while_a_filter_is_written_into_the_address_stays(
    page: Page, application: Application
):
    create(application, "Unsaved-4")
    page.goto("/products")
    expect(page.get_by_test_id("product-row").first).to_be_visible()
    # The click comes between the new address and the page's load of it.
    page.evaluate(CLICK_WITH_NEXT_ADDRESS)
    page.get_by_test_id("filter-sku").fill("Unsaved-4")
    page.wait_for_url("**/products?sku=Unsaved-4")
    expect(page.get_by_test_id("products-total")).to_have_text("1")
    expect(page.get_by_test_id("products-delete-all")).to_be_enabled()
    page.get_by_test_id("view-name").fill("Saved while filtering")
    page.keyboard.press("Enter")
    page.wait_for_url("**/products?*view=Saved*")


def test_the_name_of_a_mapping_asks_too(page: Page):
    choose(page, csv_of("Unsaved-3,Foo,Bar"))
    expect(page.get_by_test_id("columns-table")).to_be_visible()
    page.get_by_test_id("mapping-save-as").click()
    name = page.get_by_test_id("mapping-name")
    name.fill("typed")
    page.keyboard.press("Escape")
    page.get_by_test_id("discard-keep").click()
    expect(name).to_have_value("typed")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_test_id("discard-confirm").click()
    expect(name).to_have_count(0)
