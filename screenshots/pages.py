"""How to reach each page and state that has a picture."""

from collections.abc import Callable

from playwright.sync_api import Page

from screenshots.shop import EMAIL, Shop, catalogue

Reach = Callable[[Page, Shop], None]
# Its name and description have other names: the columns step has something to ask.
OTHER_NAMES = catalogue(40).replace("sku,name,description,colour,price", "Handle,Title,Body (HTML),Colour,Price", 1)


def choose_file(page: Page, filename: str, content: str) -> None:
    """Choose a file on the page of imports, and wait for its columns."""
    page.goto("/imports")
    page.get_by_test_id("import-file").locator("input[type=file]").set_input_files(
        {"name": filename, "mimeType": "text/csv", "buffer": content.encode()}
    )
    page.wait_for_url("**/imports/*")
    page.get_by_test_id("import-start").wait_for()


def _products(page: Page, _: Shop) -> None:
    page.goto("/products")
    page.get_by_test_id("product-row").first.wait_for()


def _selection(page: Page, shop: Shop) -> None:
    _products(page, shop)
    for number in range(3):
        page.get_by_test_id("product-select").nth(number).check()
    page.get_by_test_id("selection-bar").wait_for()


def _product(page: Page, shop: Shop) -> None:
    _products(page, shop)
    page.get_by_test_id("product-open").first.click()
    page.get_by_test_id("history-entry").first.wait_for()


def _product_form(page: Page, shop: Shop) -> None:
    _products(page, shop)
    page.get_by_test_id("product-edit").first.click()
    page.get_by_test_id("product-save").wait_for()


def _imports(page: Page, _: Shop) -> None:
    page.goto("/imports")
    page.get_by_text("spring-2026.csv").first.wait_for()


def _columns(page: Page, shop: Shop) -> None:
    if "draft" not in shop.ids:
        choose_file(page, "shopify-export.csv", OTHER_NAMES)
        shop.ids["draft"] = page.url.partition("/imports/")[2].partition("?")[0]
    page.goto(f"/imports/{shop.ids['draft']}?step=columns")
    page.get_by_test_id("import-start").wait_for()


def _check(page: Page, shop: Shop) -> None:
    page.goto(f"/imports/{shop.ids['dry-run']}?step=check")
    page.get_by_role("grid").first.wait_for()
    page.get_by_text("Check the rows", exact=True).evaluate("heading => heading.scrollIntoView()")
    # Below the bar at the top.
    page.mouse.wheel(0, -80)


def _running(page: Page, shop: Shop) -> None:
    number = shop.ids["running"] = str(int(shop.ids.get("running", "1")) + 1)
    choose_file(page, "supplier-feed.csv", catalogue(200_000, 200_000 * int(number)))
    page.get_by_test_id("import-start").click()
    page.wait_for_function(
        "() => document.querySelector('[data-testid=import-progress]')?.getAttribute('aria-valuenow') >= 50"
    )


def _result(page: Page, shop: Shop) -> None:
    page.goto(f"/imports/{shop.ids['rejects']}")
    page.get_by_test_id("import-result").wait_for()
    page.get_by_role("grid").first.wait_for()


def _webhooks(page: Page, _: Shop) -> None:
    page.goto("/webhooks")
    page.get_by_test_id("webhook-row").first.wait_for()


def _deliveries(page: Page, shop: Shop) -> None:
    page.goto(f"/webhooks/{shop.ids['webhook']}")
    page.get_by_test_id("delivery-row").first.wait_for()


def _delivery(page: Page, shop: Shop) -> None:
    _deliveries(page, shop)
    page.get_by_test_id("delivery-details").first.click()
    page.get_by_test_id("delivery-body").wait_for()


def _open(path: str) -> Reach:
    def reach(page: Page, _: Shop) -> None:
        page.goto(path)
        page.get_by_test_id("person").wait_for()
        page.wait_for_load_state("networkidle")

    return reach


def _sign_in(page: Page, _: Shop) -> None:
    page.goto("/sign-in")
    page.locator("input[name=email]").fill(EMAIL)


# By the names of the pictures. What is running comes last: it fills the catalogue.
PAGES: dict[str, Reach] = {
    "sign-in": _sign_in,
    "overview": _open("/"),
    "products": _products,
    "products-selected": _selection,
    "product": _product,
    "product-form": _product_form,
    "imports": _imports,
    "import-columns": _columns,
    "import-check": _check,
    "import-result": _result,
    "webhooks": _webhooks,
    "deliveries": _deliveries,
    "delivery": _delivery,
    "record": _open("/audit"),
    "tokens": _open("/tokens"),
    "account": _open("/account"),
    "import-running": _running,
}
