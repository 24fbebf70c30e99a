"""Many products are selected, changed and deleted on the page, and that is undone, in wide and in narrow windows."""

import time
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import text

from product_importer.ui import routes
from product_importer.ui.formatting import REQUIRED
from tests.application import Application
from tests.e2e.test_products_page import database, workers_stopped
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
expect.set_options(timeout=30_000)
ROWS = 120
# Of a large catalogue, so many are changed and that is undone within this time.
MANY, AMONG, SECONDS = 300, 50_000, 60
# Nothing on the page is farther away by keyboard.
MAX_TABS = 40


@pytest.fixture(params=[1280, 390])
def narrow_or_wide(request, browser: Browser, application: Application) -> Iterator[Page]:
    context = browser.new_context(base_url=application.url, viewport={"width": request.param, "height": 844})
    yield context.new_page()
    context.close()


def fill(application: Application, prefix: str) -> None:
    rows = "".join(f"{prefix}-{number:03},{prefix} {number},x,yes\n" for number in range(ROWS))
    application.finished(application.upload(f"sku,name,description,active\n{rows}".encode()))


def total(application: Application, **filters) -> int:
    return application.client.get("/api/products", params=filters).json()["total"]


def writing(application: Application) -> str:
    """Return the id of the job that writes products; empty if none does."""
    jobs = application.client.get("/api/jobs", params={"status": "processing"}).json()["items"]
    return next((job["id"] for job in jobs if job["phase"] == "merging"), "")


def open_list(page: Page, prefix: str) -> None:
    page.goto(f"{routes.PRODUCTS}?sku={prefix}-")
    expect(page.get_by_test_id("products-total")).to_have_text(str(ROWS))


def select(page: Page, *places: int) -> None:
    for count, place in enumerate(places, 1):
        page.get_by_test_id("product-select").nth(place).click()
        expect(page.get_by_test_id("selection-count")).to_have_text(f"{count} selected")


def select_all(page: Page) -> None:
    page.get_by_role("checkbox", name="Select all on this page").check()
    expect(page.get_by_test_id("selection-count")).to_have_text("50 selected")
    page.get_by_test_id("selection-all").click()
    expect(page.get_by_test_id("selection-count")).to_have_text(f"All {ROWS} selected")


def toast(page: Page, text: str) -> Locator:
    """Return a message; screen readers are told the same elsewhere."""
    return page.locator("[data-sonner-toast]").filter(has_text=text)


def expect_nothing_of_axe(page: Page) -> None:
    found = Axe().run(page)
    assert not found.violations_count, found.generate_report()


def test_all_that_match_are_deactivated_and_that_is_undone(narrow_or_wide: Page, application: Application):
    page = narrow_or_wide
    assert page.viewport_size
    prefix = f"deact{page.viewport_size['width']}"
    fill(application, prefix)
    open_list(page, prefix)
    select_all(page)
    page.get_by_test_id("action-deactivate").click()
    expect(toast(page, f"{ROWS} products deactivated")).to_be_visible()
    # It stays while the pointer is over it.
    toast(page, f"{ROWS} products deactivated").hover()
    assert total(application, sku=f"{prefix}-", active="false") == ROWS
    expect(page.get_by_test_id("selection-bar")).to_have_count(0)
    expect(page.get_by_role("switch", checked=True)).to_have_count(0)
    # With the focus at the body, a keyboard would begin at the top.
    page.wait_for_function("document.activeElement.tagName != 'BODY'")
    page.get_by_role("button", name="Undo").click()
    expect(toast(page, f"{ROWS} products restored")).to_be_visible()
    expect(page.get_by_role("switch", checked=False)).to_have_count(0)
    assert total(application, sku=f"{prefix}-", active="true") == ROWS


@pytest.fixture(scope="module")
def large_catalogue(application: Application) -> Application:
    every = AMONG // MANY
    names = [f"Summer {at}" if at % every == 0 and at < MANY * every else f"Winter {at}" for at in range(AMONG)]
    rows = "".join(f"large-{at},{name},x\n" for at, name in enumerate(names))
    application.finished(application.upload(f"sku,name,description\n{rows}".encode()))
    return application


def by_mouse(page: Page, control: Locator) -> None:
    control.click()


def by_keyboard(page: Page, control: Locator) -> None:
    """Go to a control by Tab, on or back, and press it."""
    expect(control).to_be_visible()
    for key in ["Tab"] * MAX_TABS + ["Shift+Tab"] * MAX_TABS * 2:
        if control.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press(key)
    expect(control).to_be_focused()
    page.keyboard.press("Space")


@pytest.mark.parametrize("press", [by_mouse, by_keyboard])
def test_many_of_a_large_catalogue_are_changed_and_that_is_undone_in_under_a_minute(
    press: Callable[[Page, Locator], None], narrow_or_wide: Page, large_catalogue: Application
):
    page = narrow_or_wide
    page.goto(routes.PRODUCTS)
    expect(page.get_by_test_id("product-row").first).to_be_visible()
    began = time.monotonic()
    if press is by_keyboard:
        page.keyboard.press("/")
    else:
        page.get_by_test_id("search").click()
    page.keyboard.type("summer")
    # Where typing halts, a part of the word finds as many; the rest of it would take back the selection.
    page.wait_for_url(f"**{routes.PRODUCTS}?q=summer")
    expect(page.get_by_test_id("products-total")).to_have_text(str(MANY))
    press(page, page.get_by_role("checkbox", name="Select all on this page"))
    press(page, page.get_by_test_id("selection-all"))
    press(page, page.get_by_test_id("action-deactivate"))
    expect(toast(page, f"{MANY} products deactivated")).to_be_visible()
    assert total(large_catalogue, q="summer", active="false") == MANY
    if press is by_keyboard:
        # It leads to the messages.
        page.keyboard.press("Alt+t")
    press(page, page.get_by_role("button", name="Undo"))
    expect(toast(page, f"{MANY} products restored")).to_be_visible()
    assert time.monotonic() - began < SECONDS
    assert total(large_catalogue, q="summer", active="true") == MANY


def test_selected_products_are_deleted_after_their_number_was_said(page: Page, application: Application):
    fill(application, "del")
    open_list(page, "del")
    select(page, 3, 7)
    page.get_by_test_id("action-delete").click()
    expect(page.get_by_test_id("action-count")).to_have_text("2 products")
    expect_nothing_of_axe(page)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("selection-count")).to_have_text("2 selected")
    page.get_by_test_id("action-delete").click()
    page.get_by_test_id("confirm-action-delete").filter(has_text="Delete 2 products").click()
    expect(page.get_by_test_id("products-total")).to_have_text(str(ROWS - 2))
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_test_id("products-total")).to_have_text(str(ROWS))
    page.goto("/imports")
    page.get_by_role("link", name="Delete products").first.click()
    expect(page.get_by_test_id("undo-result")).to_contain_text("2 restored")
    expect_nothing_of_axe(page)


def test_an_attribute_is_set_and_a_wrong_name_is_refused(page: Page, application: Application):
    fill(application, "season")
    open_list(page, "season")
    select(page, 0)
    page.get_by_test_id("action-set").click()
    page.get_by_test_id("set-field").select_option("attribute")
    page.get_by_test_id("set-name").fill("SKU")
    page.get_by_test_id("set-value").fill("spring")
    page.get_by_test_id("confirm-action-set").click()
    expect(page.get_by_test_id("action-set-error")).to_contain_text("cannot be an attribute")
    expect_nothing_of_axe(page)
    page.get_by_test_id("set-name").fill("season")
    page.get_by_test_id("confirm-action-set").click()
    expect(toast(page, "1 product changed")).to_be_visible()
    found = application.client.get("/api/products", params={"sku": f"season-{ROWS - 1:03}"}).json()["items"]
    assert [product["attributes"] for product in found] == [{"season": "spring"}]


def test_a_name_that_is_missing_is_said_as_everywhere(page: Page, application: Application):
    fill(application, "nameless")
    open_list(page, "nameless")
    select(page, 0)
    page.get_by_test_id("action-set").click()
    page.get_by_test_id("set-field").select_option("name")
    expect(page.get_by_role("textbox", name="New value")).to_be_visible()
    page.get_by_test_id("confirm-action-set").click()
    expect(page.get_by_test_id("action-set-error")).to_contain_text(REQUIRED)


def test_two_actions_at_once_are_shown_and_cancelled_each_by_itself(page: Page, application: Application):
    fill(application, "twice")
    open_list(page, "twice")
    running = page.get_by_test_id("action-running")
    with workers_stopped(application):
        select(page, 0)
        page.get_by_test_id("action-deactivate").click()
        expect(running).to_contain_text(["Deactivating products"])
        select(page, 1, 2)
        page.get_by_test_id("action-activate").click()
        expect(running).to_contain_text(["Deactivating products", "Activating products"])
        expect(running.get_by_test_id("action-progress")).to_have_count(2)
        expect_nothing_of_axe(page)
        running.filter(has_text="Deactivating").get_by_test_id("action-cancel").click()
        expect(toast(page, "Cancelled")).to_be_visible()
        expect(running).to_contain_text(["Activating products"])
    expect(toast(page, "0 products activated, 2 unchanged")).to_be_visible()
    expect(running).to_have_count(0)
    assert total(application, sku="twice-", active="true") == ROWS


def test_what_a_failed_action_has_done_is_undone(page: Page, application: Application):
    fill(application, "failed")
    open_list(page, "failed")
    select(page, 0)
    with database(application) as holding, database(application) as changing:
        holding.execute(text("SELECT FROM product WHERE sku LIKE 'failed-%' FOR UPDATE"))
        page.get_by_test_id("action-deactivate").click()
        expect(page.get_by_test_id("action-running")).to_be_visible()
        job_id = wait_for(lambda: writing(application), 30, "the action writes")
        # The sum of its rows is wrong at the end.
        changing.execute(text("UPDATE import_job SET total_rows = total_rows + 1 WHERE id = :id"), {"id": job_id})
        changing.commit()
    expect(toast(page, "Failed: 1 product deactivated before")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(toast(page, "1 product restored")).to_be_visible()
    assert total(application, sku="failed-", active="true") == ROWS


def test_what_is_selected_is_exported(page: Page, application: Application):
    fill(application, "export")
    open_list(page, "export")
    select(page, 0, 2)
    wanted = sorted(page.get_by_test_id("product-row-sku").nth(place).inner_text() for place in (0, 2))
    page.get_by_test_id("selection-export").click()
    with page.expect_download() as download:
        page.get_by_test_id("selection-export-csv").click()
    lines = download.value.path().read_text().splitlines()
    assert sorted(line.partition(",")[0] for line in lines[1:]) == wanted
