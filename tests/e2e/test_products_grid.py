"""The products as a grid, and as a list in narrow windows: edited, pasted, selected, arranged, kept as views."""

import re
from collections.abc import Callable, Iterator
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect
from sqlalchemy import text

from product_importer.catalog.pages.view_models import MAX_CELL
from product_importer.ui import routes
from tests.application import Application, catalogue
from tests.e2e.test_products_page import cut_waiting, database
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
SHIFTS = """() => new Promise(resolve => {
    let sum = 0;
    new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value; })
        .observe({type: "layout-shift", buffered: true});
    setTimeout(() => resolve(sum), 500);
})"""
# What the browser does on Ctrl-V and Ctrl-C, with a clipboard of the test's.
CLIPBOARD = """(kind, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    document.activeElement.dispatchEvent(new ClipboardEvent(kind, {clipboardData, bubbles: true, cancelable: true}));
    return clipboardData.getData("text/plain");
}"""
PASTE = f"text => ({CLIPBOARD})('paste', text)"
COPY = f"() => ({CLIPBOARD})('copy', '')"


@pytest.fixture
def narrow(browser: Browser, application: Application) -> Iterator[Page]:
    """Open a page in a narrow window."""
    context = browser.new_context(base_url=application.url, viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def create(application: Application, sku: str, **fields: object) -> dict:
    answer = application.client.post("/api/products", json={"sku": sku, "name": f"Name of {sku}", **fields})
    assert answer.status_code == 201, answer.text
    made: dict = answer.json()
    return made


def stored(application: Application, sku: str) -> dict:
    found: dict = application.client.get("/api/products", params={"sku": sku}).json()["items"][0]
    return found


def several(application: Application, prefix: str, count: int = 3, **fields: object) -> None:
    for number in range(count):
        create(application, f"{prefix}-{number}", **fields)


def grid(page: Page) -> Locator:
    return page.get_by_role("grid", name="Products")


def row(page: Page, sku: str) -> Locator:
    return page.get_by_test_id("product-row").filter(has_text=sku)


def cell(page: Page, sku: str, column: str) -> Locator:
    head = grid(page).get_by_role("columnheader").filter(has_text=re.compile(f"^{column}$"))
    return row(page, sku).locator(f"[role=gridcell][aria-colindex='{head.get_attribute('aria-colindex')}']")


def opened(page: Page, prefix: str, count: int = 3) -> None:
    """Show the products of a test, in the order of their SKUs."""
    page.goto(f"{routes.PRODUCTS}?sku={prefix}&sort=sku")
    expect(page.get_by_test_id("product-row")).to_have_count(count)


def edit(page: Page, sku: str, column: str, text: str) -> None:
    cell(page, sku, column).dblclick()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def box(element: Locator) -> FloatRect:
    """Return where an element is, and how large."""
    found = element.bounding_box()
    assert found is not None
    return found


def expect_settled(page: Page) -> None:
    """Wait until each edit is answered."""
    expect(page.get_by_test_id("products-said")).not_to_be_empty()
    expect(grid(page).locator("[data-waiting]")).to_have_count(0)


def toast(page: Page, text: str) -> Locator:
    return page.locator("[data-sonner-toast]").filter(has_text=text)


def heads(page: Page) -> list[str]:
    return grid(page).get_by_role("columnheader").all_inner_texts()


def column_entry(page: Page, name: str) -> Locator:
    return page.get_by_test_id("products-column").filter(has_text=re.compile(f"^{name}$"))


def test_a_long_sku_and_the_dates_fit_into_one_line(page: Page, application: Application):
    create(application, "FIT-1234567890", description="word " * 200)
    opened(page, "FIT-1234567890", 1)
    sku = page.get_by_test_id("product-row-sku")
    assert sku.evaluate(
        "element => element.scrollWidth <= element.clientWidth && element.getClientRects().length == 1"
    )
    assert box(row(page, "FIT-"))["height"] <= 41
    updated = cell(page, "FIT-", "Updated").locator("time")
    assert updated.get_attribute("title") and len(updated.inner_text()) < 12


def test_attributes_are_columns(page: Page, application: Application):
    create(application, "Attr-1", attributes={"colour": "red", "<reflex.Var>x</reflex.Var>": "<b>bold</b>"})
    create(application, "Attr-2", attributes={"size": "عربي"})
    opened(page, "Attr-", 2)
    assert heads(page)[5:8] == ["<reflex.Var>x</reflex.Var>", "colour", "size"]
    expect(cell(page, "Attr-1", "colour")).to_have_text("red")
    expect(row(page, "Attr-1")).to_contain_text("<b>bold</b>")
    expect(cell(page, "Attr-2", "size")).to_have_text("عربي")


def test_a_cell_is_edited_by_keyboard(page: Page, application: Application):
    several(application, "Key", attributes={"colour": "red"})
    opened(page, "Key-")
    cell(page, "Key-0", "Name").click()
    page.keyboard.type("Replaced")
    page.keyboard.press("Escape")
    expect(cell(page, "Key-0", "Name")).to_have_text("Name of Key-0")
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.type(", longer")
    page.keyboard.press("Tab")
    expect(cell(page, "Key-0", "Description")).to_be_focused()
    expect_settled(page)
    page.keyboard.press("F2")
    page.keyboard.type("Described")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(cell(page, "Key-1", "Description")).to_be_focused()
    expect(cell(page, "Key-0", "Description").locator("[data-waiting]")).to_have_count(0)
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    expect(cell(page, "Key-1", "colour")).to_be_focused()
    page.keyboard.type("blue")
    page.keyboard.press("Enter")
    expect(cell(page, "Key-1", "colour")).to_have_text("blue")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Delete")
    expect(cell(page, "Key-2", "colour")).to_have_text("")
    expect(grid(page).locator("[data-waiting]")).to_have_count(0)
    first = stored(application, "Key-0")
    assert (first["name"], first["description"], first["version"]) == ("Name of Key-0, longer", "Described", 3)
    assert stored(application, "Key-1")["attributes"] == {"colour": "blue"}
    assert stored(application, "Key-2")["attributes"] == {}


def test_tab_leads_into_the_grid_and_out_of_it(page: Page, application: Application):
    several(application, "Tab", 2)
    opened(page, "Tab-", 2)
    # Until the page is loaded it is disabled, and takes no focus.
    expect(page.get_by_test_id("products-delete-all")).to_be_enabled()
    page.get_by_test_id("products-delete-all").focus()
    page.keyboard.press("Tab")
    head = page.get_by_role("checkbox", name="Select all on this page")
    expect(head).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("page-size")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(head).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(cell(page, "Tab-1", "SKU")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_test_id("selection-count")).to_have_text("1 selected")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_test_id("action-delete")).to_be_focused()
    page.keyboard.press("Tab")
    expect(cell(page, "Tab-1", "SKU")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("page-size")).to_be_focused()


def test_a_refused_edit_is_taken_back_and_says_why(page: Page, application: Application):
    several(application, "Refuse")
    opened(page, "Refuse-")
    edit(page, "Refuse-0", "SKU", "refuse-1")
    expect(page.get_by_test_id("cell-problem")).to_have_text("Another product has this SKU.")
    expect(toast(page, "Another product has this SKU.")).to_be_visible()
    expect(page.get_by_test_id("product-row-sku").first).to_have_text("Refuse-0")
    edit(page, "Refuse-0", "Name", " ")
    expect(page.get_by_test_id("cell-problem")).to_have_text("This is required.")
    edit(page, "Refuse-0", "Name", "Right")
    expect(page.get_by_test_id("cell-problem")).to_have_count(0)
    assert stored(application, "Refuse-0")["name"] == "Right"


def test_a_conflict_shows_theirs_and_keeps_what_was_typed(page: Page, application: Application):
    made = create(application, "Both-9", attributes={"colour": "red"})
    opened(page, "Both-9", 1)
    cell(page, "Both-9", "Name").dblclick()
    application.client.patch(f"/api/products/{made['id']}", json={"name": "Theirs", "description": "New"})
    # It is there while the name is still being edited.
    expect(cell(page, "Both-9", "Description")).to_have_text("New")
    page.keyboard.press("Control+a")
    page.keyboard.type("Mine")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("products-conflict")).to_have_text(
        re.compile("Both-9, Name: theirs .*Theirs.*yours .*Mine")
    )
    expect(cell(page, "Both-9", "Name")).to_contain_text("Theirs")
    assert stored(application, "Both-9")["name"] == "Theirs"
    page.get_by_test_id("conflict-keep-mine").click()
    expect(page.get_by_test_id("products-conflicts")).to_have_count(0)
    expect(cell(page, "Both-9", "Name")).to_have_text("Mine")
    assert stored(application, "Both-9")["name"] == "Mine"


def test_a_conflict_stays_while_other_cells_are_edited_and_other_products_shown(page: Page, application: Application):
    made, _ = create(application, "Stay-1", description="Old"), create(application, "Stay-2")
    opened(page, "Stay-", 2)
    cell(page, "Stay-1", "Name").dblclick()
    write = f"/api/products/{made['id']}"
    application.client.patch(write, json={"name": "Theirs", "description": "New"})
    expect(cell(page, "Stay-1", "Description")).to_have_text("New")
    page.keyboard.press("Control+a")
    page.keyboard.type("Mine")
    page.keyboard.press("Enter")
    conflict = page.get_by_test_id("products-conflict")
    expect(conflict).to_have_text(re.compile("theirs .*Theirs.*yours .*Mine"))
    for sku in ("Stay-1", "Stay-2"):
        edit(page, sku, "Description", "Edited")
        expect(cell(page, sku, "Description")).to_have_text("Edited")
        expect(grid(page).locator("[data-waiting]")).to_have_count(0)
    page.get_by_test_id("filter-sku").fill("Stay-2")
    expect(page.get_by_test_id("product-row")).to_have_count(1)
    application.client.patch(write, json={"name": "Newer"})
    page.get_by_test_id("conflict-keep-mine").click()
    expect(conflict).to_have_text(re.compile("Stay-1, Name: theirs .*Newer.*yours .*Mine"))
    assert stored(application, "Stay-1")["name"] == "Newer"
    page.get_by_test_id("conflict-keep-mine").click()
    expect(conflict).to_have_count(0)
    found = stored(application, "Stay-1")
    assert (found["name"], found["description"]) == ("Mine", "Edited")


def test_a_text_that_is_shown_in_part_is_edited_in_full(page: Page, application: Application):
    text = "A line\n" + "x" * 2_000 + " end"
    create(application, "Whole-9", description=text)
    opened(page, "Whole-9", 1)
    assert len(cell(page, "Whole-9", "Description").inner_text()) <= MAX_CELL + 2
    cell(page, "Whole-9", "Description").click()
    page.keyboard.press("Enter")
    expect(grid(page).locator("textarea")).to_have_value(text)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(grid(page).locator("textarea")).to_have_value(text)
    page.keyboard.press("Control+End")
    page.keyboard.type("!")
    page.keyboard.press("Enter")
    expect_settled(page)
    assert stored(application, "Whole-9")["description"] == text + "!"
    page.keyboard.type("Short")
    page.keyboard.press("Enter")
    expect(cell(page, "Whole-9", "Description")).to_have_text("Short")
    expect(grid(page).locator("[data-waiting]")).to_have_count(0)
    assert stored(application, "Whole-9")["description"] == "Short"


def test_several_cells_are_pasted_at_once_and_undone(page: Page, application: Application):
    several(application, "Paste")
    opened(page, "Paste-")
    cell(page, "Paste-1", "Name").click()
    page.evaluate(PASTE, 'One\t"deep\nblue"\tno\r\nTwo\tflat\tmaybe\r\nThree\tround\tyes\r\n')
    said = toast(page, "5 cells saved, 1 refused.")
    # It stays while the pointer is over it.
    said.hover()
    expect(said).to_contain_text("Write true or false")
    expect(said).to_contain_text("3 cells had no place on this page.")
    expect(row(page, "Paste-1")).to_contain_text("One")
    first = stored(application, "Paste-1")
    assert (first["name"], first["description"], first["active"]) == ("One", "deep\nblue", False)
    assert first["version"] == 2, "one change for each product"
    assert stored(application, "Paste-2")["active"] is True
    said.get_by_role("button", name="Undo").click()
    expect(toast(page, "Undone: 5 cells.")).to_be_visible()
    assert stored(application, "Paste-1")["name"] == "Name of Paste-1"
    assert stored(application, "Paste-1")["active"] is True


def test_pasted_cells_over_columns_that_cannot_be_edited_are_counted(page: Page, application: Application):
    several(application, "Fixed", 1)
    opened(page, "Fixed-", 1)
    cell(page, "Fixed-0", "Description").click()
    page.evaluate(PASTE, "New\tno\tyesterday\ttoday")
    said = toast(page, "2 cells saved.")
    expect(said).to_contain_text("2 cells cannot be edited.")
    assert (stored(application, "Fixed-0")["description"], stored(application, "Fixed-0")["active"]) == ("New", False)
    cell(page, "Fixed-0", "Created").click()
    page.evaluate(PASTE, "today")
    expect(toast(page, "The change was not saved.")).to_contain_text("1 cell cannot be edited.")


def test_a_paste_that_is_too_large_is_refused_and_the_connection_stays(page: Page, application: Application):
    lines = [f"Large-{n:03},Old,Old," + ",".join("abcdef") for n in range(120)]
    application.finished(application.upload("\n".join(["sku,name,description,a,b,c,d,e,f", *lines]).encode()))
    page.goto(f"{routes.PRODUCTS}?sku=Large-&sort=sku&page_size=200")
    cell(page, "Large-000", "Name").click()
    page.evaluate(PASTE, "\n".join(["New\tNew\tno" + "\tx" * 6] * 120))
    expect(toast(page, "At most 1,000 cells can be changed at once; these are 1,080.")).to_contain_text(
        "Nothing was changed. Change less at once, or import a file."
    )
    page.evaluate(PASTE, "\n".join(["x" * 10_000] * 100))
    expect(toast(page, "At most 900,000 characters can be sent at once")).to_be_visible()
    expect(grid(page).locator("[data-waiting]")).to_have_count(0)
    edit(page, "Large-000", "Name", "Small")
    expect_settled(page)
    assert [stored(application, f"Large-00{n}")["name"] for n in range(2)] == ["Small", "Old"]
    expect(page.get_by_test_id("connection")).to_be_hidden()


def test_several_edits_of_one_product_are_undone_one_after_the_other(page: Page, application: Application):
    several(application, "Back", 1)
    opened(page, "Back-", 1)
    for column, typed in (("Name", "Renamed"), ("Name", "Again"), ("Description", "New")):
        edit(page, "Back-0", column, typed)
        expect(grid(page).locator("[data-waiting]")).to_have_count(0)
    switch = row(page, "Back-0").get_by_role("switch")
    switch.click()
    expect(toast(page, "Back-0 is inactive.")).to_be_visible()
    cell(page, "Back-0", "Description").click()
    for column, before in (("Description", ""), ("Name", "Renamed"), ("Name", "Name of Back-0")):
        page.keyboard.press("Control+z")
        expect(cell(page, "Back-0", column)).to_have_text(before)
    expect(page.get_by_test_id("products-conflicts")).to_have_count(0)
    found = stored(application, "Back-0")
    assert (found["name"], found["description"], found["active"]) == ("Name of Back-0", "", False)


def test_what_somebody_else_has_written_is_not_undone(page: Page, application: Application):
    made = create(application, "Since-9", description="Old")
    opened(page, "Since-9", 1)
    for column in ("Name", "Description"):
        edit(page, "Since-9", column, "Mine")
        expect(grid(page).locator("[data-waiting]")).to_have_count(0)
    application.client.patch(f"/api/products/{made['id']}", json={"name": "Theirs"})
    expect(cell(page, "Since-9", "Name")).to_have_text("Theirs")
    page.keyboard.press("Control+z")
    expect(cell(page, "Since-9", "Description")).to_have_text("Old")
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("products-conflict")).to_contain_text("Since-9, Name: theirs")
    assert stored(application, "Since-9")["name"] == "Theirs"


def test_an_undo_that_met_an_outage_is_tried_again(page: Page, application: Application):
    several(application, "Outage", 1)
    opened(page, "Outage-", 1)
    edit(page, "Outage-0", "Name", "New")
    expect_settled(page)
    fail(application, "Outage-0", lambda: page.keyboard.press("Control+z"))
    failed = toast(page, "The change was not undone.")
    expect(cell(page, "Outage-0", "Name")).to_have_text("New")
    failed.get_by_role("button", name="Try again").click()
    expect(cell(page, "Outage-0", "Name")).to_have_text("Name of Outage-0")
    row(page, "Outage-0").get_by_role("switch").click()
    undo = toast(page, "Outage-0 is inactive.").get_by_role("button", name="Undo")
    fail(application, "Outage-0", undo.click)
    failed.get_by_role("button", name="Try again").click()
    expect(toast(page, "Outage-0 is active again.")).to_be_visible()
    assert stored(application, "Outage-0")["active"] is True


def fail(application: Application, sku: str, act: Callable[[], None]) -> None:
    """Do what changes a product, and cut its connection to the database."""
    with database(application) as connection:
        connection.execute(text("SELECT id FROM product WHERE sku = :sku FOR UPDATE"), {"sku": sku})
        act()
        wait_for(lambda: cut_waiting(connection), 30, "the change waits for our lock")


def test_a_range_is_copied_and_a_single_value_fills_one(page: Page, application: Application):
    several(application, "Range", description="Two\nlines")
    create(application, "Range-9", description="y" * 1_000)
    opened(page, "Range-", 4)
    cell(page, "Range-0", "Name").click()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate(COPY) == 'Name of Range-0\t"Two\nlines"\nName of Range-1\t"Two\nlines"'
    page.evaluate(PASTE, "Same")
    expect(toast(page, "4 cells saved.")).to_be_visible()
    assert [stored(application, f"Range-{n}")["description"] for n in range(3)] == ["Same", "Same", "Two\nlines"]
    # Whole texts are copied, not what is shown of them.
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    cell(page, "Range-9", "Description").click()
    page.keyboard.press("Control+c")
    page.wait_for_function("async () => (await navigator.clipboard.readText()).length == 1000")
    page.keyboard.press("Control+z")
    expect(toast(page, "Undone: 4 cells.")).to_be_visible()


def test_rows_are_selected_on_several_pages(page: Page, application: Application):
    application.finished(application.upload(catalogue(60, name="Chosen", first=6_100_000)))
    page.goto(f"{routes.PRODUCTS}?name=chosen&sort=sku&page_size=25")
    boxes = page.get_by_test_id("product-row").get_by_role("checkbox")
    expect(boxes).to_have_count(25)
    boxes.nth(1).check()
    boxes.nth(4).click(modifiers=["Shift"])
    count = page.get_by_test_id("selection-count")
    expect(count).to_have_text("4 selected")
    cell(page, "SKU-6100010", "Name").click()
    page.keyboard.press("Space")
    expect(count).to_have_text("5 selected")
    page.get_by_test_id("page-next").click()
    expect(page.get_by_test_id("product-row-sku").first).to_have_text("SKU-6100025")
    expect(count).to_have_text("5 selected")
    page.get_by_role("checkbox", name="Select all on this page").check()
    expect(count).to_have_text("30 selected")
    page.get_by_test_id("selection-all").click()
    expect(count).to_have_text("All 60 selected")
    boxes.first.uncheck()
    expect(count).to_have_text("24 selected")
    page.get_by_test_id("filter-sku").fill("61000")
    expect(page.get_by_test_id("selection-bar")).to_have_count(0)
    expect(page.get_by_test_id("product-row-sku").first).to_have_text("SKU-6100000")
    boxes.first.check()
    page.get_by_test_id("selection-clear").click()
    expect(page.get_by_test_id("selection-bar")).to_have_count(0)
    expect(boxes.first).not_to_be_checked()


def test_columns_are_chosen_and_the_browser_keeps_them(page: Page, application: Application):
    create(application, "Cols-1", attributes={"colour": "red"})
    opened(page, "Cols-1", 1)
    page.get_by_test_id("products-columns").click()
    column_entry(page, "Description").get_by_role("checkbox").uncheck()
    column_entry(page, "Active").get_by_role("button", name="Move Active up").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.get_by_label("Compact").check()
    page.keyboard.press("Escape")
    kept = ["SKU", "Active", "Name", "colour", "Created", "Updated"]
    assert [head for head in heads(page) if head][:6] == kept
    low = box(row(page, "Cols-1"))["height"]
    assert low < 36
    handle = box(grid(page).get_by_role("columnheader", name="colour"))
    page.mouse.move(handle["x"] + handle["width"] - 3, handle["y"] + 10)
    page.mouse.down()
    page.mouse.move(handle["x"] + handle["width"] + 60, handle["y"] + 10)
    page.mouse.up()
    page.wait_for_function("JSON.parse(localStorage['product-columns']).widths['@colour'] > 180")
    page.reload()
    expect(row(page, "Cols-1")).to_have_count(1)
    assert [head for head in heads(page) if head][:6] == kept
    assert box(row(page, "Cols-1"))["height"] == low
    assert box(grid(page).get_by_role("columnheader", name="colour"))["width"] > 180
    page.get_by_test_id("products-columns").click()
    page.get_by_role("button", name="Reset columns").click()
    expect(grid(page).get_by_role("columnheader", name="Description")).to_be_visible()


def test_only_what_is_seen_of_a_long_page_is_drawn(page: Page, application: Application):
    application.finished(application.upload(catalogue(200, name="Virtual", first=6_200_000)))
    page.goto(f"{routes.PRODUCTS}?name=virtual&sort=sku&page_size=200")
    expect(grid(page)).to_have_attribute("aria-rowcount", "201")
    assert page.get_by_test_id("product-row").count() < 60
    cell(page, "SKU-6200003", "Name").click()
    page.keyboard.press("Control+End")
    expect(row(page, "SKU-6200199")).to_be_visible()


def test_narrow_windows_show_a_list(narrow: Page, application: Application):
    application.finished(application.upload(catalogue(60, name="A rather long name " * 5, first=6_300_000)))
    narrow.goto(f"{routes.PRODUCTS}?sku=63000&sort=sku")
    rows = narrow.get_by_test_id("product-row")
    expect(rows).to_have_count(50)
    expect(grid(narrow)).to_have_count(0)
    assert max(box(one)["height"] for one in rows.all()) <= 90
    assert narrow.evaluate("document.documentElement.scrollHeight") < 5_000
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390
    narrow.get_by_test_id("top-page-next").click()
    expect(rows).to_have_count(10)
    narrow.get_by_test_id("page-previous").click()
    expect(rows).to_have_count(50)
    switch = row(narrow, "SKU-6300002").get_by_role("switch")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(switch).to_have_attribute("aria-busy", "false")
    assert stored(application, "SKU-6300002")["active"] is False
    row(narrow, "SKU-6300002").get_by_test_id("product-edit").click()
    expect(narrow.get_by_test_id("product-sku")).to_have_value("SKU-6300002")
    expect(narrow.get_by_test_id("product-sku")).to_be_focused()
    narrow.keyboard.press("Escape")
    row(narrow, "SKU-6300003").get_by_role("checkbox").check()
    expect(narrow.get_by_test_id("selection-count")).to_have_text("1 selected")
    narrow.set_viewport_size({"width": 1280, "height": 900})
    expect(grid(narrow)).to_be_visible()
    expect(narrow.get_by_test_id("products-table")).to_have_count(1)
    expect(row(narrow, "SKU-6300003").get_by_role("checkbox")).to_be_checked()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_moves_while_the_products_load(width: int, page: Page, application: Application):
    application.finished(application.upload(catalogue(60, name="Still", first=6_400_000)))
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(routes.PRODUCTS)
    expect(page.get_by_test_id("product-row")).to_have_count(50)
    assert page.evaluate(SHIFTS) < 0.05


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_any_state(
    scheme: Literal["light", "dark"], width: int, page: Page, application: Application
):
    prefix = f"Axe-{scheme}-{width}"
    several(application, prefix, attributes={"colour": "red"})
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    opened(page, prefix)
    page.get_by_test_id("product-row").get_by_role("checkbox").first.check()
    expect(page.get_by_test_id("selection-bar")).to_be_visible()
    assert_accessible(page)
    if width == 390:
        return
    page.get_by_test_id("selection-clear").click()
    page.get_by_test_id("products-columns").click()
    assert_accessible(page)
    page.keyboard.press("Escape")
    edit(page, f"{prefix}-0", "SKU", f"{prefix}-1")
    expect(page.get_by_test_id("cell-problem")).to_be_visible()
    cell(page, f"{prefix}-1", "Name").dblclick()
    assert_accessible(page)


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def save_view(page: Page, name: str) -> None:
    page.get_by_test_id("views").click()
    page.get_by_test_id("view-save-as").click()
    expect(page.get_by_test_id("view-name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def choose_view(page: Page, name: str) -> None:
    page.get_by_test_id("views").click()
    page.get_by_test_id("view-choose").filter(has_text=name).click()


def test_a_view_keeps_filters_order_and_columns_and_is_in_the_address(page: Page, application: Application):
    several(application, "View", active=False)
    create(application, "View-on")
    page.goto(f"{routes.PRODUCTS}?sku=view-&active=false&sort=-sku&page_size=25")
    expect(page.get_by_test_id("product-row")).to_have_count(3)
    page.get_by_test_id("products-columns").click()
    column_entry(page, "Description").get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    save_view(page, "Off & “odd” <b>")
    expect(page.get_by_text("The view “Off & “odd” <b>” was saved.")).to_be_visible()
    expect(page.get_by_test_id("views")).to_have_text("Off & “odd” <b>")
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == {"view": ["Off & “odd” <b>"]})
    address = page.url
    page.get_by_test_id("views").click()
    page.get_by_test_id("view-none").click()
    expect(page.get_by_test_id("filter-sku")).to_have_value("")
    page.get_by_test_id("products-columns").click()
    page.get_by_role("button", name="Reset columns").click()
    page.keyboard.press("Escape")
    expect(grid(page).get_by_role("columnheader", name="Description")).to_have_count(1)
    choose_view(page, "Off & “odd” <b>")
    expect(page.get_by_test_id("product-row")).to_have_count(3)
    expect(page.get_by_test_id("filter-sku")).to_have_value("view-")
    expect(grid(page).get_by_role("columnheader", name="Description")).to_have_count(0)
    # Somebody else opens the address.
    with page.context.browser.new_context(base_url=application.url) as other:
        theirs = other.new_page()
        theirs.goto(address)
        expect(theirs.get_by_test_id("product-row-sku")).to_have_text(["View-2", "View-1", "View-0"])
        expect(theirs.get_by_test_id("views")).to_have_text("Off & “odd” <b>")
        expect(theirs.get_by_test_id("page-size")).to_have_value("25")
        expect(grid(theirs).get_by_role("columnheader", name="Description")).to_have_count(0)
    # A changed view is in the address with what differs, and is updated.
    page.get_by_test_id("filter-active").select_option("true")
    expect(page.get_by_test_id("product-row")).to_have_count(1)
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("active") == ["true"] and "view=" in url)
    page.reload()
    expect(page.get_by_test_id("product-row")).to_have_count(1)
    page.get_by_test_id("views").click()
    page.get_by_test_id("view-update").click()
    expect(page.get_by_text("was updated.")).to_be_visible()
    page.wait_for_url(address)
    page.goto(address)
    expect(page.get_by_test_id("product-row-sku")).to_have_text(["View-on"])
    # It keeps its filters when it is updated once more, such as after a change of columns only.
    page.get_by_test_id("views").click()
    page.get_by_test_id("view-update").click()
    expect(page.get_by_text("was updated.")).to_be_visible()
    page.goto(address)
    expect(page.get_by_test_id("product-row-sku")).to_have_text(["View-on"])


def test_a_view_is_renamed_and_deleted(page: Page, application: Application):
    page.goto(routes.PRODUCTS)
    save_view(page, "Short-lived")
    expect(page.get_by_test_id("views")).to_have_text("Short-lived")
    save_view(page, "short-LIVED")
    expect(page.get_by_test_id("view-error")).to_contain_text("There is a view “short-LIVED” already.")
    page.keyboard.press("Escape")
    page.get_by_test_id("discard-confirm").click()
    page.get_by_test_id("views").click()
    page.get_by_test_id("view-rename").click()
    expect(page.get_by_test_id("view-name")).to_have_value("Short-lived")
    page.get_by_test_id("view-name").fill("Renamed")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("views")).to_have_text("Renamed")
    page.wait_for_url("**view=Renamed")
    page.get_by_test_id("views").click()
    page.get_by_test_id("view-delete").click()
    page.get_by_test_id("view-confirm-delete").click()
    expect(page.get_by_test_id("views")).to_have_text("All products")
    page.goto(f"{routes.PRODUCTS}?view=Renamed")
    expect(page.get_by_test_id("view-missing")).to_contain_text("No view has the name Renamed.")
    expect(page.get_by_test_id("products-total")).to_have_text(re.compile("^[0-9]"))


def test_after_an_outage_trying_again_opens_the_view_of_the_address(page: Page, application: Application):
    several(application, "Wanted", 2)
    create(application, "Elsewhere")
    page.goto(f"{routes.PRODUCTS}?sku=wanted-&sort=sku")
    save_view(page, "Wanted")
    expect(page.get_by_test_id("views")).to_have_text("Wanted")
    page.goto(f"{routes.PRODUCTS}?sku=elsewhere")
    expect(page.get_by_test_id("product-row-sku")).to_have_text(["Elsewhere"])
    with database(application) as connection:
        connection.execute(text("LOCK TABLE saved_view IN ACCESS EXCLUSIVE MODE"))
        page.goto(f"{routes.PRODUCTS}?view=Wanted")
        problem = page.get_by_test_id("products-problem")
        wait_for(lambda: (cut_waiting(connection), problem.count())[1], 30, "the outage is shown")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_test_id("product-row-sku")).to_have_text(["Wanted-0", "Wanted-1"])
    expect(page.get_by_test_id("views")).to_have_text("Wanted")
    page.wait_for_url("**?view=Wanted")


def test_the_notice_that_a_view_is_not_there_says_what_is_shown_and_goes(page: Page, application: Application):
    several(application, "Noticed")
    missing, total = page.get_by_test_id("view-missing"), page.get_by_test_id("products-total")
    page.goto(f"{routes.PRODUCTS}?view=Gone&sku=noticed-")
    expect(missing).to_contain_text("No view has the name Gone.")
    expect(missing).not_to_contain_text("All products")
    expect(total).to_have_text("3")
    page.get_by_test_id("filter-sku").fill("noticed-1")
    expect(total).to_have_text("1")
    expect(missing).to_have_count(0)
    page.goto(f"{routes.PRODUCTS}?view=Gone")
    expect(missing).to_contain_text("All products are shown.")
    grid(page).get_by_role("columnheader", name="Name").click()
    expect(missing).to_have_count(0)
