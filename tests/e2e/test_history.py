"""The history of imports in a real browser: fixes stand below what they fix, and dry runs say what they would do."""

import pytest
from playwright.sync_api import Page, expect

from tests.application import Application
from tests.e2e.test_imports_page import csv_of, is_over, rows, upload
from tests.e2e.test_products_page import workers_stopped
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e


def upload_wrong(application: Application, name: str) -> str:
    """Import a file of one good row and one without a name, and return the id of the import."""
    return upload(application, csv_of(f"{name}-1,Mug,x", f"{name}-2,,x"), f"{name}.csv")


def fix(application: Application, job_id: str, name: str = "Cup") -> str:
    """Start an import of the rejected row with this name, and return its id; an empty name is rejected again."""
    edit = {"rows": [{"line": 3, "cells": {"name": name}}]}
    assert application.client.patch(f"/api/jobs/{job_id}/rows", json=edit).status_code == 200
    answer = application.client.post(f"/api/jobs/{job_id}/fix")
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def fixed(application: Application, job_id: str, name: str = "Cup") -> str:
    linked = fix(application, job_id, name)
    wait_for(lambda: is_over(application, linked), 90, "the import of the fixed row ends")
    return linked


def addresses(page: Page) -> list[str]:
    links = rows(page).locator("a[href^='/imports/']:not([data-testid=import-parent])")
    return [link.get_attribute("href") or "" for link in links.all()]


def test_imports_of_fixed_rows_stand_below_the_import_that_rejected_them(page: Page, application: Application):
    first = upload_wrong(application, "nested-a")
    again = fixed(application, first, " ")
    other = upload(application, csv_of("Nested-b,Mug,x"), "nested-b.csv")
    last = fixed(application, again)
    page.goto("/imports?q=nested-")
    expect(rows(page)).to_have_count(4)
    assert addresses(page) == [f"/imports/{job}" for job in (first, again, last, other)]
    for place, depth in enumerate("0120"):
        expect(rows(page).nth(place)).to_have_attribute("data-depth", depth)
    expect(rows(page).nth(1)).to_contain_text("Nothing was imported, 1 row needs you")
    expect(rows(page).nth(2)).to_contain_text("1 product imported")
    parent = rows(page).nth(1).get_by_test_id("import-parent")
    expect(parent).to_have_text("fixes of nested-a.csv")
    expect(page.get_by_test_id("import-parent")).to_have_count(2)
    parent.click()
    expect(page).to_have_url(f"{application.url}/imports/{first}")


def test_an_import_of_fixed_rows_links_to_a_parent_that_is_not_on_the_page(page: Page, application: Application):
    first = upload_wrong(application, "apart")
    with workers_stopped(application):
        linked = fix(application, first)
        assert application.client.post(f"/api/jobs/{linked}/cancel").status_code == 202
    page.goto("/imports?q=apart&status=cancelled")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_have_attribute("data-depth", "0")
    expect(rows(page).get_by_test_id("import-parent")).to_have_attribute("href", f"/imports/{first}")


def test_an_import_of_fixed_rows_is_shown_in_its_place_while_the_page_is_open(page: Page, application: Application):
    first = upload_wrong(application, "live-a")
    upload(application, csv_of("Live-b,Mug,x"), "live-b.csv")
    page.goto("/imports?q=live-")
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("live-b.csv")
    with workers_stopped(application):
        fix(application, first)
        page.get_by_test_id("news-show").click()
        expect(rows(page)).to_have_count(3)
        expect(rows(page).nth(1)).to_have_attribute("data-depth", "1")
        expect(rows(page).nth(1)).to_contain_text("pending")
    expect(rows(page).nth(1)).to_contain_text("1 product imported")
    expect(rows(page).nth(1)).to_have_attribute("data-depth", "1")


def test_a_dry_run_says_what_it_would_do_and_counts_nothing_as_done(page: Page, application: Application):
    upload(application, csv_of("Would-1,Mug,x", "Would-2,Mug,x"), "would-0.csv")
    content = csv_of("Would-1,Cup,x", "Would-2,Cup,x", "Would-3,Mug,x", "Would-4,,x")
    upload(application, content, "would-1.csv", dry_run="true")
    upload(application, csv_of("Would-1,Mug,x"), "would-2.csv", dry_run="true")
    page.goto("/imports?q=would-")
    expect(rows(page)).to_have_count(3)
    expect(rows(page).nth(0).get_by_test_id("import-outcome")).to_have_text("Would change nothing")
    expect(rows(page).nth(1).get_by_test_id("import-outcome")).to_have_text(
        "Would create 1 and update 2, 1 row needs you"
    )
    for label in ("Created", "Updated"):
        expect(rows(page).nth(1).locator(f"[data-label={label}]")).to_have_text("—")
    expect(rows(page).nth(2).locator("[data-label=Created]")).to_have_text("2")


def test_a_nested_import_is_readable_on_a_narrow_page(page: Page, application: Application):
    fixed(application, upload_wrong(application, "narrow"))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/imports?q=narrow")
    expect(rows(page)).to_have_count(2)
    boxes = [box for row in rows(page).all() if (box := row.bounding_box())]
    assert boxes[0]["x"] < boxes[1]["x"] and boxes[1]["x"] + boxes[1]["width"] <= 390
    link = rows(page).nth(1).get_by_test_id("import-parent").bounding_box()
    assert link and link["height"] >= 24
