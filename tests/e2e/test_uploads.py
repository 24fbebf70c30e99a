"""Uploads in a real browser: by drop and in a queue, on every page, and after the connection broke."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Dialog, FilePayload, Page, Route, expect

from tests.application import Application, catalogue
from tests.e2e.test_imports_page import arrived, choose, choose_files, csv_of, status
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
DROP = """({names, event}) => {
    const dataTransfer = new DataTransfer();
    for (const name of names) {
        dataTransfer.items.add(new File([`sku,name,description\\n${name},A,B\\n`], name, { type: 'text/csv' }));
    }
    window.dispatchEvent(new DragEvent(event, { dataTransfer, bubbles: true, cancelable: true }));
}"""
# So few that no upload ends while something is awaited during it.
BYTES_PER_SECOND = 100_000


@contextmanager
def slow(page: Page) -> Iterator[None]:
    """Let the browser send slowly."""
    devtools = page.context.new_cdp_session(page)
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1}
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", {**limits, "uploadThroughput": BYTES_PER_SECOND})
    try:
        yield
    finally:
        devtools.send("Network.emulateNetworkConditions", {**limits, "uploadThroughput": -1})


@pytest.mark.parametrize("path", ["/", "/products", "/webhooks", "/imports", "/nothing"])
def test_a_file_is_dropped_on_any_page(page: Page, path: str):
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    def shows_overlay() -> bool:
        page.evaluate(DROP, {"names": ["dropped.csv"], "event": "dragover"})
        return page.get_by_test_id("drop-overlay").is_visible()

    wait_for(shows_overlay, 30, "the page takes files")
    page.evaluate(DROP, {"names": ["dropped.csv"], "event": "drop"})
    expect(page.get_by_test_id("drop-overlay")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("dropped.csv")
    expect(page.get_by_test_id("columns-table")).to_be_visible()


def test_several_files_become_a_queue(page: Page):
    names = ["queued-1.csv", "queued-2.csv", "queued-3.csv"]
    files: list[FilePayload] = [
        {"name": name, "mimeType": "text/csv", "buffer": csv_of(f"{name},A,B")} for name in names
    ]
    choose_files(page, *files)
    expect(page.get_by_role("heading", level=1)).to_have_text("queued-1.csv")
    uploads = page.get_by_test_id("upload")
    # The first one is shown by its own page.
    expect(uploads).to_have_count(2)
    expect(uploads.get_by_test_id("upload-state")).to_have_text(["Uploaded", "Uploaded"])
    uploads.first.get_by_role("link", name="queued-2.csv").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("queued-2.csv")
    uploads.filter(has_text="queued-3.csv").get_by_test_id("upload-remove").click()
    expect(uploads).to_have_count(1)
    expect(uploads).to_contain_text("queued-1.csv")


def test_an_upload_goes_on_while_other_pages_are_shown_and_starts_at_its_end(page: Page):
    with slow(page):
        choose(page, catalogue(100_000, first=7_000_000), "goes-on.csv")
        expect(page.get_by_test_id("column-row").first).to_be_visible()
        expect(page.get_by_test_id("upload-pace")).to_contain_text(re.compile(r"\d %.* [kM]B/s"))
        page.get_by_test_id("import-start").click()
        expect(page.get_by_test_id("import-waiting")).to_have_text("The import starts when the file has arrived.")
        page.get_by_role("link", name="Products", exact=True).click()
        expect(page.get_by_test_id("upload")).to_contain_text("goes-on.csv")
        expect(page.get_by_test_id("upload-pace")).to_contain_text(re.compile(r"\d %"))
        page.get_by_test_id("upload").get_by_role("link").click()
        expect(page.get_by_test_id("import-waiting")).to_be_visible()
    arrived(page)
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-created")).to_have_text("100,000")
    expect(page.get_by_test_id("upload-queue")).to_have_count(0)


def test_another_tab_follows_the_upload_and_starts_its_import(page: Page):
    other = page.context.new_page()
    with slow(page):
        choose(page, catalogue(100_000, first=2_000_000), "followed.csv")
        expect(page.get_by_test_id("column-row").first).to_be_visible()
        other.goto(page.url)
        expect(other.get_by_text("Being uploaded in another window")).to_be_visible()
        expect(other.get_by_test_id("upload-progress")).to_have_attribute("aria-valuenow", re.compile("[1-9]"))
        other.get_by_test_id("import-start").click()
        expect(page.get_by_test_id("import-waiting")).to_be_visible()
    for each in (other, page):
        arrived(each)
        expect(status(each)).to_have_text("completed")


def test_a_broken_connection_is_said_and_the_file_sent_again(page: Page):
    with slow(page):
        choose(page, catalogue(100_000, first=8_000_000), "broken.csv")
        expect(page.get_by_test_id("column-row").first).to_be_visible()
        page.context.set_offline(True)
        expect(page.get_by_test_id("upload-broken")).to_contain_text("The connection broke during the upload")
        page.context.set_offline(False)
    page.get_by_test_id("upload-again").click()
    expect(page.get_by_test_id("upload-broken")).to_have_count(0)
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-created")).to_have_text("100,000")


def test_after_a_reload_the_same_file_is_asked_for_and_the_draft_keeps_its_options(page: Page):
    content = catalogue(100_000, first=9_000_000)
    page.on("dialog", lambda dialog: dialog.accept())
    with slow(page):
        choose(page, content, "reloaded.csv")
        page.get_by_test_id("column-target").nth(2).select_option("ignore")
        expect(page.get_by_test_id("column-found").nth(2)).to_have_text("Chosen")
        page.reload()
        expect(page.get_by_test_id("upload-broken")).to_contain_text("Choose “reloaded.csv” again")
    page.get_by_test_id("upload-choose").locator("input").set_input_files(
        {"name": "reloaded.csv", "mimeType": "text/csv", "buffer": content}
    )
    expect(page.get_by_test_id("upload-broken")).to_have_count(0)
    expect(page.get_by_test_id("column-target").nth(2)).to_have_value("ignore")
    page.get_by_test_id("column-target").nth(2).select_option("description")
    expect(page.get_by_test_id("import-error")).to_have_count(0)
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")


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
    choose(page, csv_of("Left-1,Left,x"), "left.csv")
    wait_for(lambda: page.evaluate("1") and uploads, 30, "the file is being sent")
    with page.expect_event("dialog"):
        page.evaluate("setTimeout(() => location.reload(), 0)")
    assert asked == ["beforeunload"]
    uploads[0].abort()
    expect(page.get_by_test_id("upload-state")).to_contain_text("The connection broke")
    page.unroute("**/_upload")
    page.get_by_test_id("upload-again").click()
    expect(page.get_by_test_id("upload-state")).to_have_text("Uploaded")
    page.reload()
    expect(page.get_by_test_id("import-file")).to_be_visible()
    assert asked == ["beforeunload"]


def test_an_empty_catalogue_offers_samples_and_templates(page: Page, application: Application):
    application.empty()
    page.goto("/imports")
    for testid in ("template-csv", "template-xlsx"):
        with page.expect_download() as download:
            page.get_by_test_id(testid).click()
        assert download.value.path().stat().st_size > 0
    page.get_by_test_id("import-sample").click()
    expect(page.get_by_test_id("column-row").first).to_be_visible()
    page.get_by_test_id("import-start").click()
    arrived(page)
    expect(status(page)).to_have_text("completed")
    expect(page.get_by_test_id("import-rejected")).to_have_text("1")


def test_a_server_that_was_killed_takes_the_file_again(browser: Browser, own_servers: dict[str, str]):
    """The page says that the connection broke, and sends the file to the server that was started again."""
    started = Application(WORKERS="1", **own_servers)
    started.start()
    context = browser.new_context(base_url=started.url)
    page = context.new_page()
    try:
        with slow(page):
            choose(page, catalogue(100_000, first=3_000_000), "killed.csv")
            expect(page.get_by_test_id("column-row").first).to_be_visible()
            started.stop()
            expect(page.get_by_test_id("upload-broken")).to_contain_text("The connection broke during the upload")
        started.start()
        page.get_by_test_id("upload-again").click()
        expect(page.get_by_test_id("upload-broken")).to_have_count(0)
        page.get_by_test_id("import-start").click()
        arrived(page)
        expect(status(page)).to_have_text("completed")
    finally:
        context.close()
        started.stop()
        started.remove()
