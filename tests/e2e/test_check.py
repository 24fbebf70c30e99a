"""The rows of a dry run, and the rejected ones of an import, in the grid: read, edited, filtered, imported."""

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.application import Application, catalogue
from tests.e2e.test_imports_page import arrived, csv_of, product, status, upload

pytestmark = pytest.mark.e2e

HEADER = "sku,name,description,active,colour"
# A new, an updated and an unchanged row, and one for each of three problems.
WRONG_NAME, WRONG_ACTIVE, WRONG_SKU = 5, 6, 7


def held(prefix: str) -> bytes:
    return csv_of(f"{prefix}-1,Cup,white,yes,red", f"{prefix}-2,Mug,blue,yes,", header=HEADER)


def file(prefix: str) -> bytes:
    return csv_of(
        f"{prefix}-1,Cup,black,yes,red",
        f"{prefix}-2,Mug,blue,yes,",
        f"{prefix}-3,Plate,flat,yes,white",
        f"{prefix}-4,,deep,yes,",
        f"{prefix}-5,Pan,iron,perhaps,",
        ",Pot,iron,yes,",
        header=HEADER,
    )


def checked(page: Page, application: Application, prefix: str, content: bytes | None = None) -> str:
    """Open the finished dry run of a file, and return its id."""
    upload(application, held(prefix))
    job_id = upload(application, content or file(prefix), f"{prefix}.csv", dry_run="true")
    page.goto(f"/imports/{job_id}")
    expect(grid(page)).to_be_visible()
    return job_id


# Half a window to the right; whether there was room.
SCROLL_ON = """grid => new Promise(done => {
    const before = grid.scrollLeft;
    grid.scrollLeft += grid.clientWidth / 2;
    requestAnimationFrame(() => requestAnimationFrame(() => done(grid.scrollLeft > before)));
})"""


# The milliseconds from the next Enter until no cell waits for its answer any more: to ask from outside takes longer.
NOTE_ANSWER = """() => {
    window.took = null;
    let begun = 0;
    let waited = false;
    addEventListener("keydown", () => { begun = performance.now(); }, { capture: true, once: true });
    const watcher = new MutationObserver(() => {
        const waits = Boolean(document.querySelector("[data-testid=grid-row] [data-waiting]"));
        if (waited && !waits) { window.took = performance.now() - begun; watcher.disconnect(); }
        waited ||= waits;
    });
    watcher.observe(document.body, { attributes: true, childList: true, subtree: true });
}"""


def grid(page: Page) -> Locator:
    return page.get_by_role("grid", name="Rows of the file")


def row(page: Page, line: int) -> Locator:
    return page.locator(f"[data-testid=grid-row][data-row='{line}']")


def cell(page: Page, line: int, column: str) -> Locator:
    """Return a cell by the name of its column; in a narrow window the grid scrolls to it, and draws it only then."""
    # While the rows are loaded again, there is no grid.
    expect(grid(page).get_by_role("columnheader").first).to_be_visible()
    head = grid(page).get_by_role("columnheader").filter(has_text=re.compile(f"^{column}$"))
    while not head.count():
        assert grid(page).evaluate(SCROLL_ON), f"there is a column {column}"
    return row(page, line).locator(f"[role=gridcell][aria-colindex='{head.get_attribute('aria-colindex')}']")


def edit(page: Page, line: int, column: str, value: str) -> None:
    cell(page, line, column).dblclick()
    page.keyboard.type(value)
    page.keyboard.press("Enter")


def filter_button(page: Page, name: str) -> Locator:
    return page.get_by_test_id(f"check-filter-{name}")


def lines(page: Page) -> list[str]:
    return [one.get_attribute("data-row") or "" for one in page.get_by_test_id("grid-row").all()]


def patched(application: Application, job_id: str, line: int) -> dict[str, str]:
    """Return the cells of a row as REST has them."""
    answer = application.client.patch(f"/api/jobs/{job_id}/rows", json={"rows": [{"line": line}]}).json()
    cells: dict[str, str] = answer["items"][0]["cells"]
    return cells


def test_a_dry_run_shows_old_over_new_and_marks_problems_in_words(page: Page, application: Application):
    checked(page, application, "Check")
    expect(row(page, 2)).to_have_attribute("data-state", "update")
    expect(cell(page, 2, "description").locator("del")).to_have_text("was white")
    expect(cell(page, 2, "description")).to_contain_text("black")
    expect(cell(page, 2, "name").locator("del")).to_have_count(0)
    expect(row(page, 4)).to_contain_text("new")
    expect(row(page, 3)).to_contain_text("unchanged")
    expect(cell(page, WRONG_NAME, "name")).to_contain_text("The name is empty.")
    expect(cell(page, WRONG_NAME, "name").locator("svg")).to_have_count(1)
    expect(cell(page, WRONG_ACTIVE, "active")).to_contain_text("“perhaps” is no word for active or inactive")
    expect(cell(page, WRONG_SKU, "sku")).to_contain_text("The SKU is empty.")
    expect(page.get_by_test_id("import-apply")).to_have_text("Import 2 changes")


def test_counts_are_filters_of_the_rows(page: Page, application: Application):
    checked(page, application, "Filter")
    texts = ["1 to update", "1 to create", "3 problems", "1 unchanged"]
    expect(page.get_by_test_id("check-filters").get_by_role("button")).to_have_text(texts)
    filter_button(page, "problem").click()
    expect(filter_button(page, "problem")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("grid-row")).to_have_count(3)
    assert lines(page) == ["5", "6", "7"]
    filter_button(page, "create").click()
    expect(page.get_by_test_id("grid-row")).to_have_count(1)
    expect(filter_button(page, "problem")).to_have_attribute("aria-pressed", "false")
    filter_button(page, "create").click()
    expect(page.get_by_test_id("grid-row")).to_have_count(6)


def test_a_cell_edited_by_mouse_is_judged_at_once_and_the_edit_is_applied(page: Page, application: Application):
    job_id = checked(page, application, "Mouse")
    edit(page, WRONG_NAME, "name", "Bowl")
    expect(row(page, WRONG_NAME)).to_have_attribute("data-state", "create")
    expect(row(page, WRONG_NAME)).to_contain_text("new · edited")
    expect(filter_button(page, "problem")).to_have_text("2 problems")
    expect(filter_button(page, "edited")).to_have_text("1 edited")
    edit(page, WRONG_ACTIVE, "active", "maybe")
    expect(cell(page, WRONG_ACTIVE, "active")).to_contain_text("“maybe” is no word")
    expect(row(page, WRONG_ACTIVE)).to_have_attribute("data-state", "problem")
    row(page, WRONG_ACTIVE).get_by_role("button", name="Undo").click()
    expect(cell(page, WRONG_ACTIVE, "active")).to_contain_text("“perhaps” is no word")
    expect(page.get_by_test_id("import-apply")).to_have_text("Import 3 changes")
    page.get_by_test_id("import-apply").click()
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-result")).to_have_text("3 products imported, 2 rows need you")
    assert product(application, "Mouse-4")["name"] == "Bowl"
    assert application.job(job_id)["rejected"] == 2


def test_a_row_is_judged_within_200_milliseconds(page: Page, application: Application):
    checked(page, application, "Quick")
    took = []
    for number in range(5):
        cell(page, WRONG_NAME, "name").dblclick()
        page.keyboard.type(f"Bowl {number}")
        page.evaluate(NOTE_ANSWER)
        page.keyboard.press("Enter")
        page.wait_for_function("window.took !== null")
        expect(page.get_by_test_id("check-said")).to_have_text(re.compile("line 5: new"))
        took.append(page.evaluate("window.took"))
    # The best of some: other tests share the processor.
    assert min(took) < 200, took


def test_rows_are_corrected_by_keyboard_alone(page: Page, application: Application):
    checked(page, application, "Keys")
    page.get_by_test_id("import-needs").focus()
    page.keyboard.press("Enter")
    expect(cell(page, WRONG_NAME, "name")).to_be_focused()
    page.keyboard.type("Bowl")
    page.keyboard.press("Escape")
    expect(row(page, WRONG_NAME)).to_have_attribute("data-state", "problem")
    page.keyboard.press("Enter")
    page.keyboard.type("Bowl")
    page.keyboard.press("Enter")
    expect(row(page, WRONG_NAME)).to_have_attribute("data-state", "create")
    expect(cell(page, WRONG_NAME, "name")).to_be_focused()
    expect(page.get_by_test_id("check-said")).to_contain_text("line 5: new · edited")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(cell(page, WRONG_ACTIVE, "active")).to_be_focused()
    page.keyboard.press("Delete")
    # A blank cell means active.
    expect(row(page, WRONG_ACTIVE)).to_have_attribute("data-state", "create")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    skip = row(page, WRONG_SKU).get_by_role("button", name="Skip")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(row(page, WRONG_SKU)).to_have_attribute("data-state", "skipped")
    page.get_by_test_id("import-apply").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("import-result")).to_have_text("4 products imported")
    assert product(application, "Keys-5")["active"] is True


def test_several_cells_are_pasted(page: Page, application: Application):
    checked(page, application, "Paste")
    cell(page, WRONG_NAME, "name").click()
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.setData("text/plain", 'Bowl\\t"deep\\nblue"\\tyes\\nPan\\tsteel\\tno\\n');
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }"""
    )
    expect(row(page, WRONG_NAME)).to_have_attribute("data-state", "create")
    expect(row(page, WRONG_ACTIVE)).to_have_attribute("data-state", "create")
    expect(cell(page, WRONG_ACTIVE, "description")).to_contain_text("steel")
    # A line break within a cell is no new row.
    expect(cell(page, WRONG_NAME, "description")).to_contain_text("blue")
    expect(filter_button(page, "edited")).to_have_text("2 edited")


def test_rows_with_one_problem_are_set_or_left_out_together(page: Page, application: Application):
    rows = [f"Together-{number},,x" for number in range(10, 13)]
    checked(page, application, "Together", csv_of(*rows, ",Cup,x", ",Mug,x"))
    reasons = page.get_by_test_id("check-reason")
    expect(reasons).to_have_count(2)
    missing = reasons.filter(has_text="The name is missing")
    expect(missing).to_contain_text("3 rows")
    missing.get_by_test_id("reason-value").fill("Unnamed")
    missing.get_by_test_id("reason-set").click()
    expect(filter_button(page, "create")).to_have_text("3 to create")
    expect(cell(page, 4, "name")).to_contain_text("Unnamed")
    without_sku = reasons.filter(has_text="The SKU is missing")
    # Each row needs a SKU of its own.
    expect(without_sku.get_by_test_id("reason-value")).to_have_count(0)
    without_sku.get_by_test_id("reason-skip").click()
    expect(filter_button(page, "skipped")).to_have_text("2 skipped")
    expect(reasons).to_have_count(0)
    row(page, 5).get_by_role("button", name="Take in").click()
    expect(filter_button(page, "skipped")).to_have_text("1 skipped")
    page.get_by_test_id("import-apply").click()
    expect(page.get_by_test_id("import-result")).to_have_text("3 products imported, 1 row needs you")


def test_a_refused_edit_says_why_and_is_taken_back(page: Page, application: Application):
    job_id = checked(page, application, "Refused")
    changed = product(application, "Refused-2")
    application.client.patch(f"/api/products/{changed['id']}", json={"name": "By a colleague"}).raise_for_status()
    edit(page, 3, "name", "Mine")
    expect(page.get_by_test_id("check-refusal")).to_contain_text(
        "The product of line 3 was changed since the dry run"
    )
    expect(cell(page, 3, "name")).to_have_text("Mug")
    page.reload()
    expect(row(page, 3)).to_contain_text("changed since")
    expect(cell(page, 3, "name")).to_contain_text("By a colleague")
    cell(page, 3, "name").dblclick()
    expect(grid(page).locator("textarea")).to_have_count(0)
    page.get_by_test_id("import-apply").click()
    expect(page.get_by_test_id("import-refusal")).to_contain_text("Refused-2")
    page.get_by_test_id("import-retry").click()
    expect(row(page, 3)).to_contain_text("was By a colleague")
    expect(cell(page, 3, "name").locator("del")).to_have_text("was By a colleague")
    assert application.job(job_id)["updated"] == 2


def test_two_tabs_edit_one_row(page: Page, application: Application, browser: Browser):
    job_id = checked(page, application, "Tabs")
    other = browser.new_context(base_url=application.url).new_page()
    other.goto(f"/imports/{job_id}")
    expect(row(other, WRONG_NAME)).to_be_visible()
    edit(page, WRONG_NAME, "name", "Bowl")
    expect(row(page, WRONG_NAME)).to_have_attribute("data-state", "create")
    edit(other, WRONG_NAME, "description", "round")
    expect(row(other, WRONG_NAME)).to_have_attribute("data-state", "create")
    expect(cell(other, WRONG_NAME, "name")).to_contain_text("Bowl")
    assert patched(application, job_id, WRONG_NAME)["description"] == "round"
    page.get_by_test_id("import-apply").click()
    expect(status(page)).to_have_text("completed")
    edit(other, WRONG_ACTIVE, "name", "Late")
    # It is a rejected row now, and can be edited as such.
    expect(row(other, WRONG_ACTIVE)).to_contain_text("edited")
    expect(row(other, WRONG_ACTIVE)).to_have_attribute("data-state", "problem")
    edit(other, 4, "name", "Too late")
    expect(other.get_by_test_id("check-refusal")).to_contain_text("No row that can be edited begins in this line")
    other.context.close()


def test_rejected_rows_are_corrected_and_imported_as_a_linked_import(page: Page, application: Application):
    upload(application, held("Fix"))
    job_id = upload(application, file("Fix"), "fix.csv")
    page.goto(f"/imports/{job_id}")
    expect(page.get_by_test_id("grid-row")).to_have_count(3)
    page.get_by_test_id("import-fix").click()
    expect(page.get_by_test_id("check-refusal")).to_contain_text("No row is fixed yet")
    page.get_by_test_id("import-fix-rows").click()
    expect(cell(page, WRONG_NAME, "name")).to_be_focused()
    edit(page, WRONG_NAME, "name", "Bowl")
    expect(page.get_by_test_id("import-fix")).to_have_text("Import 1 fixed row")
    page.get_by_test_id("import-fix").click()
    page.wait_for_url(lambda url: not url.endswith(job_id))
    linked = arrived(page)
    expect(page.get_by_test_id("import-result")).to_have_text("1 product imported, 2 rows need you")
    assert product(application, "Fix-4")["name"] == "Bowl"
    assert application.job(linked)["parent_id"] == job_id
    page.get_by_test_id("import-parent").click()
    expect(page).to_have_url(re.compile(job_id))
    expect(page.get_by_test_id("import-linked")).to_be_visible()
    expect(page.get_by_test_id("import-fix")).to_have_count(0)
    cell(page, WRONG_ACTIVE, "active").dblclick()
    expect(grid(page).locator("textarea")).to_have_count(0)
    page.get_by_test_id("import-linked").click()
    expect(page).to_have_url(re.compile(linked))


def test_rows_come_in_pages_and_only_those_seen_are_drawn(page: Page, application: Application):
    job_id = upload(application, catalogue(250, name="Paged", first=5_000_000), dry_run="true")
    page.goto(f"/imports/{job_id}")
    expect(grid(page)).to_have_attribute("aria-rowcount", "101")
    expect(row(page, 2)).to_be_visible()
    assert page.get_by_test_id("grid-row").count() < 60
    page.get_by_test_id("check-last").click()
    expect(row(page, 202)).to_be_visible()
    expect(grid(page)).to_have_attribute("aria-rowcount", "51")
    cell(page, 202, "name").click()
    page.keyboard.press("Control+End")
    expect(row(page, 251)).to_contain_text("SKU-5000249")
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("document.documentElement.scrollWidth <= 390")


def test_the_browser_keeps_the_order_of_the_columns(page: Page, application: Application):
    checked(page, application, "Order")
    heads = grid(page).get_by_role("columnheader")
    heads.filter(has_text="colour").drag_to(heads.filter(has_text="name"))
    expect(heads).to_have_text(["Line", "What happens", "Action", "sku", "colour", "name", "description", "active"])
    page.reload()
    expect(heads).to_have_text(["Line", "What happens", "Action", "sku", "colour", "name", "description", "active"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_any_state(
    scheme: Literal["light", "dark"], width: int, page: Page, application: Application
):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    prefix = f"Axe-{scheme}-{width}"
    checked(page, application, prefix)
    assert_accessible(page)
    edit(page, WRONG_NAME, "name", "Bowl")
    expect(row(page, WRONG_NAME)).to_have_attribute("data-state", "create")
    filter_button(page, "edited").click()
    expect(page.get_by_test_id("grid-row")).to_have_count(1)
    cell(page, WRONG_NAME, "name").dblclick()
    expect(grid(page).locator("textarea")).to_be_focused()
    assert_accessible(page)
    page.keyboard.press("Escape")
    job_id = upload(application, file(f"{prefix}-result"), "axe.csv")
    page.goto(f"/imports/{job_id}")
    expect(page.get_by_test_id("grid-row").first).to_be_visible()
    assert_accessible(page)


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
