"""Work by keyboard alone: palette, shortcuts, and a focus that is never lost."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import FileChooser, Page, expect

from product_importer.ui import routes
from tests.application import Application, catalogue
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e
SECONDS = 30_000
# What the focus must never be on after an action: then Tab begins at the top of the page again.
FOCUSED = "document.activeElement === document.body ? 'body' : document.activeElement.outerHTML"


@pytest.fixture(scope="module", autouse=True)
def products(application: Application) -> str:
    """Some products, and the import that made them; its id."""
    job_id = application.upload(catalogue(120, name="Keyboard", first=8_900_000), "keyboard.csv")
    application.finished(job_id)
    return job_id


def opened(page: Page, address: str) -> Page:
    """Open a page, and wait until it takes clicks."""
    page.goto(address)
    expect(page.get_by_test_id("loading")).to_have_count(0, timeout=SECONDS)
    expect(page.locator("button:disabled", has_text="New ")).to_have_count(0, timeout=SECONDS)
    # What depends on the role is not seen before the server has answered. Until then no script may listen to keys.
    expect(page.locator("main .contents.invisible")).to_have_count(0, timeout=SECONDS)
    return page


def heading(page: Page, name: str) -> None:
    """Wait for a page, and that its heading has the focus."""
    expect(page.get_by_role("heading", level=1, name=name)).to_be_focused(timeout=SECONDS)


def open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("palette-input")).to_be_focused(timeout=SECONDS)


def test_shortcuts_lead_to_each_page_and_focus_its_heading(page: Page):
    opened(page, routes.WEBHOOKS)
    for keys, name in (("go", "Overview"), ("gp", "Products"), ("gi", "Imports"), ("gw", "Webhooks")):
        page.keyboard.type(keys)
        heading(page, name)


def test_n_begins_something_new_and_slash_searches(page: Page):
    opened(page, routes.PRODUCTS)
    page.keyboard.press("/")
    expect(page.locator("[data-shortcut=search]")).to_be_focused()
    page.keyboard.type("gn?")
    expect(page.locator("[data-shortcut=search]")).to_have_value("gn?")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator("[data-shortcut=search]").fill("")
    page.get_by_role("heading", level=1).focus()
    page.keyboard.press("n")
    expect(page.get_by_test_id("product-sku")).to_be_focused(timeout=SECONDS)
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    opened(page, routes.WEBHOOKS)
    page.keyboard.press("n")
    expect(page.get_by_test_id("webhook-url")).to_be_visible(timeout=SECONDS)
    opened(page, routes.IMPORTS)
    choosers: list[FileChooser] = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))  # noqa: PLW0108 - it takes no builtin

    def is_choosing() -> bool:
        # Until the role is known, keys do nothing.
        page.keyboard.press("n")
        return choosers != []

    wait_for(is_choosing, 30, "n opens the choice of a file")


def test_modifiers_and_dialogs_keep_their_keys(page: Page):
    opened(page, routes.PRODUCTS)
    page.keyboard.press("Alt+n")
    page.keyboard.press("Control+i")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_test_id("shortcuts")).to_be_visible(timeout=SECONDS)
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("palette")).to_have_count(0)
    expect(page.get_by_role("heading", level=1, name="Products")).to_have_count(1)


def test_single_keys_can_be_switched_off(page: Page):
    opened(page, routes.PRODUCTS)
    page.keyboard.press("?")
    expect(page.get_by_test_id("shortcuts-close")).to_be_focused(timeout=SECONDS)
    for name in ("Command palette", "Messages, such as one with Undo", "Grid: edit the cell, save it"):
        expect(page.get_by_test_id("shortcuts")).to_contain_text(name)
    page.get_by_test_id("single-keys").uncheck()
    page.get_by_test_id("shortcuts-close").click()
    page.reload()
    expect(page.get_by_test_id("product-new")).to_be_enabled(timeout=SECONDS)
    page.keyboard.press("n")
    page.keyboard.press("?")
    open_palette(page)
    expect(page.locator("dialog[open]")).to_have_count(1)
    page.keyboard.type("shortcuts")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("single-keys")).not_to_be_checked(timeout=SECONDS)
    page.get_by_test_id("single-keys").check()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.get_by_test_id("product-sku")).to_be_focused(timeout=SECONDS)


def test_the_palette_finds_commands_by_parts_of_their_names(page: Page):
    opened(page, routes.IMPORTS)
    open_palette(page)
    page.keyboard.type("nwhk")
    expect(page.get_by_test_id("palette-command").first).to_contain_text("New webhook")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("webhook-url")).to_be_visible(timeout=SECONDS)
    assert page.evaluate("location.pathname").rstrip("/") == routes.WEBHOOKS
    page.keyboard.press("Escape")
    open_palette(page)
    page.keyboard.type("zzzzz")
    expect(page.get_by_test_id("palette")).to_contain_text("Nothing found", timeout=SECONDS)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("palette")).to_have_count(0)
    assert page.evaluate(FOCUSED) != "body"


def test_the_palette_finds_products_and_imports(page: Page, products: str):
    opened(page, routes.WEBHOOKS)
    page.get_by_test_id("palette-open").click()
    expect(page.get_by_test_id("palette-input")).to_be_focused(timeout=SECONDS)
    page.keyboard.type("SKU-8900042")
    hit = page.get_by_test_id("palette-hit")
    expect(hit).to_have_count(1, timeout=SECONDS)
    expect(hit).to_contain_text("Keyboard 8900042")
    expect(hit).to_have_attribute("data-selected", "true", timeout=SECONDS)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/products/[0-9a-f-]{36}/?$"), timeout=SECONDS)
    opened(page, routes.WEBHOOKS)
    open_palette(page)
    page.keyboard.type("keyboard.csv")
    page.get_by_test_id("palette-hit").filter(has_text="keyboard.csv").first.click()
    page.wait_for_url(re.compile(f"{routes.IMPORTS}/{products}"), timeout=SECONDS)


def test_the_palette_switches_the_colours(page: Page):
    page.emulate_media(color_scheme="light")
    opened(page, routes.PRODUCTS)
    open_palette(page)
    page.keyboard.type("dark")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_class(re.compile("dark"), timeout=SECONDS)


@pytest.mark.parametrize(
    "address",
    [
        "/products?sku=70&sort=sku",
        "/imports?status=completed",
        "/webhooks?x=1",
        "/audit?x=1",
        "/tokens?x=1",
        "/account?x=1",
    ],
)
def test_the_skip_link_skips_and_keeps_the_address(address: str, page: Page):
    opened(page, address)
    before = page.url
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    assert page.url == before
    if page.locator("main :is(a, button, input)").locator("visible=true").count():
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")


Act = Callable[[Page], None]


def press(testid: str) -> Act:
    """Press a button with the keyboard, as often as it is there: the first one."""

    def act(page: Page) -> None:
        button = page.get_by_test_id(testid).first
        expect(button).to_be_enabled(timeout=SECONDS)
        button.focus()
        page.keyboard.press("Enter")

    return act


def press_switch(page: Page) -> None:
    page.get_by_role("switch").first.focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("switch").first).to_have_attribute("aria-checked", "false", timeout=SECONDS)


def key(name: str) -> Act:
    return lambda page: page.keyboard.press(name)


def shows(testid: str) -> Act:
    return lambda page: expect(page.get_by_test_id(testid).first).to_be_visible(timeout=SECONDS)


def hides(testid: str) -> Act:
    return lambda page: expect(page.get_by_test_id(testid)).to_be_hidden(timeout=SECONDS)


def says(text: str) -> Act:
    return lambda page: expect(page.get_by_text(text).first).to_be_visible(timeout=SECONDS)


def fills(testid: str, text: str) -> Act:
    return lambda page: page.get_by_test_id(testid).fill(text)


def focuses(selector: str) -> Act:
    return lambda page: expect(page.locator(selector).first).to_be_focused(timeout=SECONDS)


def shows_page(number: int) -> Act:
    def act(page: Page) -> None:
        expect(page).to_have_url(
            re.compile(rf"[?&]page={number}\b" if number > 1 else "^(?!.*[?&]page=)"), timeout=SECONDS
        )
        loaded(page)

    return act


def loaded(page: Page) -> None:
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=SECONDS)


NEW = f"KEY-{uuid4().hex[:8]}"
# What is done on a page, step by step; after each the focus is somewhere. One line more for each flow.
FLOWS: dict[str, tuple[str, list[Act]]] = {
    "a product is created": (
        routes.PRODUCTS,
        [
            press("product-new"),
            shows("product-sku"),
            fills("product-sku", NEW),
            fills("product-name", "Made by keyboard"),
            press("product-save"),
            says(f"{NEW} was created."),
            hides("product-sku"),
        ],
    ),
    "a product is edited": (
        f"{routes.PRODUCTS}?sku=SKU-8900003",
        [
            press("product-edit"),
            shows("product-name"),
            fills("product-name", "Edited by keyboard"),
            press("product-save"),
            says("SKU-8900003 was saved."),
            hides("product-sku"),
            loaded,
        ],
    ),
    "a product is deleted": (
        f"{routes.PRODUCTS}?sku=SKU-89000&sort=sku",
        [
            press("product-delete"),
            shows("confirm-delete"),
            press("confirm-delete"),
            says("SKU-8900000 was deleted."),
            loaded,
        ],
    ),
    "a product is switched": (f"{routes.PRODUCTS}?sku=SKU-8900005", [press_switch, loaded]),
    "pages are turned": (
        f"{routes.PRODUCTS}?sku=SKU-89",
        [
            press("page-next"),
            shows_page(2),
            press("page-last"),
            shows_page(3),
            press("page-previous"),
            shows_page(2),
            press("page-first"),
            shows_page(1),
        ],
    ),
    "a webhook is made and deleted": (
        routes.WEBHOOKS,
        [
            press("webhook-new"),
            shows("webhook-url"),
            fills("webhook-url", "https://example.com/keyboard"),
            press("webhook-save"),
            shows("webhook-secret-done"),
            press("webhook-secret-done"),
            hides("webhook-secret-done"),
            press("webhook-delete"),
            shows("confirm-delete"),
            press("confirm-delete"),
            says("The webhook was deleted."),
            loaded,
        ],
    ),
    "the palette is opened and left": (
        routes.AUDIT,
        [key("Control+k"), shows("palette-input"), key("Escape"), hides("palette")],
    ),
    "the shortcuts are opened and left": (
        routes.IMPORTS,
        [key("?"), shows("shortcuts"), key("Escape"), hides("shortcuts")],
    ),
}


@pytest.mark.parametrize("flow", FLOWS)
def test_the_focus_is_never_lost(flow: str, page: Page):
    address, steps = FLOWS[flow]
    opened(page, address)
    page.get_by_role("heading", level=1).focus()
    for number, step in enumerate(steps):
        step(page)
        # What had the focus may be removed in this moment; then it is elsewhere in the next frame.
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate(FOCUSED) != "body", f"lost at step {number}"
