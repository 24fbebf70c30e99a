"""The result of an import, and the history, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.e2e.test_imports_page import csv_of, rows, start, status, upload
from tests.e2e.test_products_page import expect_query, workers_stopped
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

WRONG = ("Result-3,Cup,x,perhaps", ",Without SKU,x,yes", ",Neither,x,yes")
HEADER = "sku,name,description,active"
# Keeps what messages say: they go by themselves.
NOTE_MESSAGES = """() => {
    window.messages = [];
    const note = () => document.querySelectorAll("[data-sonner-toast]").forEach(
        (message) => window.messages.push(message.textContent)
    );
    new MutationObserver(note).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


def test_a_result_says_what_went_in_and_what_needs_you(page: Page, application: Application):
    job_id = upload(
        application, csv_of("Result-1,Mug,x,yes", "Result-2,Mug,x,yes", *WRONG, header=HEADER), "result.csv"
    )
    page.goto(f"/imports/{job_id}")
    result = page.get_by_test_id("import-result")
    expect(result).to_have_text("2 products imported, 3 rows need you")
    expect(result).to_have_attribute("data-tone", "warning")
    expect(status(page)).to_have_text("completed")
    expect(status(page)).to_have_attribute("data-tone", "warning")
    reasons = page.get_by_test_id("check-reason")
    expect(reasons.first).to_contain_text("The SKU is missing")
    expect(reasons.first).to_contain_text("2 rows")
    rejected = page.get_by_test_id("grid-row")
    expect(rejected).to_have_count(3)
    expect(rejected.first.locator("[data-problem]")).to_contain_text("“perhaps” is no word for active or inactive")
    expect(rejected.nth(1).locator("[data-problem]")).to_contain_text("The SKU is empty.")
    in_order = ["Fix the rows", "View the new products", "Undo until", "Download the rejected rows", "Import again"]
    expect(page.get_by_test_id("import-actions").locator("button, a")).to_contain_text(in_order)
    page.get_by_test_id("import-products").click()
    expect(page.get_by_test_id("products-total")).to_have_text("2")
    expect_query(page, {"import": [job_id]})
    expect(page.get_by_test_id("product-row").first).to_contain_text("Result-2")
    page.get_by_test_id("filter-clear").click()
    expect(page).to_have_url(f"{application.url}/products")


def test_an_import_of_which_nothing_went_in_is_red(page: Page, application: Application):
    job_id = upload(application, csv_of(*WRONG, header=HEADER), "all-wrong.csv")
    page.goto(f"/imports/{job_id}")
    result = page.get_by_test_id("import-result")
    expect(result).to_have_text("Nothing was imported, 3 rows need you")
    expect(result).to_have_attribute("data-tone", "bad")
    expect(page.get_by_test_id("import-products")).to_have_count(0)
    page.goto("/imports?q=all-wrong.csv")
    expect(rows(page)).to_contain_text("Nothing was imported, 3 rows need you")
    expect(rows(page).locator("[data-tone]")).to_have_attribute("data-tone", "bad")


def test_an_import_without_problems_is_green_and_shows_no_zeros(page: Page, application: Application):
    job_id = upload(application, csv_of("Well-1,Mug,x"), "well.csv")
    page.goto(f"/imports/{job_id}")
    expect(page.get_by_test_id("import-result")).to_have_attribute("data-tone", "good")
    expect(page.get_by_test_id("import-created")).to_be_visible()
    expect(page.get_by_test_id("import-rejected")).to_have_text("0")
    expect(page.get_by_test_id("import-rejected")).to_be_hidden()
    expect(page.get_by_test_id("import-rows")).to_have_count(0)
    expect(page.get_by_test_id("import-undo")).to_have_text(re.compile(r"Undo until .*\d"))
    expect(page.get_by_test_id("import-checksum")).to_be_hidden()
    page.get_by_test_id("import-details").click()
    expect(page.get_by_test_id("import-checksum")).to_have_text(application.job(job_id)["sha256"])
    page.get_by_test_id("import-again").click()
    expect(page.get_by_test_id("import-file")).to_be_visible()


def test_the_tabs_title_has_the_percent_while_the_import_runs(page: Page, application: Application):
    with workers_stopped(application):
        start(page, csv_of("Title-1,Mug,x"), "titled-tab.csv")
        expect(page).to_have_title("0 % titled-tab.csv · Product Importer")
    expect(page).to_have_title("titled-tab.csv · Product Importer")


def test_imports_of_others_appear_and_say_how_they_ended(page: Page, application: Application):
    page.goto("/imports?q=others-")
    expect(page.get_by_text("No import matches")).to_be_visible()
    with workers_stopped(application):
        application.upload(csv_of("Others-1,Mug,x", ",Without SKU,x"), "others-1.csv")
        expect(rows(page)).to_contain_text("pending")
        page.evaluate(NOTE_MESSAGES)
    expect(rows(page)).to_contain_text("1 product imported, 1 row needs you")
    said = "1 product imported, 1 row needs you"
    wait_for(lambda: said in page.evaluate("window.messages.join()"), 30, f"a message says: {said}")


def test_the_history_is_filtered_by_status_in_the_address(page: Page, application: Application):
    upload(application, csv_of("Status-1,Mug,x"), "status-1.csv")
    upload(application, csv_of("Status-1,Other,x", "Status-2,Mug,x"), "status-2.csv", dry_run="true")
    page.goto("/imports?q=status-")
    expect(rows(page)).to_have_count(2)
    page.get_by_test_id("imports-status").select_option("previewed")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("Would create 1 and update 1")
    expect(page).to_have_url(f"{application.url}/imports?q=status-&status=previewed")
    page.reload()
    expect(page.get_by_test_id("imports-status")).to_have_value("previewed")
    expect(rows(page)).to_have_count(1)
    page.get_by_test_id("imports-search").fill("status-1")
    expect(page.get_by_text("No import matches")).to_be_visible()
    page.get_by_role("button", name="Show all imports").click()
    expect(page.get_by_test_id("imports-status")).to_have_value("")
