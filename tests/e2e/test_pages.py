"""The pages in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from product_importer.imports.models import FINAL
from tests.application import Application, catalogue
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
SECONDS = 30_000


def number(page: Page, testid: str) -> int:
    text = page.get_by_test_id(testid).inner_text()
    return int(re.sub(r"[^0-9]", "", text))


def drop(page: Page, content: bytes, name: str = "catalogue.csv") -> None:
    page.goto("/imports")
    # It is seen when the server has answered. Before, no script may take the file.
    expect(page.get_by_test_id("import-file")).to_be_visible(timeout=SECONDS)
    chooser = page.get_by_test_id("import-file").locator("input[type=file]")
    chooser.set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_test_id("import-start").click()


def test_a_file_is_imported_with_a_moving_progress_bar(page: Page, application: Application):
    before = application.client.get("/api/products").json()["total"]
    drop(page, catalogue(300_000, first=1_000_000) + b",nameless,\n")
    bar = page.get_by_test_id("import-progress")
    expect(bar).to_have_attribute("role", "progressbar", timeout=SECONDS)
    seen = set()
    while page.get_by_test_id("import-status").inner_text() not in FINAL:
        seen.add(float(bar.get_attribute("aria-valuenow") or 0))
    expect(page.get_by_test_id("import-status")).to_have_text("completed")
    expect(bar).to_have_attribute("aria-valuenow", "100")
    assert len(seen) > 2, f"the bar did not move: {seen}"
    assert (number(page, "import-total"), number(page, "import-processed")) == (300_001, 300_001)
    assert (number(page, "import-created"), number(page, "import-rejected")) == (300_000, 1)
    page.goto("/products")
    expect(page.get_by_test_id("products-total")).to_have_text(f"{before + 300_000:,}", timeout=SECONDS)


def test_rejected_rows_are_downloaded_from_the_page(page: Page, application: Application):
    job_id = application.upload(b"sku,name,description\n,nameless,\n")
    application.finished(job_id)
    page.goto(f"/imports/{job_id}")
    with page.expect_download(timeout=SECONDS) as download:
        page.get_by_role("link", name="Download").click()
    assert "no_sku" in download.value.path().read_text()


def test_a_page_opened_late_or_reloaded_shows_the_current_state(page: Page, application: Application):
    job_id = application.upload(catalogue(300))
    application.finished(job_id)
    for _ in range(2):
        page.goto(f"/imports/{job_id}")
        expect(page.get_by_test_id("import-status")).to_have_text("completed", timeout=SECONDS)
        assert number(page, "import-total") == 300


def test_metrics_are_served_on_the_port_of_the_page(application: Application):
    answer = application.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    # The application is ready before the worker of webhooks is.
    shown = 'product_importer_workers{queue="webhooks"} 1.0'
    wait_for(lambda: shown in application.client.get("/metrics").text, 30, "the worker of webhooks is counted")


@pytest.mark.parametrize(
    "path", ["/api/jobs/%0A", "/api/products/a%0Ab", "/api/jobs/%0D%0Aa", "/products%0A", "/a%0Ab"]
)
def test_a_path_with_a_line_break_gets_a_problem_on_every_route(application: Application, path: str):
    answer = application.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"sku,price\n1,2\n", "name, description"), (b"", "empty"), (b"\x89PNG\r\n\x1a\n", "UTF-8")],
)
def test_a_bad_file_is_rejected_on_the_page_and_nothing_is_left(
    page: Page, application: Application, content: bytes, words: str
):
    before = application.client.get("/api/jobs").json()["total"]
    drop(page, content, "bad.csv")
    expect(page.get_by_test_id("import-error")).to_contain_text(words, timeout=SECONDS)
    assert application.client.get("/api/jobs").json()["total"] == before
    # The error may be known before the whole file has come.
    wait_for(lambda: not list((application.data / "uploads").glob("*.part")), 30, "nothing is left")


def test_products_are_paged_and_filtered(page: Page, application: Application):
    application.finished(application.upload(catalogue(130, name="Filterable", first=2_000_000)))
    page.goto("/products")
    # What is typed before is not noticed.
    expect(page.get_by_test_id("product-new")).to_be_enabled(timeout=SECONDS)
    page.get_by_test_id("filter-name").fill("filterable")
    # There may be no other products: then their number does not say that they are filtered.
    expect(page).to_have_url(re.compile("name=filterable"), timeout=SECONDS)
    expect(page.get_by_test_id("products-total")).to_have_text("130", timeout=SECONDS)
    expect(page.get_by_test_id("product-row")).to_have_count(50)
    # The second click need not wait for the page of the first one.
    page.get_by_test_id("page-next").dblclick()
    pager = page.get_by_role("navigation", name="Pages", exact=True)
    expect(pager).to_contain_text("Page 3 of", timeout=SECONDS)
    expect(page.get_by_test_id("product-row")).to_have_count(30, timeout=SECONDS)
    expect(page.get_by_test_id("page-next")).to_be_disabled()
    page.get_by_test_id("page-previous").click()
    expect(page.get_by_test_id("product-row")).to_have_count(50, timeout=SECONDS)
    page.get_by_test_id("filter-sku").fill("sku-2000007")
    expect(page.get_by_test_id("products-total")).to_have_text("1", timeout=SECONDS)
    page.get_by_test_id("filter-active").select_option("false")
    expect(page.get_by_test_id("products-total")).to_have_text("0", timeout=SECONDS)
    page.reload()
    expect(page.get_by_test_id("filter-name")).to_have_value("filterable", timeout=SECONDS)


@pytest.mark.parametrize("path", ["/products", "/imports", "/audit"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_scrolls_sideways(page: Page, application: Application, path: str, width: int):
    application.finished(application.upload(catalogue(10, name="A rather long name " * 9)))
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path)
    expect(page.locator("table, [data-testid=products-table]")).to_be_visible(timeout=SECONDS)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_api_docs_load_nothing_from_other_servers(page: Page, application: Application):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/api/docs")
    expect(page.get_by_text("/api/products/{product_id}").first).to_be_visible(timeout=SECONDS)
    assert len(asked) > 3 and [url for url in asked if not url.startswith((application.url, "data:"))] == []
