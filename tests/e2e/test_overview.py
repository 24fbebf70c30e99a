"""The overview in a real browser: it shows how things are, and follows them."""

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.application import Application, catalogue
from tests.e2e.test_products_page import workers_stopped

pytestmark = pytest.mark.e2e
SECONDS = 30_000
WRONG = b"sku,name,description\n,Mug,x\n,Cup,x\nOV-1,,x\n"


def opened(page: Page) -> Page:
    page.goto("/")
    expect(page.get_by_test_id("overview-chart")).to_be_visible(timeout=SECONDS)
    return page


def number(page: Page, testid: str) -> int:
    return int(page.get_by_test_id(testid).inner_text().replace(",", ""))


def test_an_empty_catalogue_is_filled_from_the_first_page(page: Page, application: Application):
    application.empty()
    page.goto("/")
    expect(page.get_by_test_id("overview-products")).to_have_text("0", timeout=SECONDS)
    page.get_by_test_id("import-sample").click()
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("import-result")).to_contain_text("products imported")
    page.get_by_role("link", name="overview").first.click()
    expect(page.get_by_test_id("overview-products")).to_have_text("19")
    expect(page.get_by_test_id("import-sample")).to_have_count(0)


def test_the_numbers_follow_while_the_page_is_shown(page: Page, application: Application):
    application.finished(application.upload(catalogue(1, first=9_100_000)))
    opened(page)
    total = application.client.get("/api/products").json()["total"]
    # What is shown at first may be older than the first import: who counts this product has counted that, too.
    given = {"sku": "OV-FOLLOWED", "name": "Followed"}
    application.client.post("/api/products", json=given).raise_for_status()
    total += 1
    expect(page.get_by_test_id("overview-products")).to_have_text(f"{total:,}")
    completed, created = number(page, "overview-completed"), number(page, "overview-rows-created")
    application.finished(application.upload(catalogue(7, first=9_200_000), "follow.csv"))
    expect(page.get_by_test_id("overview-products")).to_have_text(f"{total + 7:,}")
    expect(page.get_by_test_id("overview-completed")).to_have_text(f"{completed + 1:,}")
    expect(page.get_by_test_id("overview-rows-created")).to_have_text(f"{created + 7:,}")
    newest = page.get_by_test_id("overview-import").first
    expect(newest).to_contain_text("7 products imported")
    newest.get_by_role("link", name="follow.csv").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("follow.csv")


def test_rejected_rows_are_counted_by_reason_and_lead_to_their_import(page: Page, application: Application):
    job_id = application.upload(WRONG, "reasons.csv")
    application.finished(job_id)
    opened(page)
    reason = page.get_by_test_id("overview-reason").filter(has_text="The SKU is missing")
    expect(reason).to_be_visible()
    item = page.get_by_test_id("overview-attention").filter(has_text="3 rows of reasons.csv were rejected")
    expect(item).to_be_visible()
    reason.get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"/imports/{job_id}"))
    page.go_back()
    item.get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"/imports/{job_id}"))


def test_what_needs_attention_leaves_when_it_is_settled(page: Page, application: Application):
    opened(page)
    attention = page.get_by_test_id("overview-attention")
    with workers_stopped(application):
        missing = attention.filter(has_text="No import worker is running")
        # A worker that was killed counts as alive until its last report is ten seconds old.
        expect(missing).to_be_visible(timeout=SECONDS)
        expect(missing).to_contain_text("product-importer worker")
        application.upload(catalogue(1), "waits.csv")
        expect(page.get_by_test_id("overview-waiting")).to_have_text("1 waiting")
        expect(page.get_by_test_id("overview-running")).to_have_text("0")
        page.get_by_test_id("overview-waiting").click()
        expect(page).to_have_url(re.compile(r"/imports\?status=pending$"))
        page.go_back()
    expect(missing).to_have_count(0, timeout=SECONDS)


def test_the_chart_says_what_it_shows(page: Page, application: Application):
    application.finished(application.upload(catalogue(5, first=9_300_000)))
    opened(page)
    expect(page.get_by_test_id("overview-chart")).to_have_attribute(
        "aria-label", re.compile(r"^Rows per day in the last 30 days: [\d,]+ created, .* Most on \d+ \w+: [\d,]+\.$")
    )
    expect(page.get_by_test_id("overview-chart").locator(".recharts-bar-rectangle").first).to_be_attached()


def test_the_days_are_those_of_the_reader(browser: Browser, application: Application):
    context = browser.new_context(base_url=application.url, timezone_id="Pacific/Auckland")
    page = opened(context.new_page())
    expect(page.get_by_text("Pacific/Auckland")).to_be_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_use_it(width: int, scheme: Literal["light", "dark"], page: Page, application: Application):
    application.finished(application.upload(WRONG, f"{'a-long-name-' * 12}.csv"))
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    opened(page)
    expect(page.get_by_test_id("overview-attention").first).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_old_address_of_the_products_keeps_its_filters(page: Page):
    page.goto("/?sku=none-such&sort=name")
    expect(page).to_have_url(re.compile(r"/products\?sku=none-such&sort=name$"))
    expect(page.get_by_test_id("filter-sku")).to_have_value("none-such")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_navigation_leads_to_every_page_at_any_width(width: int, page: Page):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/products")
    for name, path in (("Imports", "/imports"), ("Webhooks", "/webhooks"), ("Products", "/products")):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        expect(page).to_have_url(re.compile(f"{path}$"))
    page.get_by_role("link", name="overview").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
