"""The import pages in a real browser."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Dialog, Locator, Page, Route, expect
from sqlalchemy import Connection, text

from tests.application import Application, catalogue
from tests.e2e.test_products_page import cut_waiting, database, workers_stopped
from tests.imports.parsing.books.made_books import xls
from tests.imports.shop_export import FURTHER_LINES, PRODUCTS, shop_export
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
SECONDS = 30_000
expect.set_options(timeout=SECONDS)

HEAD = "sku,name,description"


def csv_of(*rows: str, header: str = HEAD) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def choose(page: Page, content: bytes, name: str = "catalogue.csv") -> None:
    page.goto("/imports")
    chooser = page.get_by_test_id("import-file").locator("input[type=file]")
    chooser.set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})


def start(page: Page, content: bytes, name: str = "catalogue.csv", button: str = "import-start") -> str:
    """Import a file on the page, and return the id of the import."""
    choose(page, content, name)
    page.get_by_test_id(button).click()
    return arrived(page)


def arrived(page: Page) -> str:
    page.wait_for_url(re.compile(r"/imports/[0-9a-f-]{36}"))
    return urlsplit(page.url).path.rpartition("/")[2]


def upload(application: Application, content: bytes, name: str = "catalogue.csv", **options: str) -> str:
    """Import a file by REST, wait for the end, and return the id of the import."""
    answer = application.client.post("/api/upload-csv", files={"file": (name, content)}, data=options)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["job_id"]
    wait_for(lambda: is_over(application, job_id), 90, "the import ends")
    return job_id


def is_over(application: Application, job_id: str) -> bool:
    return application.job(job_id)["status"] not in ("pending", "processing")


def product(application: Application, sku: str) -> dict:
    found = application.client.get("/api/products", params={"sku": sku}).json()["items"]
    return next((item for item in found if item["sku"] == sku), {})


def status(page: Page) -> Locator:
    return page.get_by_test_id("import-status")


def rows(page: Page) -> Locator:
    return page.get_by_test_id("import-row")


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def open_options(page: Page) -> None:
    page.get_by_test_id("choices").locator("summary").click()


def values(page: Page, names: Iterable[str]) -> list[str]:
    return [page.get_by_test_id(f"import-{name}").input_value() for name in names]


def test_a_shops_export_is_imported_in_two_clicks(page: Page):
    choose(page, shop_export(), "shop-export.csv")
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("import-error")).to_contain_text("sku, name, description")
    expect(page.get_by_test_id("mapping-sku")).to_have_value("Handle")
    expect(page.get_by_test_id("mapping-name")).to_have_value("Title")
    expect(page.get_by_test_id("mapping-description")).to_have_value("Body (HTML)")
    rows = len(PRODUCTS) + len(FURTHER_LINES)
    expect(page.get_by_test_id("mapping-continuations")).to_contain_text(
        f"Of the first {rows} rows, {len(FURTHER_LINES)} have no name and continue the product above"
    )
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-created")).to_have_text(str(len(PRODUCTS)))
    expect(page.get_by_test_id("import-rejected")).to_have_text(str(len(FURTHER_LINES)))
    expect(page.get_by_test_id("import-columns")).to_contain_text("sku from “Handle”")
    start(page, shop_export(), "shop-export-next-week.csv")
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-unchanged")).to_have_text(str(len(PRODUCTS)))


def test_unknown_columns_are_asked_for(page: Page):
    choose(page, csv_of("Asked-1,Foo,Bar", header="x1,x2,x3"))
    page.get_by_test_id("import-start").click()
    fields = {name: page.get_by_test_id(f"mapping-{name}") for name in ("sku", "name", "description", "active")}
    for name in ("sku", "name", "description"):
        fields[name].select_option("x1")
    expect(page.get_by_test_id("mapping-problem")).to_contain_text("“x1” is chosen for sku, name and description.")
    expect(page.get_by_test_id("import-start")).to_be_disabled()
    expect(page.get_by_test_id("import-try")).to_be_disabled()
    fields["sku"].select_option("")
    expect(page.get_by_test_id("mapping-problem")).to_have_text("Still missing: sku.")
    fields["sku"].select_option("x1")
    fields["name"].select_option("x2")
    fields["description"].select_option("x3")
    fields["active"].select_option("")
    expect(page.get_by_test_id("mapping-problem")).to_be_empty()
    page.get_by_role("button", name="Dry run with these columns").click()
    arrived(page)
    expect(status(page)).to_have_text("previewed")
    page.get_by_test_id("import-apply").click()
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-columns")).to_contain_text("description from “x3”")


def test_the_columns_of_a_workbook_are_asked_for(page: Page):
    rows = [["Sheet code", "Sheet title", "Sheet text"], ["Sheet-1", "Cup", "white"]]
    choose(page, xls({"Stock": rows}), "stock.xls")
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("import-error")).to_contain_text("In the sheet “Stock”: Missing columns: sku, name")
    for name, column in zip(("sku", "name", "description"), rows[0], strict=True):
        page.get_by_test_id(f"mapping-{name}").select_option(column)
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-created")).to_have_text("1")


def test_another_file_clears_the_error_of_the_last_one(page: Page):
    choose(page, csv_of("1,2", header="sku,price"), "wrong.csv")
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("mapping")).to_be_visible()
    page.get_by_test_id("import-file").locator("input[type=file]").set_input_files(
        {"name": "right.csv", "mimeType": "text/csv", "buffer": csv_of("Right-1,Right,x")}
    )
    expect(page.get_by_test_id("import-error")).to_have_count(0)
    expect(page.get_by_test_id("mapping")).to_have_count(0)
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")


def test_another_delimiter_asks_for_other_columns(page: Page):
    choose(page, csv_of("Read-1,Foo,Bar", header="sku,name,text").replace(b",", b"|"))
    open_options(page)
    page.get_by_test_id("import-delimiter").select_option("comma")
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("mapping-sku")).to_contain_text("sku|name|text")
    page.get_by_test_id("import-delimiter").select_option("bar")
    expect(page.get_by_test_id("mapping")).to_have_count(0)
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("mapping-sku")).to_have_value("sku")
    expect(page.get_by_test_id("mapping-description")).to_have_value("text")


def test_the_sheet_of_a_workbook_is_chosen(page: Page):
    content = xls({"Notes": [["x"]], "Prices": [["sku", "name", "description"], ["Sheet-1", "Foo", "Bar"]]})
    choose(page, content, "old.xls")
    open_options(page)
    page.get_by_test_id("import-sheet").fill("Nope")
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("import-error")).to_contain_text("“Notes”, “Prices”")
    page.get_by_test_id("import-sheet").fill("prices")
    expect(page.get_by_test_id("choices")).to_contain_text("sheet: prices")
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-format")).to_contain_text("its sheet “Prices”")


def test_a_late_error_asks_for_no_columns_of_another_delimiter(page: Page, application: Application):
    choose(page, csv_of("Late-1,Foo,Bar", header="sku,name,text").replace(b",", b"|"))
    open_options(page)
    page.get_by_test_id("import-delimiter").select_option("comma")
    with database(application) as connection:
        # The lookup of a saved mapping waits for this lock.
        connection.execute(text("LOCK TABLE import_mapping"))
        page.get_by_test_id("import-start").click()
        expect(page.get_by_test_id("upload-progress")).to_be_visible()
        page.get_by_test_id("import-delimiter").select_option("bar")
        expect(page.get_by_test_id("choices")).to_contain_text("delimiter: vertical bar")
        expect(page.get_by_test_id("import-error")).to_have_count(0)
    expect(page.get_by_test_id("import-error")).to_be_visible()
    expect(page.get_by_test_id("mapping")).to_have_count(0)
    expect(page.get_by_test_id("import-start")).to_have_text("Import")


def test_options_are_sent_shown_and_survive_a_reload(page: Page, application: Application):
    upload(application, csv_of("Chosen-1,Known,kept"))
    page.goto("/imports")
    open_options(page)
    page.get_by_test_id("import-mode").select_option("update")
    page.get_by_test_id("import-duplicates").select_option("first")
    page.get_by_test_id("import-blank").select_option("keep")
    page.get_by_test_id("import-continuation").select_option("fill")
    for words in ("only existing", "first row used", "blanks keep values", "variants filled"):
        expect(page.get_by_test_id("choices")).to_contain_text(words)
    page.reload()
    for words in ("only existing", "first row used", "blanks keep values", "variants filled"):
        expect(page.get_by_test_id("choices")).to_contain_text(words)
    assert values(page, ("mode", "duplicates", "blank", "continuation")) == ["update", "first", "keep", "fill"]
    job_id = start(page, csv_of("Chosen-1,First,", "Chosen-1,Second,", "Chosen-2,New,"), "chosen.csv")
    expect(status(page)).to_have_text("completed")
    assert application.job(job_id)["choices"] == {
        "mode": "update",
        "duplicates": "first",
        "blank": "keep",
        "dry_run": False,
        "continuation": "fill",
        "scientific": "reject",
    }
    assert (product(application, "Chosen-1")["name"], product(application, "Chosen-2")) == ("First", {})
    assert product(application, "Chosen-1")["description"] == "kept"
    for words in ("Only update existing", "Use the first row", "Keep the value", "Fill them from the product above"):
        expect(page.get_by_test_id("import-choices")).to_contain_text(words)
    page.goto("/imports?q=chosen.csv")
    expect(rows(page).first).to_contain_text("first row used")
    open_options(page)
    page.get_by_test_id("import-usual").click()
    expect(page.get_by_test_id("choices")).to_contain_text("use the last row of a repeated SKU")
    page.reload()
    expect(page.get_by_test_id("choices")).to_contain_text("use the last row of a repeated SKU")


def test_the_encoding_and_the_delimiter_are_chosen_and_shown(page: Page, application: Application):
    german = "sku;name;description\nÄ-1;Größe;für\n".encode("cp1252")
    choose(page, german.replace("Ä".encode("cp1252"), "Ä".encode()), "mixed.csv")
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("import-error")).to_contain_text("choose the encoding under Options")
    open_options(page)
    page.get_by_test_id("import-encoding").select_option("windows-1252")
    page.get_by_test_id("import-delimiter").select_option("semicolon")
    page.get_by_test_id("import-file").locator("input[type=file]").set_input_files(
        {"name": "german.csv", "mimeType": "text/csv", "buffer": german}
    )
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-format")).to_contain_text("Read as Windows-1252, semicolons")
    assert product(application, "Ä-1")["name"] == "Größe"


def test_a_header_below_title_rows_is_confirmed_by_a_second_click(page: Page, application: Application):
    choose(page, b'Price list,,\n\nsku,name,description\nTitled-1,A,"=""01"""\n', "titled.csv")
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("import-error")).to_contain_text("in line 3: sku, name, description")
    expect(page.get_by_test_id("choices")).to_contain_text("header in line 3")
    expect(page.get_by_test_id("import-header-line")).to_have_value("3")
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-format")).to_contain_text("header in line 3")
    expect(page.get_by_test_id("import-warnings")).to_contain_text("Once, in line 4.")
    assert product(application, "Titled-1")["description"] == "01"
    page.goto("/imports")
    expect(page.get_by_test_id("import-header-line")).to_have_value("")


def test_a_file_without_a_header_is_mapped(page: Page, application: Application):
    choose(page, b"Bare-1,A,x\n", "bare.csv")
    open_options(page)
    page.get_by_test_id("import-header-line").fill("0")
    expect(page.get_by_test_id("choices")).to_contain_text("no header")
    page.get_by_test_id("import-start").click()
    for number, name in enumerate(("sku", "name", "description"), 1):
        page.get_by_test_id(f"mapping-{name}").select_option(f"column {number}")
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")
    assert product(application, "Bare-1")["name"] == "A"


def test_a_file_in_an_unlikely_encoding_is_imported_in_the_one_that_reads_right(page: Page, application: Application):
    content = "sku;name;description\nCup-1;Чашка «Утро»;фарфор\nCup-2;Тарелка;белая\n".encode("windows-1251")
    choose(page, content, "russian.csv")
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("import-error")).to_contain_text("Choose below how it reads right")
    likely = page.get_by_test_id("likely-encoding").filter(has_text="Cup-1;Чашка «Утро»;фарфор")
    likely.get_by_role("radio").click()
    expect(likely.get_by_role("radio")).to_be_checked()
    expect(page.get_by_test_id("choices").locator("summary")).to_contain_text("Windows-1251")
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")
    assert product(application, "Cup-1")["name"] == "Чашка «Утро»"
    page.goto("/imports")
    expect(page.get_by_test_id("choices").locator("summary")).not_to_contain_text("Windows-1251")


def test_a_dry_run_shows_what_would_change_and_is_applied(page: Page, application: Application):
    upload(application, csv_of("Tried-1,Old name,same"))
    job_id = start(page, csv_of("Tried-1,New name,same", "Tried-2,Made,new"), "tried.csv", button="import-try")
    expect(status(page)).to_have_text("previewed")
    assert (product(application, "Tried-1")["name"], product(application, "Tried-2")) == ("Old name", {})
    changes = page.get_by_test_id("grid-row")
    expect(changes).to_have_count(2)
    expect(changes.first.locator("del")).to_have_text("was Old name")
    expect(changes.first).to_contain_text("now New name")
    page.get_by_test_id("check-filter-create").click()
    expect(changes).to_have_count(1)
    expect(changes).to_contain_text("Tried-2")
    expect(changes.locator("del")).to_have_count(0)
    page.get_by_test_id("import-apply").click()
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-rows")).to_have_count(0)
    assert (product(application, "Tried-1")["name"], product(application, "Tried-2")["name"]) == ("New name", "Made")
    page.goto("/imports?q=tried.csv")
    expect(rows(page).first).to_contain_text("dry run, applied")
    assert application.job(job_id)["applied_at"]


def test_an_outdated_dry_run_says_so_and_is_repeated(page: Page, application: Application):
    upload(application, csv_of("Stale-1,Old,x", "Stale-2,Old,x"))
    start(page, csv_of("Stale-1,New,x", "Stale-2,New,x"), button="import-try")
    expect(page.get_by_test_id("grid-row")).to_have_count(2)
    changed = product(application, "Stale-2")
    application.client.patch(f"/api/products/{changed['id']}", json={"name": "By a colleague"}).raise_for_status()
    page.get_by_test_id("import-apply").click()
    expect(page.get_by_test_id("import-refusal")).to_contain_text("Stale-2")
    page.reload()
    expect(page.get_by_test_id("grid-row").filter(has_text="Stale-2")).to_contain_text("changed since")
    page.get_by_test_id("import-retry").click()
    expect(page.get_by_test_id("grid-row").filter(has_text="By a colleague")).to_have_count(1)
    page.get_by_test_id("import-apply").click()
    expect(status(page)).to_have_text("completed")
    assert product(application, "Stale-2")["name"] == "New"


def test_an_import_is_undone_and_products_changed_since_are_kept(page: Page, application: Application):
    upload(application, csv_of("Undo-1,Before,x"))
    job_id = upload(application, csv_of("Undo-1,After,x", "Undo-2,Made,x", "Undo-3,Made,x"), "undo.csv")
    changed = product(application, "Undo-3")
    application.client.patch(f"/api/products/{changed['id']}", json={"name": "Mine now"}).raise_for_status()
    page.goto(f"/imports/{job_id}")
    page.get_by_test_id("import-undo").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text(
        "The created products (2) are removed and the updated ones (1) get their previous values back"
    )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("import-undo")).to_be_focused()
    page.get_by_test_id("import-undo").click()
    page.get_by_test_id("confirm-undo").click()
    expect(page.get_by_test_id("undo-result")).to_contain_text("1 removed, 1 restored, 1 kept because changed since")
    expect(page.get_by_test_id("kept-row")).to_contain_text("Undo-3")
    expect(page.get_by_test_id("import-undo")).to_have_count(0)
    assert (product(application, "Undo-1")["name"], product(application, "Undo-2")) == ("Before", {})
    page.goto("/imports?q=undo.csv")
    expect(rows(page).first).to_contain_text("undone")


def test_the_history_shows_an_undo_until_its_end(page: Page, application: Application):
    job_id = upload(application, csv_of("Taken-back-1,Made,x"), "taken-back.csv")
    with workers_stopped(application):
        application.client.post(f"/api/jobs/{job_id}/undo").raise_for_status()
        page.goto("/imports?q=taken-back.csv")
        expect(rows(page).first).to_contain_text("undoing")
    expect(rows(page).first).to_contain_text("undone")


def test_a_cancelled_import_says_what_is_in_the_catalogue_and_continues(page: Page, application: Application):
    # Locks on existing products stop each writer of the import midway.
    locked = [f"SKU-{number:07}" for number in range(6_003_000, 6_120_000, 3_000)]
    upload(application, csv_of(*[f"{sku},Old,x" for sku in locked]))
    with database(application) as connection:
        connection.execute(text("SELECT FROM product WHERE sku = ANY(:locked) FOR UPDATE"), {"locked": locked})
        job_id = start(page, catalogue(120_000, first=6_000_000), "stopped.csv")
        created = page.get_by_test_id("import-created")
        expect(created).to_have_text(re.compile("[1-9]"))
        page.get_by_test_id("import-cancel").click()
        wait_for(lambda: is_asked_to_stop(connection, job_id), 30, "the import is asked to stop")
    expect(status(page)).to_have_text("cancelled")
    expect(page.get_by_test_id("import-stopped")).to_contain_text(
        re.compile(r"Stopped: [\d,]+ of 120,000 rows are in the catalogue")
    )
    page.get_by_test_id("import-retry").click()
    expect(status(page)).to_have_text("completed")
    expect(created).to_have_text(f"{120_000 - len(locked):,}")
    expect(page.get_by_test_id("import-stopped")).to_have_count(0)


def is_asked_to_stop(connection: Connection, job_id: str) -> bool:
    asked = "SELECT cancel_requested_at IS NOT NULL FROM import_job WHERE id = :id"
    return connection.execute(text(asked), {"id": job_id}).scalar_one()


def test_an_import_that_never_began_is_cancelled_and_retried(page: Page, application: Application):
    with workers_stopped(application):
        start(page, csv_of("Retry-1,Retried,x"))
        page.get_by_test_id("import-cancel").click()
        expect(status(page)).to_have_text("cancelled")
        expect(page.get_by_test_id("import-stopped")).to_contain_text("no rows of the file are in the catalogue")
        page.get_by_test_id("import-retry").click()
        expect(status(page)).to_have_text("pending")
    expect(status(page)).to_have_text("completed")


def test_the_same_file_twice_at_once_leads_to_the_running_import(page: Page, application: Application):
    content = csv_of("Twice-1,Once,x")
    with workers_stopped(application):
        job_id = start(page, content, "twice.csv")
        choose(page, content, "twice-again.csv")
        expect(page.get_by_test_id("import-progress")).to_be_visible()
        page.get_by_test_id("import-start").click()
        expect(page.get_by_test_id("import-error")).to_contain_text("being imported right now")
        page.get_by_test_id("import-running").click()
        assert arrived(page) == job_id
    expect(status(page)).to_have_text("completed")


def test_the_history_is_searched_by_file_name(page: Page, application: Application):
    for name in ("winter-100%.csv", "winter-1000.csv", "summer.csv"):
        upload(application, csv_of("Season-1,Season,x"), name)
    page.goto("/imports")
    search = page.get_by_test_id("imports-search")
    search.press_sequentially("WINTER-100%", delay=20)
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("winter-100%.csv")
    wait_for(lambda: query(page) == {"q": ["WINTER-100%"]}, 10, "the address holds the search")
    page.reload()
    expect(search).to_have_value("WINTER-100%")
    expect(rows(page)).to_have_count(1)
    rows(page).get_by_role("link", name="winter-100%.csv").click()
    arrived(page)
    page.go_back()
    expect(search).to_have_value("WINTER-100%")
    expect(rows(page)).to_have_count(1)
    search.fill("no such file")
    expect(page.get_by_text("No import matches")).to_be_visible()
    page.get_by_role("button", name="Show all imports").click()
    expect(search).to_have_value("")
    expect(rows(page).first).to_be_visible()
    assert query(page) == {}


def test_the_history_is_paged_and_the_back_button_works(page: Page, application: Application):
    for number in range(21):
        upload(application, csv_of(f"Many-{number},Many,x"), f"many-{number:02}.csv")
    page.goto("/imports?q=many-")
    expect(rows(page)).to_have_count(20)
    page.get_by_test_id("imports-next").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("many-00.csv")
    page.go_back()
    expect(rows(page)).to_have_count(20)
    page.goto("/imports?q=many-&page=77")
    expect(rows(page)).to_have_count(1)


def test_rejected_and_duplicate_rows_are_offered_as_files(page: Page, application: Application):
    job_id = upload(application, csv_of("File-1,Once,x", "File-1,Twice,x", ",nameless,x"))
    page.goto(f"/imports/{job_id}")
    for name, column in (("Download the rejected rows", "no_sku"), ("Download the duplicate rows", "duplicate")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert column in download.value.path().read_text()


def test_leaving_during_an_upload_asks_first(page: Page):
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    uploads: list[Route] = []

    def hold(route: Route) -> None:
        uploads.append(route)

    page.route("**/_upload", hold)
    choose(page, csv_of("Left-1,Left,x"))
    page.get_by_test_id("import-start").click()
    wait_for(lambda: page.evaluate("1") and uploads, 10, "the file is being sent")
    with page.expect_event("dialog"):
        page.evaluate("setTimeout(() => location.reload(), 0)")
    assert asked == ["beforeunload"]
    uploads[0].abort()
    expect(page.get_by_test_id("import-start")).to_be_enabled()
    page.reload()
    expect(page.get_by_test_id("import-start")).to_be_disabled()
    assert asked == ["beforeunload"]


def test_a_reload_shows_the_running_import(page: Page, application: Application):
    with workers_stopped(application):
        job_id = start(page, csv_of("Reload-1,Reloaded,x"), "reloaded.csv")
        page.goto("/imports")
        expect(page.get_by_role("region", name="In progress")).to_contain_text("reloaded.csv")
        page.reload()
        expect(page.get_by_role("region", name="In progress")).to_contain_text("reloaded.csv")
    expect(page.get_by_role("region", name="In progress")).to_have_count(0)
    expect(rows(page).first).to_contain_text("completed")
    assert application.job(job_id)["status"] == "completed"


def test_an_outage_while_the_history_loads_is_shown(page: Page, application: Application):
    upload(application, csv_of("Outage-1,Outage,x"))
    page.goto("/webhooks")
    expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()
    with database(application) as connection:
        # The query for imports waits for the lock; then its connection is cut.
        connection.execute(text("LOCK TABLE import_job IN ACCESS EXCLUSIVE MODE"))
        page.get_by_role("link", name="Imports").click()
        problem = page.get_by_test_id("imports-problem")
        wait_for(lambda: (cut_waiting(connection), problem.count())[1], 20, "the outage is shown")
        expect(problem).to_contain_text("The database does not answer")
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(problem).to_have_count(0)
    expect(rows(page).first).to_be_visible()
