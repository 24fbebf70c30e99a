"""Work with products on the real page in a real browser."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, Download, Locator, Page, expect
from sqlalchemy import Connection, create_engine, make_url, text

from product_importer.core.embedded.postgres import PostgresServer
from tests.application import Application, catalogue
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
SECONDS = 30_000
expect.set_options(timeout=SECONDS)


@pytest.fixture
def colleague(browser: Browser, application: Application) -> Iterator[Page]:
    """Open a page as another user."""
    context = browser.new_context(base_url=application.url)
    yield context.new_page()
    context.close()


def create(application: Application, sku: str, **fields) -> dict:
    answer = application.client.post("/api/products", json={"sku": sku, "name": f"Name of {sku}", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def stored(application: Application, sku: str) -> dict:
    [product] = application.client.get("/api/products", params={"sku": sku}).json()["items"]
    return product


def field(page: Page, name: str) -> Locator:
    return page.get_by_test_id(f"product-{name}")


def row(page: Page, sku: str) -> Locator:
    return page.get_by_test_id("product-row").filter(has_text=sku)


def open_row(page: Page, sku: str) -> Locator:
    page.goto(f"/products?sku={sku}")
    expect(row(page, sku)).to_have_count(1)
    return row(page, sku)


def open_form(page: Page, sku: str) -> None:
    open_row(page, sku).get_by_test_id("product-edit").click()
    expect(field(page, "sku")).to_have_value(sku)


def expect_query(page: Page, expected: dict[str, list[str]]) -> None:
    """Wait for these parameters in the address; a script may set them after the list is shown."""
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == expected)


def skus(page: Page) -> list[str]:
    return page.get_by_test_id("product-row-sku").all_inner_texts()


@contextmanager
def database(application: Application) -> Iterator[Connection]:
    """Open a transaction in the application's database."""
    given = application.environment.get("DATABASE_URL")
    url = make_url(given or PostgresServer(application.data).url).set(drivername="postgresql+psycopg2")
    with create_engine(url).connect() as connection:
        yield connection


def cut_waiting(connection: Connection) -> int:
    """Close the connections that wait for locks of this transaction, and return their number."""
    # Otherwise the transaction keeps its first snapshot of the connections.
    connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return len(connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS waiting")).all())


@contextmanager
def workers_stopped(application: Application) -> Iterator[None]:
    """Suspend all workers during the block."""
    found = [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if (process.info["environ"] or {}).get("DATA_DIR") == str(application.data)
        and "product_importer worker" in " ".join(process.info["cmdline"] or [])
    ]
    for process in found:
        # The process of an import may have just ended.
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def test_a_person_creates_a_product_by_keyboard(page: Page, application: Application):
    page.goto("/products")
    expect(page.get_by_test_id("product-new")).to_be_enabled()
    page.get_by_test_id("product-new").focus()
    page.keyboard.press("Enter")
    expect(field(page, "sku")).to_be_focused()
    page.keyboard.type("Made-1")
    field(page, "name").fill("By hand")
    field(page, "description").fill("One line\nand another")
    field(page, "active").uncheck()
    page.get_by_test_id("attribute-add").click()
    expect(page.get_by_label("Attribute name")).to_be_focused()
    page.keyboard.type("colour")
    page.keyboard.press("Tab")
    page.keyboard.type("blue")
    field(page, "name").press("Enter")
    expect(page.get_by_text("Made-1 was created.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_test_id("product-new")).to_be_focused()
    expect(row(page, "Made-1")).to_contain_text("By hand")
    made = stored(application, "Made-1")
    assert (made["description"], made["active"], made["attributes"]) == (
        "One line\nand another",
        False,
        {"colour": "blue"},
    )


def test_errors_are_beside_their_field_while_typing(page: Page, application: Application):
    create(application, "Taken-1")
    page.goto("/products")
    page.get_by_test_id("product-new").click()
    field(page, "sku").fill(" tAKEN-1 ")
    expect(field(page, "sku-fault")).to_have_text("Another product has this SKU.")
    field(page, "name").fill("n" * 1001)
    expect(field(page, "name-fault")).to_contain_text("At most 1,000 characters")
    field(page, "sku").fill("Taken-2")
    expect(field(page, "sku-fault")).to_be_empty()
    field(page, "name").fill("Fits")
    expect(field(page, "name-fault")).to_be_empty()
    page.keyboard.press("Escape")
    page.get_by_test_id("discard-confirm").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert application.client.get("/api/products", params={"sku": "Taken-2"}).json()["total"] == 0


def test_a_form_with_errors_is_not_saved(page: Page, application: Application):
    create(application, "Whole-1")
    page.goto("/products")
    page.get_by_test_id("product-new").click()
    field(page, "save").click()
    expect(field(page, "form-error")).to_have_attribute("role", "alert")
    expect(field(page, "sku-fault")).to_have_text("This is required.")
    expect(field(page, "name-fault")).to_have_text("This is required.")
    expect(field(page, "sku")).to_have_attribute("aria-invalid", "true")
    field(page, "sku").fill("WHOLE-1")
    field(page, "name").fill("Twice")
    field(page, "save").click()
    expect(field(page, "form-error")).to_contain_text("is taken")
    field(page, "sku").fill("Whole-2")
    field(page, "save").click()
    expect(page.get_by_text("Whole-2 was created.")).to_be_visible()


def test_a_person_changes_a_product(page: Page, application: Application):
    create(application, "Altered-1", attributes={"colour": "red", "size": "L"}, description="Left alone")
    open_form(page, "Altered-1")
    field(page, "name").fill("Changed")
    colour, size = page.get_by_test_id("product-attribute").all()
    colour.get_by_label("Value of").fill("green")
    size.get_by_test_id("attribute-remove").click()
    expect(page.get_by_test_id("product-attribute")).to_have_count(1)
    field(page, "save").click()
    expect(page.get_by_text("Altered-1 was saved.")).to_be_visible()
    expect(row(page, "Altered-1")).to_contain_text("Changed")
    changed = stored(application, "Altered-1")
    assert (changed["attributes"], changed["description"]) == ({"colour": "green"}, "Left alone")
    assert changed["version"] == 2


def conflict(page: Page, colleague: Page, application: Application, sku: str) -> None:
    """Let two people open one product and change its name and attributes."""
    create(application, sku, attributes={"colour": "red"})
    open_form(page, sku)
    open_form(colleague, sku)
    field(colleague, "name").fill("Theirs")
    colleague.get_by_label("Value of colour").fill("green")
    field(colleague, "save").click()
    expect(colleague.get_by_text(f"{sku} was saved.")).to_be_visible()
    field(page, "name").fill("Mine")
    page.get_by_test_id("attribute-add").click()
    expect(page.get_by_label("Attribute name")).to_have_count(2)
    page.get_by_label("Attribute name").last.fill("size")
    page.get_by_label("Value of").last.fill("L")
    field(page, "save").click()
    expect(field(page, "difference")).to_have_count(2)
    expect(field(page, "difference").first).to_have_text(re.compile("Name.*Mine.*Theirs"))
    expect(field(page, "difference").last).to_have_text(re.compile("colour.*not changed.*green"))
    assert stored(application, sku)["name"] == "Theirs"


def test_the_second_of_two_people_keeps_his_change_and_theirs(page: Page, colleague: Page, application: Application):
    conflict(page, colleague, application, "Both-1")
    field(page, "keep-mine").click()
    expect(page.get_by_text("Both-1 was saved.")).to_be_visible()
    both = stored(application, "Both-1")
    assert (both["name"], both["version"]) == ("Mine", 3)
    assert both["attributes"] == {"colour": "green", "size": "L"}


def test_the_second_of_two_people_takes_the_newer_values(page: Page, colleague: Page, application: Application):
    conflict(page, colleague, application, "Both-2")
    field(page, "take-theirs").click()
    expect(field(page, "conflict")).to_have_count(0)
    expect(field(page, "name")).to_have_value("Theirs")
    expect(page.get_by_label("Value of")).to_have_value("green")
    field(page, "name").fill("Agreed")
    field(page, "save").click()
    expect(row(page, "Both-2")).to_contain_text("Agreed")


def test_a_person_deletes_a_product_after_a_confirmation(page: Page, application: Application):
    create(application, "Gone-1")
    open_row(page, "Gone-1").get_by_test_id("product-delete").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Gone-1")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(row(page, "Gone-1").get_by_test_id("product-delete")).to_be_focused()
    row(page, "Gone-1").get_by_test_id("product-delete").click()
    page.get_by_test_id("confirm-delete").click()
    expect(page.get_by_text("Gone-1 was deleted.")).to_be_visible()
    expect(row(page, "Gone-1")).to_have_count(0)
    assert application.client.get("/api/products", params={"sku": "Gone-1"}).json()["total"] == 0


@pytest.mark.parametrize(
    "sku",
    [
        "<reflex.Var>1</reflex.Var>",
        '"); window.ran = 1; ("',
        "${window.ran = 1}`",
        "<img src=x onerror='window.ran = 1'>",
    ],
)
def test_a_sku_with_a_script_is_shown_as_text(page: Page, application: Application, sku: str):
    # Other tests have such names.
    sku = f"script {sku}"
    create(application, sku)
    open_row(page, sku).get_by_test_id("product-delete").click()
    page.get_by_test_id("confirm-delete").click()
    expect(page.get_by_text(f"{sku} was deleted.")).to_be_visible()
    assert page.evaluate("() => window.ran") is None


def test_the_switch_shows_its_change_at_once_and_undoes_it_when_it_fails(page: Page, application: Application):
    create(application, "Switch-1")
    switch = open_row(page, "Switch-1").get_by_role("switch")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(switch).to_have_attribute("aria-busy", "false")
    assert stored(application, "Switch-1")["active"] is False
    with database(application) as connection:
        connection.execute(text("SELECT id FROM product WHERE sku = 'Switch-1' FOR UPDATE"))
        switch.click()
        # The change is shown before the database has answered. Then the waiting connection is closed.
        expect(switch).to_have_attribute("aria-checked", "true")
        wait_for(lambda: cut_waiting(connection), 30, "the change waits for our lock")
    expect(page.get_by_text("The database does not answer. Try again.")).to_be_visible()
    expect(switch).to_have_attribute("aria-checked", "false")
    assert stored(application, "Switch-1")["active"] is False


def test_filters_are_in_the_address_and_going_back_undoes_them(page: Page, application: Application):
    for number in range(3):
        create(application, f"Way-{number}", active=number > 0, description="100% wool" if number else "")
    page.goto("/products")
    total = page.get_by_test_id("products-total")
    everything = f"{application.client.get('/api/products').json()['total']:,}"
    expect(total).to_have_text(everything)
    page.get_by_test_id("filter-sku").press_sequentially("way-", delay=20)
    expect(total).to_have_text("3")
    page.get_by_test_id("filter-description").fill("0%")
    expect(total).to_have_text("2")
    page.get_by_test_id("filter-active").select_option("false")
    expect(page.get_by_text("No product matches")).to_be_visible()
    expect_query(page, {"sku": ["way-"], "description": ["0%"], "active": ["false"]})
    page.reload()
    expect(page.get_by_test_id("filter-description")).to_have_value("0%")
    expect(total).to_have_text("0")
    for left, description in (("2", "0%"), ("3", ""), (everything, "")):
        page.go_back()
        expect(total).to_have_text(left)
        expect(page.get_by_test_id("filter-description")).to_have_value(description)
    expect(page.get_by_test_id("filter-sku")).to_have_value("")
    page.go_forward()
    expect(page.get_by_test_id("filter-sku")).to_have_value("way-")
    expect(total).to_have_text("3")
    page.get_by_test_id("filter-clear").click()
    expect(total).to_have_text(everything)
    expect_query(page, {})


def test_a_person_sorts_the_list_and_changes_page_and_page_size(page: Page, application: Application):
    application.finished(application.upload(catalogue(60, name="Sortable", first=3_000_000)))
    page.goto("/products?name=sortable&page_size=25")
    expect(page.get_by_test_id("product-row")).to_have_count(25)
    heading = page.get_by_role("columnheader", name="SKU")
    heading.click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_test_id("product-row").first).to_contain_text("SKU-3000000")
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(page.get_by_test_id("product-row").first).to_contain_text("SKU-3000059")
    page.get_by_test_id("page-last").click()
    expect(page.get_by_test_id("product-row")).to_have_count(10)
    assert skus(page)[-1] == "SKU-3000000"
    expect(page.get_by_test_id("page-next")).to_be_disabled()
    page.get_by_test_id("page-first").click()
    expect(page.get_by_test_id("product-row")).to_have_count(25)
    page.get_by_test_id("page-size").select_option("100")
    # Of a longer page, only the rows that are seen are drawn.
    expect(page.get_by_test_id("products-table")).to_have_attribute("aria-rowcount", "61")
    expect_query(page, {"name": ["sortable"], "sort": ["-sku"], "page_size": ["100"]})
    page.go_back()
    expect(page.get_by_test_id("product-row")).to_have_count(25)


def test_the_page_says_why_products_cannot_be_listed(page: Page, application: Application):
    page.goto("/products")
    # What is typed before it is there is not noticed.
    expect(page.get_by_test_id("products-total")).not_to_have_text("–")
    page.get_by_test_id("filter-sku").fill("s" * 256)
    expect(page.get_by_test_id("products-problem")).to_contain_text("too long")
    page.goto("/products?page=99999999")
    expect(page.get_by_test_id("products-problem")).to_contain_text("no such page")
    page.get_by_role("button", name="First page").click()
    expect(page.get_by_test_id("products-problem")).to_have_count(0)


def test_the_listed_products_are_exported(page: Page, application: Application):
    create(application, "Export-1", description="Two\nlines")
    open_row(page, "Export-1")
    page.get_by_test_id("products-export").click()
    with page.expect_download() as download:
        page.get_by_test_id("export-csv").click()
    expect(page.get_by_test_id("products-export-menu")).to_be_hidden()
    content = Path(download.value.path()).read_text()
    assert content.startswith("sku,name,description,active")
    assert "Export-1,Name of Export-1" in content
    assert "Taken-1" not in content


def test_an_export_that_a_workbook_cannot_hold_is_explained(page: Page, application: Application):
    create(application, "Export-long", description="x" * 32_768)
    open_row(page, "Export-long")
    downloads: list[Download] = []

    # Playwright takes no method of a list.
    def note(download: Download) -> None:
        downloads.append(download)

    page.on("download", note)
    page.get_by_test_id("products-export").click()
    page.get_by_test_id("export-xlsx").click()
    expect(page.get_by_text("The products cannot be exported.")).to_be_visible()
    expect(
        page.get_by_text("“description” of the product “Export-long” has more. Choose the format csv")
    ).to_be_visible()
    assert downloads == []
    page.get_by_test_id("products-export").click()
    with page.expect_download():
        page.get_by_test_id("export-jsonl").click()


@pytest.mark.parametrize("width", [390, 1280])
def test_each_format_is_exported_by_keyboard(page: Page, application: Application, width: int):
    create(application, f"Keys-{width}")
    page.set_viewport_size({"width": width, "height": 800})
    open_row(page, f"Keys-{width}")
    button, menu = page.get_by_test_id("products-export"), page.get_by_test_id("products-export-menu")
    found = {}
    for position, format in enumerate(["csv", "xlsx", "jsonl", "parquet"], 1):
        button.focus()
        page.keyboard.press("Enter")
        expect(menu).to_be_visible()
        for _ in range(position):
            page.keyboard.press("Tab")
        expect(page.get_by_test_id(f"export-{format}")).to_be_focused()
        box, above = menu.bounding_box(), button.bounding_box()
        assert box and above and box["x"] >= 0 and box["x"] + box["width"] <= width
        assert 0 <= box["y"] - above["y"] - above["height"] < 20, "the menu is below its button"
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert download.value.suggested_filename == f"products.{format}"
        found[format] = Path(download.value.path()).read_bytes()
        expect(menu).to_be_hidden()
    assert json.loads(found["jsonl"])["sku"] == f"Keys-{width}"
    assert found["xlsx"].startswith(b"PK") and found["parquet"].startswith(b"PAR1")
    button.press("Enter")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_all_products_are_deleted_by_a_phrase_but_not_during_an_import(page: Page, application: Application):
    create(application, "Last-1")
    page.goto("/products")
    with workers_stopped(application):
        job_id = application.upload(catalogue(3, first=4_000_000), "busy.csv")
        page.get_by_test_id("products-delete-all").click()
        expect(page.get_by_test_id("delete-all-phrase")).to_be_focused()
        total = application.client.get("/api/products").json()["total"]
        expect(page.get_by_test_id("delete-all-count")).to_contain_text(f"{total:,} product")
        page.get_by_test_id("delete-all-phrase").fill("delete all")
        expect(page.get_by_test_id("confirm-delete-all")).to_be_disabled()
        page.get_by_test_id("delete-all-phrase").fill("delete all products")
        page.get_by_test_id("confirm-delete-all").click()
        expect(page.get_by_test_id("delete-all-error")).to_contain_text("busy.csv")
        assert application.client.get("/api/products").json()["total"] == total
    application.finished(job_id)
    left = application.client.get("/api/products").json()["total"]
    page.get_by_test_id("confirm-delete-all").click()
    expect(page.get_by_text(f"{left:,} products deleted.")).to_be_visible()
    expect(page.get_by_text("No products yet")).to_be_visible()
    expect(page.get_by_test_id("products-total")).to_have_text("0")


def test_going_back_undoes_the_first_filter_without_a_reload(page: Page, application: Application):
    application.finished(application.upload(catalogue(12, name="Backwards", first=7_100_000)))
    application.finished(application.upload(catalogue(5, name="Others", first=7_200_000)))
    page.goto("/products")
    expect(page.get_by_test_id("product-row").first).to_be_visible(timeout=SECONDS)
    before = page.get_by_test_id("products-total").inner_text()
    page.get_by_test_id("filter-name").press_sequentially("backwards", delay=30)
    expect(page.get_by_test_id("products-total")).to_have_text("12", timeout=SECONDS)
    # Where typing halts, a part of the word finds as many; the rest of it would come after going back.
    expect_query(page, {"name": ["backwards"]})
    page.go_back()
    expect(page.get_by_test_id("products-total")).to_have_text(before, timeout=SECONDS)
    expect(page.get_by_test_id("filter-name")).to_have_value("", timeout=SECONDS)
    page.go_forward()
    expect(page.get_by_test_id("products-total")).to_have_text("12", timeout=SECONDS)


def test_a_dialog_is_closed_at_the_next_visit(page: Page, application: Application):
    page.goto("/products")
    page.get_by_test_id("product-new").click()
    expect(page.get_by_test_id("product-sku")).to_be_visible(timeout=SECONDS)
    page.goto("/products")
    # The page is loaded.
    expect(page.get_by_test_id("product-new")).to_be_enabled(timeout=SECONDS)
    expect(page.get_by_test_id("product-sku")).to_be_hidden()


def test_no_dialog_is_opened_before_the_page_is_loaded(page: Page, application: Application):
    page.route_web_socket(re.compile("/_event"), lambda _: None)
    page.goto("/products")
    expect(page.get_by_test_id("product-new")).to_be_disabled()
