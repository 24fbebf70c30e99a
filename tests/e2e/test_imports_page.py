"""The import pages in a real browser."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect
from sqlalchemy import Connection, text

from tests.application import Application, catalogue
from tests.e2e.test_products_page import cut_waiting, database, expect_query, workers_stopped
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
SECONDS = 30_000
expect.set_options(timeout=SECONDS)

HEAD = "sku,name,description"


def csv_of(*rows: str, header: str = HEAD) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def choose(page: Page, content: bytes, name: str = "catalogue.csv") -> None:
    choose_files(page, {"name": name, "mimeType": "text/csv", "buffer": content})


def choose_files(page: Page, *files: FilePayload) -> None:
    """Choose files on the import page, once it takes them: before that it is drawn, but not seen."""
    page.goto("/imports")
    expect(page.get_by_test_id("import-file")).to_be_visible()
    page.get_by_test_id("import-file").locator("input[type=file]").set_input_files(files)


def start(page: Page, content: bytes, name: str = "catalogue.csv", button: str = "import-start") -> str:
    """Import a file on the page, and return the id of the import."""
    choose(page, content, name)
    page.get_by_test_id(button).click()
    return arrived(page)


def arrived(page: Page) -> str:
    """Wait until an import is shown, and return its id; a draft has the same address."""
    expect(status(page)).to_be_visible()
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
    # The outdated row, too, shows what the colleague has written.
    expect(page.get_by_test_id("grid-row").filter(has_text="changed since")).to_have_count(0)
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
        "The created products (2) are deleted and the updated ones (1) get their previous values back"
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
    expect_query(page, {"q": ["WINTER-100%"]})
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
    expect_query(page, {})


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
        wait_for(lambda: (cut_waiting(connection), problem.count())[1], 60, "the outage is shown")
        expect(problem).to_contain_text("The database does not answer")
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(problem).to_have_count(0)
    expect(rows(page).first).to_be_visible()
