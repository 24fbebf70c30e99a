"""What is chosen right before the click on “Import” is what is imported."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.e2e.test_drafts import begin, target
from tests.e2e.test_imports_page import choose, csv_of
from tests.e2e.test_products_page import database

pytestmark = pytest.mark.e2e


def test_a_name_typed_right_before_the_click_is_imported(page: Page, application):
    choose(page, csv_of("Late-1,Cup,,green", header="sku,name,description,colour"), "late.csv")
    target(page, "colour").select_option("named")
    name = page.get_by_test_id("column-attribute")
    expect(name).to_have_value("colour")
    name.fill("shade")
    begin(page)
    with database(application) as connection:
        found = connection.execute(text("SELECT attributes FROM product WHERE sku = 'Late-1'")).scalar()
    assert found == {"shade": "green"}
