"""The page of the record in a real browser."""

import csv
import re

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application

pytestmark = pytest.mark.e2e
SECONDS = 30_000
expect.set_options(timeout=SECONDS)

HOSTILE = "<img src=x onerror=\"document.title='taken over'\">"


@pytest.fixture
def product(application: Application) -> dict:
    """A product that was changed by REST; its name is hostile."""
    application.empty()
    given = {"sku": "MUG-1", "name": "Mug", "attributes": {"colour": "red"}}
    made = application.client.post("/api/products", json=given).json()
    changed = {"name": HOSTILE, "attributes": {"colour": "blue"}}
    application.client.patch(f"/api/products/{made['id']}", json=changed)
    return made


def test_an_entry_shows_what_was_changed(page: Page, product: dict):
    page.goto(f"/audit?object_id={product['id']}")
    rows = page.get_by_test_id("audit-row")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Product updated")
    rows.first.get_by_test_id("audit-details").click()
    changes = page.get_by_test_id("audit-change")
    expect(changes.filter(has_text="Name").get_by_role("cell")).to_have_text(["Mug", HOSTILE])
    expect(changes.filter(has_text="Attribute “colour”").get_by_role("cell")).to_have_text(["red", "blue"])
    expect(page).to_have_title("Record · Product Importer")
    rows.first.get_by_test_id("audit-details").click()
    expect(page.get_by_test_id("audit-entry")).to_have_count(0)


def test_filters_are_in_the_address_and_in_the_download(page: Page, product: dict, tmp_path):
    page.goto("/audit")
    expect(page.get_by_test_id("audit-row").first).to_contain_text("Product updated")
    page.get_by_test_id("filter-action").select_option("product_created")
    expect(page.get_by_test_id("audit-row").filter(has_not_text="Product created")).to_have_count(0)
    page.get_by_test_id("audit-row").first.get_by_test_id("audit-details").click()
    page.get_by_test_id("audit-filter-object").click()
    expect(page.get_by_test_id("audit-total")).to_have_text("2")
    expect(page).to_have_url(re.compile(rf"object_id={product['id']}"))
    page.get_by_test_id("filter-until").fill("2020-01-01")
    expect(page.get_by_text("No entry matches")).to_be_visible()
    expect(page).to_have_url(re.compile("until=2020-01-01"))
    page.go_back()
    expect(page.get_by_test_id("audit-total")).to_have_text("2")
    page.reload()
    expect(page.get_by_test_id("audit-object")).to_contain_text(product["id"])
    with page.expect_download() as started:
        page.get_by_test_id("audit-export").click()
    started.value.save_as(tmp_path / "audit.csv")
    with (tmp_path / "audit.csv").open(newline="") as file:
        assert [row["action"] for row in csv.DictReader(file)] == ["product_updated", "product_created"]
    page.get_by_test_id("filter-clear").click()
    expect(page).to_have_url(re.compile(r"/audit$"))


def test_the_form_of_a_product_says_which_import_changed_it_last(page: Page, application: Application, product: dict):
    page.goto("/products?sku=MUG-1")
    page.get_by_test_id("product-edit").click()
    expect(page.get_by_test_id("product-last-change")).to_have_text(re.compile(r"^Last changed, \S"))
    page.keyboard.press("Escape")
    job_id = application.upload(b"sku,name,description\nMUG-1,Cup,x\n", "spring.csv")
    application.finished(job_id)
    page.get_by_test_id("product-edit").click()
    last = page.get_by_test_id("product-last-change")
    expect(last).to_have_text(re.compile("^Last changed by the import of “spring.csv”, "))
    last.get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"/imports/{job_id}"))
