"""The first two steps of an import in a real browser: a file is chosen, and its columns are shown and changed."""

import re
import threading
from collections.abc import Callable
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect
from sqlalchemy import text

from tests.application import Application
from tests.e2e.test_imports_page import arrived, choose, csv_of, product, rows, start, status, upload
from tests.e2e.test_products_page import database
from tests.imports.parsing.books.made_books import xls
from tests.imports.shop_export import FURTHER_LINES, PRODUCTS, shop_export
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
RUSSIAN = "sku;name;description\nCup-1;Чашка «Утро»;фарфор\nCup-2;Тарелка;белая\n".encode("windows-1251")


def row(page: Page, column: str) -> Locator:
    return page.get_by_test_id("column-row").filter(has=page.get_by_text(column, exact=True))


def target(page: Page, column: str) -> Locator:
    return row(page, column).get_by_test_id("column-target")


def found(page: Page, column: str) -> Locator:
    return row(page, column).get_by_test_id("column-found")


def error(page: Page) -> Locator:
    return page.get_by_test_id("import-error")


def open_options(page: Page) -> None:
    page.get_by_test_id("choices").locator("summary").click()


def begin(page: Page) -> None:
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")


def test_a_shops_export_is_imported_in_one_click(page: Page):
    choose(page, shop_export(), "shop-export.csv")
    expect(page).to_have_title("shop-export.csv · Product Importer")
    expect(target(page, "Handle")).to_have_value("sku")
    expect(target(page, "Title")).to_have_value("name")
    expect(target(page, "Body (HTML)")).to_have_value("description")
    expect(found(page, "Title")).to_have_text("Guessed")
    expect(page.get_by_test_id("import-steps").locator("[aria-current=step]")).to_have_text(re.compile("Columns"))
    sample = len(PRODUCTS) + len(FURTHER_LINES)
    note = page.get_by_test_id("columns-continuations")
    expect(note).to_contain_text(f"Of the first {sample} rows, {len(FURTHER_LINES)} have no name and continue")
    expect(note).to_contain_text("are rejected")
    page.get_by_test_id("import-continuation").select_option("skip")
    expect(note).to_contain_text("are skipped")
    page.get_by_test_id("import-continuation").select_option("reject")
    expect(note).to_contain_text("are rejected")
    begin(page)
    expect(page.get_by_test_id("import-created")).to_have_text(str(len(PRODUCTS)))
    expect(page.get_by_test_id("import-rejected")).to_have_text(str(len(FURTHER_LINES)))
    choose(page, shop_export(), "shop-export-next-week.csv")
    expect(found(page, "Title")).to_have_text("Remembered")
    begin(page)
    expect(page.get_by_test_id("import-unchanged")).to_have_text(str(len(PRODUCTS)))


def test_the_address_names_the_step_and_the_page_is_opened_once_for_each(page: Page):
    opened: list[str] = []
    page.on(
        "websocket",
        lambda socket: socket.on(
            "framesent", lambda frame: opened.append(str(frame)) if "hydrate_and_load" in str(frame) else None
        ),
    )
    choose(page, csv_of("Stepped-1,Foo,Bar"))
    expect(page).to_have_url(re.compile(r"\?step=columns$"))
    page.get_by_test_id("import-try").click()
    expect(status(page)).to_have_text("previewed")
    expect(page).to_have_url(re.compile(r"\?step=check$"))
    page.get_by_test_id("import-apply").click()
    expect(status(page)).to_have_text("completed")
    expect(page).to_have_url(re.compile(r"\?step=result$"))
    page.reload()
    expect(page.get_by_test_id("import-steps").locator("[aria-current=step]")).to_have_text(re.compile("Result"))
    assert len(opened) <= len(("imports", "columns", "check", "result", "reload")), opened


def test_unknown_columns_are_asked_for_and_the_first_has_the_focus(page: Page):
    choose(page, csv_of("Asked-1,Foo,Bar", header="x1,x2,x3"))
    expect(error(page)).to_contain_text("Missing columns: sku, name, description.")
    expect(target(page, "x1")).to_be_focused()
    page.get_by_role("heading", level=1).click()
    page.get_by_test_id("import-start").click()
    expect(target(page, "x1")).to_be_focused()
    for column, becomes in (("x1", "sku"), ("x2", "name"), ("x3", "name")):
        target(page, column).select_option(becomes)
    # A field has one column: the one that had it is an attribute now.
    expect(target(page, "x2")).to_have_value("attribute")
    expect(error(page)).to_contain_text("Missing columns: description.")
    target(page, "x2").select_option("name")
    target(page, "x3").select_option("description")
    expect(error(page)).to_have_count(0)
    expect(found(page, "x3")).to_have_text("Chosen")
    page.reload()
    expect(target(page, "x3")).to_have_value("description")
    page.get_by_test_id("import-try").click()
    arrived(page)
    expect(status(page)).to_have_text("previewed")
    expect(page).to_have_url(re.compile(r"\?step=check"))
    page.get_by_test_id("check-change-columns").click()
    expect(target(page, "x3")).to_have_value("description")
    begin(page)


def test_an_attribute_gets_a_name_of_ones_choice(page: Page, application: Application):
    choose(page, csv_of("Named-1,Foo,Bar,red,thrown away", header="sku,name,description,Farbe,Rest"))
    target(page, "Farbe").select_option("named")
    name = page.get_by_test_id("column-attribute")
    expect(name).to_have_value("Farbe")
    name.fill("colour")
    target(page, "Rest").select_option("ignore")
    expect(found(page, "Rest")).to_have_text("Chosen")
    expect(name).to_have_value("colour")
    begin(page)
    assert product(application, "Named-1")["attributes"] == {"colour": "red"}


def test_columns_are_chosen_by_keyboard_alone(page: Page, application: Application):
    choose(page, csv_of("Keys-1,Foo,Bar", header="y1,y2,y3"))
    for column, words in (("y1", "SKU"), ("y2", "Name"), ("y3", "Description")):
        expect(target(page, column)).to_be_focused()
        page.keyboard.type(words)
        expect(found(page, column)).to_have_text("Chosen")
        page.keyboard.press("Tab")
    page.get_by_test_id("import-start").focus()
    page.keyboard.press("Enter")
    arrived(page)
    expect(status(page)).to_have_text("completed")
    assert product(application, "Keys-1")["name"] == "Foo"


def test_another_delimiter_shows_other_columns(page: Page):
    choose(page, csv_of("Read-1,Foo,Bar", header="sku,name,text").replace(b",", b"|"))
    expect(target(page, "text")).to_have_value("description")
    page.get_by_test_id("import-delimiter").select_option("comma")
    expect(row(page, "sku|name|text")).to_be_visible()
    expect(error(page)).to_be_visible()
    page.get_by_test_id("import-delimiter").select_option("bar")
    expect(target(page, "text")).to_have_value("description")
    expect(error(page)).to_have_count(0)


def test_the_sheet_of_a_workbook_is_chosen(page: Page):
    sheets = {"Notes": [["x"], ["y"]], "Prices": [["sku", "name", "description"], ["Sheet-1", "Foo", "Bar"]]}
    choose(page, xls(sheets), "old.xls")
    expect(error(page)).to_be_visible()
    page.get_by_test_id("import-sheet").select_option("Prices")
    expect(found(page, "description")).to_have_text("Exact")
    begin(page)
    page.get_by_test_id("import-details").click()
    expect(page.get_by_test_id("import-format")).to_contain_text("its sheet “Prices”")


def test_options_are_sent_shown_and_remembered(page: Page, application: Application):
    upload(application, csv_of("Chosen-1,Known,kept"))
    choose(page, csv_of("Chosen-1,First,", "Chosen-1,Second,", "Chosen-2,New,"), "chosen-1.csv")
    open_options(page)
    chosen = {"mode": "update", "duplicates": "first", "blank": "keep", "continuation": "fill"}
    for name, value in chosen.items():
        page.get_by_test_id(f"import-{name}").select_option(value)
    for words in ("only existing", "first row used", "blanks keep values"):
        expect(page.get_by_test_id("choices")).to_contain_text(words)
    # The browser remembers an option when the answer comes.
    for name, value in chosen.items():
        expect(page.get_by_test_id(f"import-{name}")).to_have_value(value)
    choose(page, csv_of("Chosen-1,First,", "Chosen-1,Second,", "Chosen-2,New,"), "chosen-2.csv")
    expect(page.get_by_role("heading", level=1)).to_have_text("chosen-2.csv")
    for name, value in chosen.items():
        expect(page.get_by_test_id(f"import-{name}")).to_have_value(value)
    begin(page)
    job = application.job(arrived(page))
    assert {name: job["choices"][name] for name in chosen} == chosen
    assert (product(application, "Chosen-1")["name"], product(application, "Chosen-2")) == ("First", {})
    choose(page, csv_of("Chosen-1,First,"), "chosen-3.csv")
    open_options(page)
    page.get_by_test_id("import-usual").click()
    expect(page.get_by_test_id("import-mode")).to_have_value("upsert")
    choose(page, csv_of("Chosen-1,First,"), "chosen-4.csv")
    expect(page.get_by_role("heading", level=1)).to_have_text("chosen-4.csv")
    expect(page.get_by_test_id("import-mode")).to_have_value("upsert")


def test_the_encoding_is_chosen_and_shown(page: Page, application: Application):
    german = "sku;name;description\nÄ-1;Größe;für\n".encode("cp1252")
    choose(page, german, "german.csv")
    page.get_by_test_id("import-encoding").select_option("windows-1252")
    expect(row(page, "name")).to_contain_text("Größe")
    begin(page)
    page.get_by_test_id("import-details").click()
    expect(page.get_by_test_id("import-format")).to_contain_text("Read as Windows-1252, semicolons")
    assert product(application, "Ä-1")["name"] == "Größe"


def test_a_likely_encoding_is_chosen_by_its_first_lines(page: Page, application: Application):
    choose(page, RUSSIAN, "russian.csv")
    expect(error(page)).to_contain_text("Choose how it reads right")
    likely = page.get_by_test_id("likely-encoding").filter(has_text="Cup-1;Чашка «Утро»;фарфор")
    expect(likely.get_by_role("radio")).to_be_focused()
    page.keyboard.press("Space")
    expect(likely.get_by_role("radio")).to_be_checked()
    expect(row(page, "name")).to_contain_text("Чашка «Утро»")
    expect(page.get_by_test_id("import-encoding")).to_have_value("windows-1251")
    begin(page)
    assert product(application, "Cup-1")["name"] == "Чашка «Утро»"


def test_a_header_below_title_rows_is_found_and_another_line_chosen(page: Page, application: Application):
    choose(page, b'Price list,,\n\nsku,name,description\nTitled-1,A,"=""01"""\n', "titled.csv")
    expect(page.get_by_test_id("header-note")).to_contain_text("in line 3")
    page.get_by_test_id("import-header-line").fill("abc")
    expect(page.get_by_test_id("fault")).to_be_visible()
    page.get_by_test_id("import-header-line").fill("0")
    expect(row(page, "column 1")).to_be_visible()
    expect(page.get_by_test_id("fault")).to_have_count(0)
    page.get_by_test_id("import-header-line").fill("3")
    expect(target(page, "sku")).to_have_value("sku")
    begin(page)
    assert product(application, "Titled-1")["description"] == "01"


def test_thousands_of_columns_are_shown_in_pages(page: Page):
    further = [f"c{number}" for number in range(1_990)]
    values = ",".join(further)
    choose(page, f"sku,name,{values},text\nWide-1,Foo,{values},Bar\n".encode(), "wide.csv")
    expect(page.get_by_test_id("column-row")).to_have_count(100)
    expect(page.get_by_test_id("columns-total")).to_contain_text("1993 columns")
    page.get_by_test_id("columns-next").click()
    expect(row(page, "c98")).to_be_visible()
    target(page, "c98").select_option("ignore")
    expect(found(page, "c98")).to_have_text("Chosen")


def test_named_mappings_are_saved_chosen_and_deleted(page: Page):
    choose(page, csv_of("Map-1,Foo,Bar", header="m1,m2,m3"))
    for column, becomes in (("m1", "sku"), ("m2", "name"), ("m3", "description")):
        target(page, column).select_option(becomes)
    expect(error(page)).to_have_count(0)
    page.get_by_test_id("mapping-save-as").click()
    page.get_by_test_id("mapping-name").fill("  ")
    page.get_by_test_id("mapping-save").click()
    expect(page.get_by_test_id("mapping-error")).to_be_visible()
    page.get_by_test_id("mapping-name").fill("Supplier M")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("mapping-choose")).to_have_value("Supplier M")
    choose(page, csv_of("Map-2,Bar,1", header="m1,m3,other"), "less.csv")
    expect(error(page)).to_be_visible()
    page.get_by_test_id("mapping-choose").select_option("Supplier M")
    expect(target(page, "m1")).to_have_value("sku")
    expect(page.locator("[data-sonner-toast]")).to_contain_text("Missing: “m2”.")
    expect(error(page)).to_contain_text("Missing columns: name.")
    page.get_by_test_id("mapping-delete").click()
    page.get_by_test_id("confirm-delete-mapping").click()
    expect(page.get_by_test_id("mapping-choose").locator("option")).to_have_count(1)


def test_drafts_wait_are_continued_and_discarded(page: Page, application: Application):
    choose(page, csv_of("Wait-1,Foo,Bar"), "waits.csv")
    expect(page.get_by_test_id("columns-table")).to_be_visible()
    page.goto("/imports")
    waiting = page.get_by_test_id("draft-row").filter(has_text="waits.csv")
    expect(waiting).to_have_count(1)
    expect(rows(page).filter(has_text="waits.csv")).to_have_count(0)
    waiting.get_by_test_id("draft-continue").click()
    expect(page.get_by_test_id("columns-table")).to_be_visible()
    page.go_back()
    waiting.get_by_test_id("draft-discard").click()
    expect(waiting).to_have_count(0)
    assert not application.client.get("/api/jobs", params={"q": "waits.csv"}).json()["items"]


def test_a_late_preview_does_not_undo_a_newer_choice(page: Page, application: Application):
    choose(page, csv_of("Late-1,Foo,Bar", header="sku,name,text").replace(b",", b"|"))
    expect(target(page, "text")).to_have_value("description")
    with database(application) as connection:
        # The lookup of a saved mapping waits for this lock.
        connection.execute(text("LOCK TABLE import_mapping"))
        page.get_by_test_id("import-delimiter").select_option("comma")
        page.get_by_test_id("import-delimiter").select_option("bar")
        expect(page.get_by_test_id("import-delimiter")).to_have_value("bar")
    expect(target(page, "text")).to_have_value("description")
    expect(error(page)).to_have_count(0)


def test_an_import_starts_with_what_was_chosen_a_moment_before(page: Page, application: Application):
    choose(page, csv_of("Moment-1,Foo,Bar", header="sku,name,words"))
    expect(error(page)).to_contain_text("Missing columns: description.")
    choose_and_start = """select => {
        Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set.call(select, "description");
        select.dispatchEvent(new Event("change", { bubbles: true }));
        document.querySelector("[data-testid=import-start]").click();
    }"""
    target(page, "words").evaluate(choose_and_start)
    arrived(page)
    expect(status(page)).to_have_text("completed")
    assert product(application, "Moment-1")["description"] == "Bar"


def test_another_draft_is_not_shown_before_its_own_answer_has_come(page: Page):
    hold, held = threading.Event(), []

    def forward(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        server.on_message(lambda said: held.append((route, said)) if hold.is_set() else route.send(said))

    page.route_web_socket(re.compile("/_event"), forward)
    heading = page.get_by_role("heading", level=1)
    for name in ("before-1.csv", "before-2.csv"):
        choose(page, csv_of("Before-1,Foo,Bar"), name)
        expect(heading).to_have_text(name)
        expect(page.get_by_test_id("columns-table")).to_be_visible()
    page.goto("/imports")
    first = page.get_by_test_id("draft-row").filter(has_text="before-1.csv")
    expect(first).to_have_count(1)
    hold.set()
    first.get_by_test_id("draft-continue").click()
    expect(heading).to_have_text("Import")
    expect(page.get_by_test_id("import-start")).to_have_count(0)
    hold.clear()
    for route, said in held:
        route.send(said)
    expect(heading).to_have_text("before-1.csv")
    expect(page.get_by_test_id("import-start")).to_be_visible()


def test_a_draft_that_does_not_exist_says_so(page: Page):
    page.goto("/imports/00000000-0000-7000-8000-000000000000?step=columns")
    expect(page.get_by_text("There is no such import")).to_be_visible()


def test_an_import_that_starts_elsewhere_is_shown(page: Page, browser: Browser, application: Application):
    choose(page, csv_of("Elsewhere-1,Foo,Bar"), "elsewhere.csv")
    expect(page.get_by_test_id("columns-table")).to_be_visible()
    other = browser.new_context(base_url=application.url).new_page()
    other.goto(page.url)
    other.get_by_test_id("import-start").click()
    expect(status(other)).to_have_text("completed")
    page.get_by_test_id("import-start").click()
    expect(status(page)).to_have_text("completed")
    other.context.close()


def open_list(page: Page) -> None:
    page.goto("/imports")
    expect(page.get_by_test_id("import-file")).to_be_visible()


def open_unknown(page: Page) -> None:
    choose(page, csv_of("Axe-1,Foo,Bar", header="z1,z2,z3"))
    expect(target(page, "z1")).to_be_focused()
    open_options(page)
    target(page, "z2").select_option("named")
    expect(page.get_by_test_id("column-attribute")).to_be_visible()


def open_encodings(page: Page) -> None:
    choose(page, RUSSIAN, "russian.csv")
    expect(page.get_by_test_id("likely-encoding").first).to_be_visible()


def open_bad(page: Page) -> None:
    choose(page, b"", "empty.csv")
    expect(error(page)).to_contain_text("empty")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("opened", [open_list, open_unknown, open_encodings, open_bad])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    browser: Browser,
    application: Application,
    opened: Callable[[Page], None],
    width: int,
    scheme: Literal["light", "dark"],
):
    context = browser.new_context(
        base_url=application.url, viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    page = context.new_page()
    opened(page)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_the_simple_way_takes_no_look_at_the_columns(page: Page, application: Application):
    job_id = start(page, csv_of("Simple-1,Foo,Bar"), "simple.csv")
    expect(status(page)).to_have_text("completed")
    wait_for(lambda: application.job(job_id)["status"] == "completed", 10, "the import is completed")
