"""Every page, dialog and state is accessible: axe, targets, widths, forced colours, and nothing moves while it loads.

What is looked at is in `page_states.STATES`.
"""

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from product_importer.ui import routes
from tests.application import Application
from tests.breaking_proxy import BreakingProxy
from tests.e2e.page_states import NARROW, PAGES, SECONDS, STATES, WIDE, made, opened, reached
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
HEIGHT = 900
NARROWEST = 320
MAX_SHIFT = 0.05
TARGET = 24
# Besides the rules that are on from the start, also those of WCAG 2.2.
RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}, "region": {"enabled": True}}}
# What dark colours can change.
OF_COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}
# WCAG 2.5.8 makes exceptions of links within a sentence, and of boxes whose label is large enough.
TARGETS = (
    "button, select, summary, [role=switch], [role=option], nav a, td a, "
    "input:not([type=hidden], [type=file], [type=checkbox], [type=radio])"
)
# A target that is too low or narrow; one that only screen readers see is no target.
SMALL = """([targets, least]) => [...document.querySelectorAll(targets)].filter((target) => {
    const { width, height } = target.getBoundingClientRect();
    return target.checkVisibility({ visibilityProperty: true }) && width > 1 && height > 1
        && Math.min(width, height) < least;
}).map((target) => target.outerHTML)"""
TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll("dialog[open]")]
    .filter((element) => element.scrollWidth > element.clientWidth).map((element) => element.tagName)"""
SHIFT = """() => new Promise((done) => {
    let sum = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 0)));
})"""


@pytest.fixture(scope="module")
def ids(application: Application) -> dict[str, str]:
    """What the addresses of `STATES` name."""
    return made(application)


# The first test of the file: the others need products.
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("address", [routes.OVERVIEW, routes.PRODUCTS])
def test_a_page_of_an_empty_catalogue_is_accessible(address: str, width: int, page: Page, application: Application):
    application.empty()
    page.set_viewport_size({"width": width, "height": HEIGHT})
    assert_accessible(opened(page, address), f"empty {address}", width)


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_nothing_moves_while_it_loads(
    name: str, width: int, page: Page, ids: dict[str, str]
):
    page.set_viewport_size({"width": width, "height": HEIGHT})
    reached(page, name, ids)
    assert page.evaluate(SHIFT) < MAX_SHIFT
    assert_accessible(page, name, width)


@pytest.mark.parametrize("name", [name for name in STATES if name not in PAGES])
def test_a_state_is_accessible(name: str, page: Page, ids: dict[str, str]):
    page.emulate_media(reduced_motion="reduce")
    for width in STATES[name].widths:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if width == STATES[name].widths[0]:
            reached(page, name, ids)
        assert_accessible(page, name, width)


def assert_accessible(page: Page, name: str, width: int) -> None:
    """Look at the page in both colour schemes; where something is found, say in which state."""
    in_colours(page, "light")
    assert_nothing_of_axe(page, f"{name}, {width}, light")
    in_colours(page, "dark")
    assert_nothing_of_axe(page, f"{name}, {width}, dark", OF_COLOURS)
    assert page.evaluate(SMALL, [TARGETS, TARGET]) == []
    if width == NARROW:
        page.set_viewport_size({"width": NARROWEST, "height": HEIGHT})
    # Charts follow the window's width a moment later.
    wait_for(lambda: not page.evaluate(TOO_WIDE), 30, f"{name} is not too wide: {page.evaluate(TOO_WIDE)}")


def in_colours(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Show the page in light or dark colours, without motion."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator("html")).to_have_class(re.compile(scheme))


def assert_nothing_of_axe(page: Page, name: str, rules: dict[str, Any] = RULES) -> None:
    found = Axe().run(page, options=rules)
    assert found.violations_count == 0, f"{name}\n{found.generate_report()}"


def test_forced_colours_show_switches_bars_and_what_is_selected(
    browser: Browser, application: Application, ids: dict[str, str]
):
    context = browser.new_context(base_url=application.url, forced_colors="active", reduced_motion="reduce")
    page = opened(context.new_page(), routes.PRODUCTS)
    switch = page.get_by_role("switch").first
    on = colours(switch)
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false", timeout=SECONDS)
    off = colours(switch)
    assert on[0] != off[0]
    assert all(len({track, knob, "rgba(0, 0, 0, 0)"}) == 3 for track, knob in (on, off))
    reached(page, "import", ids)
    part = page.get_by_test_id("import-progress").locator("> div").first
    assert colour(part.locator("div")) not in {colour(part), "rgba(0, 0, 0, 0)"}
    assert part.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    reached(page, "palette", ids)
    selected = page.locator("[cmdk-item][data-selected=true]")
    assert selected.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    context.close()


def colours(switch: Locator) -> tuple[str, str]:
    """Return the colours of a switch's track and knob."""
    return colour(switch), colour(switch, "::before")


def colour(element: Locator, part: str | None = None) -> str:
    """Return the background of an element, or of a part such as `::before`."""
    return str(element.evaluate("(element, part) => getComputedStyle(element, part).backgroundColor", part))


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_banner_of_a_lost_connection_is_accessible(
    width: int, browser: Browser, application: Application, ids: dict[str, str]
):
    proxy = BreakingProxy(application.url)
    settings: dict[str, Any] = {"viewport": {"width": width, "height": HEIGHT}}
    context = browser.new_context(base_url=proxy.url, **settings)
    page = opened(context.new_page(), routes.PRODUCTS)
    # The grid has code of its own, which comes over the connection, too.
    expect(page.get_by_test_id("product-row").first).to_be_visible(timeout=SECONDS)
    proxy.cut()
    expect(page.get_by_test_id("connection")).to_contain_text("Connection lost", timeout=SECONDS)
    assert_accessible(page, "connection lost", width)
    proxy.mend()
    expect(page.get_by_test_id("connection")).to_contain_text("Connected again", timeout=SECONDS)
    assert_nothing_of_axe(page, "connected again")
    context.close()
    proxy.end()
