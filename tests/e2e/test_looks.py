"""What the look must not lose: focus, addresses, targets that can be hit, and colours that the reader has chosen."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from product_importer.ui import routes
from tests.application import Application, catalogue

pytestmark = pytest.mark.e2e
SECONDS = 30_000
WIDTHS = (1280, 390)
TARGET = 24
# Links within a sentence need no such size.
TARGETS = "button, select, input:not([type=hidden], [type=checkbox], [type=radio]), td a, nav a, [role=switch]"
SHIFT = """() => new Promise(resolve => new PerformanceObserver(list => resolve(
    list.getEntries().reduce((sum, entry) => sum + entry.value, 0))).observe({type: "layout-shift", buffered: true})
    || setTimeout(() => resolve(0), 500))"""


@pytest.fixture(scope="module", autouse=True)
def products(application: Application) -> None:
    """Some products, and the import that made them."""
    application.finished(application.upload(catalogue(30)))


def opened(page: Page, address: str) -> Page:
    """Open a page and wait until its list is there."""
    page.goto(address)
    expect(page.get_by_test_id("loading")).to_have_count(0, timeout=SECONDS)
    return page


def test_skipping_to_the_content_keeps_the_filters_and_moves_the_focus(page: Page):
    opened(page, "/?name=a&sort=sku")
    expect(page.get_by_test_id("product-row").first).to_be_visible(timeout=SECONDS)
    address = page.url
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    assert page.url == address
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("products-import")).to_be_focused()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("address", [routes.PRODUCTS, routes.WEBHOOKS, routes.AUDIT])
def test_targets_can_be_hit(address: str, width: int, page: Page):
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, address)
    small = [target for target in page.locator(TARGETS).all() if target.is_visible() and is_small(target)]
    assert [target.evaluate("element => element.outerHTML") for target in small] == []


def is_small(target: Locator) -> bool:
    """Return whether a target is too low or narrow."""
    box = target.bounding_box()
    return box is not None and min(box["width"], box["height"]) < TARGET


def test_forced_colours_show_whether_a_switch_is_on(browser: Browser, application: Application):
    context = browser.new_context(base_url=application.url, forced_colors="active", reduced_motion="reduce")
    page = opened(context.new_page(), "/")
    switch = page.get_by_role("switch").first
    expect(switch).to_have_attribute("aria-checked", "true", timeout=SECONDS)
    on = colours(switch)
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false", timeout=SECONDS)
    off = colours(switch)
    context.close()
    assert on[0] != off[0]
    assert all(track != knob for track, knob in (on, off))


def colours(switch: Locator) -> tuple[str, str]:
    """Return the colours of a switch's track and knob."""
    track, knob = switch.evaluate(
        "element => [null, '::before'].map(part => getComputedStyle(element, part).backgroundColor)"
    )
    return track, knob


@pytest.mark.parametrize("address", [routes.PRODUCTS, routes.IMPORTS, routes.WEBHOOKS, routes.AUDIT])
def test_nothing_moves_while_a_page_loads(address: str, page: Page):
    opened(page, address)
    assert page.evaluate(SHIFT) < 0.1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(width: int, scheme: Literal["light", "dark"], page: Page):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for address in (routes.PRODUCTS, routes.WEBHOOKS, routes.TOKENS, routes.ACCOUNT, routes.AUDIT):
        found = Axe().run(opened(page, address))
        assert found.violations_count == 0, found.generate_report()
