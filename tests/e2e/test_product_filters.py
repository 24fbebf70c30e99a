"""Search and filter products on the real page in a real browser: wide and narrow, by keyboard, back and forth."""

from collections.abc import Iterator
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from product_importer.ui import routes
from tests.application import Application

pytestmark = pytest.mark.e2e
SECONDS = 30_000
expect.set_options(timeout=SECONDS)

HOSTILE = ("a.b", "<reflex.Var>1</reflex.Var>", "__proto__", "%", '"); window.ran = 1; ("', "${1}`", "x&y=z", "größe")


@pytest.fixture(scope="module", autouse=True)
def products(application: Application) -> Iterator[None]:
    """A few products with attributes, some of which have odd names."""
    for number in range(12):
        colour = ("Teal", "Türkis", "50% grey")[number % 3]
        given = {"colour": colour, "size": "L" if number < 6 else "XL"} | dict.fromkeys(HOSTILE[:number], "odd")
        fields = {"sku": f"Filter-{number:02}", "name": f"Lamp {number}", "description": "Filterable"}
        answer = application.client.post("/api/products", json=fields | {"attributes": given})
        assert answer.status_code == 201, answer.text
    yield
    application.empty()


def opened(page: Page, parameters: str = "") -> Page:
    page.goto(f"{routes.PRODUCTS}{parameters}")
    expect(total(page)).not_to_have_text("–")
    return page


def total(page: Page) -> Locator:
    return page.get_by_test_id("products-total")


def attribute(page: Page, name: str) -> Locator:
    return page.get_by_test_id("product-filters").get_by_label(name, exact=True)


def expect_query(page: Page, expected: dict[str, str]) -> None:
    page.wait_for_url(lambda url: dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)) == expected)


def add_attribute(page: Page, name: str) -> None:
    """Add the filter of an attribute by keyboard; its field has the focus then."""
    page.get_by_test_id("attribute-filter-add").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("attribute-filter-name")).to_be_focused()
    page.keyboard.insert_text(name)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("attribute-filter-name")).to_be_hidden()
    expect(attribute(page, name)).to_be_focused()


def test_the_fields_are_there_right_after_loading(page: Page):
    opened(page)
    search = page.get_by_test_id("search")
    expect(search).to_have_attribute("placeholder", "Search SKU, name, description")
    expect(search).to_have_attribute("data-shortcut", "search")
    for name in ("filter-sku", "filter-name", "filter-description", "filter-active"):
        expect(page.get_by_test_id(name)).to_be_visible()
    expect(page.get_by_test_id("filters-fold")).to_be_hidden()


def test_one_field_searches_all_texts_and_says_what_is_listed(page: Page):
    opened(page)
    search = page.get_by_test_id("search")
    search.press_sequentially("filter-0", delay=15)
    expect(total(page)).to_have_text("10")
    expect(page.get_by_role("status").filter(has_text="products")).to_have_text(
        "10 products with “filter-0” in SKU, name or description"
    )
    search.fill("LAMP 1")
    expect(total(page)).to_have_text("3")
    expect_query(page, {"q": "LAMP 1"})
    page.get_by_test_id("filter-sku").fill("11")
    expect(total(page)).to_have_text("1")
    expect_query(page, {"q": "LAMP 1", "sku": "11"})
    page.reload()
    expect(search).to_have_value("LAMP 1")
    expect(total(page)).to_have_text("1")
    page.get_by_test_id("filter-clear").click()
    expect(search).to_have_value("")
    expect_query(page, {})


def test_typing_loses_no_character_while_answers_arrive(page: Page):
    opened(page)
    search, typed = page.get_by_test_id("search"), ""
    for part in ("Fi", "lter", "-", "1", "1"):
        search.press_sequentially(part)
        typed += part
        # The answer to this part is on the page before the next one is typed.
        expect_query(page, {"q": typed})
        expect(search).to_have_value(typed)
    expect(total(page)).to_have_text("1")


@pytest.mark.parametrize("width", [1280, 390])
def test_products_are_filtered_by_attributes_and_by_keyboard(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 844})
    opened(page, "?q=filter-")
    if width < 720:
        expect(page.get_by_test_id("filter-sku")).to_be_hidden()
        page.get_by_test_id("filters-fold").press("Enter")
        expect(page.get_by_test_id("filters-fold")).to_have_attribute("aria-expanded", "true")
        expect(page.get_by_test_id("filter-sku")).to_be_visible()
    add_attribute(page, "colour")
    expect(total(page)).to_have_text("12")
    page.keyboard.type("tür")
    expect(total(page)).to_have_text("4")
    expect_query(page, {"q": "filter-", "attribute.colour": "tür"})
    add_attribute(page, "size")
    page.keyboard.type("XL")
    expect(total(page)).to_have_text("2")
    expect_query(page, {"q": "filter-", "attribute.colour": "tür", "attribute.size": "XL"})
    if width < 720:
        expect(page.get_by_test_id("filters-fold")).to_have_text("Filters (2)")
    page.reload()
    expect(total(page)).to_have_text("2")
    if width < 720:
        expect(page.get_by_test_id("filters-fold")).to_have_attribute("aria-expanded", "true")
    expect(attribute(page, "colour")).to_have_value("tür")
    expect(attribute(page, "size")).to_have_value("XL")
    page.get_by_role("button", name="Remove the filter colour").press("Enter")
    expect(attribute(page, "colour")).to_have_count(0)
    expect(total(page)).to_have_text("6")
    expect_query(page, {"q": "filter-", "attribute.size": "XL"})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_two_attributes_are_filled_without_a_pause(page: Page):
    opened(page, "?attribute.colour=&attribute.size=")
    expect(total(page)).to_have_text("12")
    attribute(page, "colour").fill("teal")
    attribute(page, "size").fill("xl")
    expect(total(page)).to_have_text("2")
    expect_query(page, {"attribute.colour": "teal", "attribute.size": "xl"})


def test_going_back_and_forth_brings_filters_and_their_texts(page: Page):
    opened(page, "?sku=filter-")
    expect(total(page)).to_have_text("12")
    page.get_by_test_id("search").fill("lamp 1")
    expect(total(page)).to_have_text("3")
    expect_query(page, {"sku": "filter-", "q": "lamp 1"})
    add_attribute(page, "colour")
    expect_query(page, {"sku": "filter-", "q": "lamp 1", "attribute.colour": ""})
    page.keyboard.type("türkis")
    expect(total(page)).to_have_text("2")
    expect_query(page, {"sku": "filter-", "q": "lamp 1", "attribute.colour": "türkis"})
    page.go_back()
    expect(total(page)).to_have_text("3")
    expect(attribute(page, "colour")).to_have_value("")
    page.go_back()
    expect(attribute(page, "colour")).to_have_count(0)
    expect(page.get_by_test_id("search")).to_have_value("lamp 1")
    page.go_back()
    expect(total(page)).to_have_text("12")
    expect(page.get_by_test_id("search")).to_have_value("")
    for _ in range(3):
        page.go_forward()
    expect(attribute(page, "colour")).to_have_value("türkis")
    expect(total(page)).to_have_text("2")


def test_known_attributes_are_suggested(page: Page, application: Application):
    opened(page)
    page.get_by_test_id("attribute-filter-add").click()
    suggested = page.locator("#attribute-names option")
    expect(suggested).not_to_have_count(0)
    # Of a large catalogue a sample is read: which names it has is not certain, but that there are such products.
    for name in suggested.evaluate_all("options => options.map(option => option.value)")[:3]:
        assert application.client.get("/api/products", params={f"attribute.{name}": ""}).json()["total"]
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("attribute-filter-name")).to_be_hidden()
    expect(page.get_by_test_id("attribute-filter-add")).to_be_focused()


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_names_of_attributes_are_only_names(page: Page, name: str):
    opened(page)
    add_attribute(page, name)
    expected = str(12 - HOSTILE.index(name) - 1)
    expect(total(page)).to_have_text(expected)
    page.keyboard.type("ODD")
    expect_query(page, {f"attribute.{name}": "ODD"})
    expect(total(page)).to_have_text(expected)
    page.reload()
    expect(attribute(page, name)).to_have_value("ODD")
    expect(total(page)).to_have_text(expected)
    page.get_by_test_id("filter-attribute-remove").click()
    expect(page.get_by_test_id("filter-attribute")).to_have_count(0)
    expect_query(page, {})
    assert page.evaluate("window.ran") is None


def test_a_filter_that_cannot_be_is_explained(page: Page):
    opened(page, "?" + "&".join(f"attribute.a{number}=" for number in range(9)))
    add_attribute(page, "a9")
    page.get_by_test_id("attribute-filter-add").click()
    field, fault = page.get_by_test_id("attribute-filter-name"), page.get_by_test_id("attribute-filter-fault")
    expect(field).to_be_focused()
    for name, reason in (
        ("", "must not be blank"),
        ("SKU", "another column"),
        (" a1 ", "filtered already"),
        ("a10", "At most 10"),
    ):
        field.fill(name)
        page.keyboard.press("Enter")
        expect(fault).to_contain_text(reason)
    expect(field).to_have_attribute("aria-invalid", "true")
    page.goto(f"{routes.PRODUCTS}?attribute.colour={'x' * 1_001}&attribute.sku=1&attribute.size=XL&attribute.=")
    expect(total(page)).to_have_text("6")
    expect(page.get_by_test_id("filter-attribute")).to_have_count(1)
    attribute(page, "size").fill("x" * 1_001)
    expect(page.get_by_test_id("products-problem")).to_contain_text("The filter “size” is too long.")


def test_the_filtered_products_are_exported(page: Page):
    opened(page, "?attribute.a.b=odd&attribute.colour=teal")
    expect(total(page)).to_have_text("3")
    page.get_by_test_id("products-export").click()
    with page.expect_download() as download:
        page.get_by_test_id("export-csv").click()
    assert len(download.value.path().read_text().splitlines()) == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_filters(page: Page, width: int, scheme: Literal["light", "dark"]):
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    opened(page, "?q=lamp&attribute.colour=teal&attribute.size=")
    if width < 720:
        page.get_by_test_id("filters-fold").click()
    expect(page.get_by_test_id("filter-attribute")).to_have_count(2)
    page.get_by_test_id("attribute-filter-add").click()
    page.get_by_test_id("attribute-filter-save").click()
    expect(page.get_by_test_id("attribute-filter-fault")).not_to_be_empty()
    box = page.get_by_test_id("attribute-filter").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= width
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
