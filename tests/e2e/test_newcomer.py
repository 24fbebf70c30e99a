"""The first minutes with the application in a real browser: sample data, a shop's export, and the keyboard alone."""

import csv
import io

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.application import Application
from tests.e2e.test_imports_page import choose, csv_of, product

pytestmark = pytest.mark.e2e

MAX_CLICKS = 8
# Counts what a hand clicks; the tab keeps the count over all its pages.
COUNT_CLICKS = """
addEventListener("click", ({ isTrusted, detail }) => {
    if (isTrusted && detail) sessionStorage.clicks = Number(sessionStorage.clicks ?? 0) + 1;
}, true);
"""
# An outline shows what has the focus. A field that nobody sees lies before what looks focused in its place.
SHOWS_FOCUS = """() => {
    const focused = document.activeElement;
    const seen = getComputedStyle(focused).opacity === "0" ? focused.nextElementSibling : focused;
    return focused !== document.body && getComputedStyle(seen).outlineStyle !== "none";
}"""
MAX_TABS = 40


def shop_export() -> bytes:
    """Return a shop's export with variants: only the first row of a product has its title, text and vendor."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["Handle", "Title", "Body (HTML)", "Vendor", "Variant SKU", "Variant Price", "Image Src"])
    for handle, variants in {"tee": ("S", "M", "L"), "mug": ("RED", "BLUE"), "bag": ("ONE",)}.items():
        for place, variant in enumerate(variants):
            own = ["", "", ""] if place else [f"The {handle}", f"<p>A good {handle}.</p>", "Salt & Sons"]
            writer.writerow([handle, *own, f"{handle}-{variant}", 10 + place, f"https://shop.example/{handle}.jpg"])
    return text.getvalue().encode()


def total(application: Application) -> int:
    return int(application.client.get("/api/products").json()["total"])


def test_from_the_first_start_to_a_mended_row_in_eight_clicks(page: Page, application: Application):
    application.empty()
    page.add_init_script(COUNT_CLICKS)
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Import a file").last.click()
    page.get_by_role("button", name="Try with sample data").click()
    page.get_by_role("button", name="Import", exact=True).click()
    result = page.get_by_test_id("import-result")
    expect(result).to_have_text("19 products imported, 1 row needs you")
    page.get_by_role("button", name="Fix the rows").click()
    wrong = page.get_by_test_id("grid-row").locator("[role=gridcell]", has=page.locator("[data-problem]"))
    expect(wrong).to_be_focused()
    page.keyboard.type("Fitted sheet")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Import 1 fixed row").click()
    expect(result).to_have_text("1 product imported")
    assert 1 <= int(page.evaluate("sessionStorage.clicks")) <= MAX_CLICKS
    assert total(application) == 20
    assert product(application, "SHEET-140")["name"] == "Fitted sheet"


def test_a_shops_variants_become_products_in_one_click(page: Page, application: Application):
    choose(page, shop_export(), "shop.csv")
    question = page.get_by_role("region", name="Rows without a name")
    expect(question).to_contain_text("3 have no name and continue the product above")
    answer = page.get_by_label("What are the rows without a name?")
    expect(answer).to_have_value("fill")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_test_id("import-result")).to_have_text("6 products imported")
    variant = product(application, "tee-L")
    assert (variant["name"], variant["description"]) == ("The tee", "<p>A good tee.</p>")
    assert variant["attributes"]["Variant Price"] == "12"


def test_what_was_chosen_for_variants_stays(page: Page):
    choose(page, shop_export(), "shop-rejects.csv")
    answer = page.get_by_label("What are the rows without a name?")
    expect(answer).to_have_value("fill")
    answer.select_option("reject")
    expect(page.get_by_test_id("columns-continuations")).to_contain_text("Such rows are rejected")
    page.reload()
    expect(answer).to_have_value("reject")
    choose(page, shop_export(), "shop-again.csv")
    expect(page.get_by_role("heading", level=1)).to_have_text("shop-again.csv")
    expect(answer).to_have_value("reject")


def test_an_import_is_made_mended_and_undone_by_keyboard_alone(page: Page, application: Application):
    # Playwright takes the browser's dialogs only once somebody listens, and begins that a moment later.
    page.on("filechooser", lambda _: None)
    page.goto("/products")
    enter(page, page.get_by_test_id("products-import"))
    expect(heading(page, "Imports")).to_be_focused()
    tab_to(page, page.get_by_test_id("import-file").locator("input"))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    content = csv_of("Hand-1,Mug,x", "Hand-2,,y", "Hand-3,,z", header="sku,name,q7")
    chooser.value.set_files({"name": "hand.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.get_by_test_id("column-row").filter(has_text="q7").get_by_role("combobox")).to_be_focused()
    page.keyboard.type("Description")
    expect(page.get_by_test_id("import-error")).to_have_count(0)
    enter(page, page.get_by_test_id("import-try"))
    expect(heading(page, "hand.csv")).to_be_focused()
    enter(page, page.get_by_test_id("import-needs"))
    mend(page, "Bowl")
    enter(page, page.get_by_test_id("import-apply"), "Shift+Tab")
    expect(page.get_by_test_id("import-result")).to_have_text("2 products imported, 1 row needs you")
    expect(heading(page, "hand.csv")).to_be_focused()
    enter(page, page.get_by_test_id("import-fix-rows"))
    mend(page, "Plate")
    enter(page, page.get_by_test_id("import-fix"), "Shift+Tab")
    expect(page.get_by_test_id("import-result")).to_have_text("1 product imported")
    assert [product(application, f"Hand-{number}")["name"] for number in (1, 2, 3)] == ["Mug", "Bowl", "Plate"]
    expect(heading(page, "hand.csv")).to_be_focused()
    enter(page, page.get_by_test_id("import-undo"))
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    enter(page, page.get_by_test_id("confirm-undo"))
    expect(page.get_by_test_id("undo-result")).to_contain_text("1 removed, 0 restored")
    expect(heading(page, "hand.csv")).to_be_focused()
    assert product(application, "Hand-3") == {}


def mend(page: Page, name: str) -> None:
    """Write the first name that is missing: the focus has been sent to its cell."""
    cell = page.get_by_test_id("grid-row").locator("[role=gridcell]", has=page.locator("[data-problem]"))
    expect(cell.first).to_be_focused()
    assert page.evaluate(SHOWS_FOCUS)
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("check-said")).to_contain_text("new · edited")


def enter(page: Page, target: Locator, key: str = "Tab") -> None:
    """Go to a button or a link, and press Enter on it."""
    tab_to(page, target, key)
    page.keyboard.press("Enter")


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press Tab until `target` has the focus; all on the way must show it."""
    expect(target).to_be_visible()
    for _ in range(MAX_TABS):
        page.keyboard.press(key)
        assert page.evaluate(SHOWS_FOCUS), page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"{MAX_TABS} times {key} do not lead there: {target}")


def heading(page: Page, name: str) -> Locator:
    return page.get_by_role("heading", name=name, level=1)
