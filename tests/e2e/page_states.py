"""The pages, dialogs and states that tests look at, and how a browser gets there.

A new one is one line in `STATES`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from playwright.sync_api import Page, expect

from product_importer.ui import routes
from tests.application import Application, catalogue
from tests.e2e.receiver import receiving
from tests.waiting import wait_for

SECONDS = 30_000
WIDE, NARROW = 1280, 390
# The products that the states show and change.
FIRST = 8_000_000
LISTED = f"{routes.PRODUCTS}?sku=SKU-8000&sort=sku&page_size=25"
# What stands over the list: axe looks through the list each time, so it is short.
FEW = f"{routes.PRODUCTS}?sku=SKU-800004&sort=sku"
NONE = "01a22624-7fbd-7000-99d5-000000000000"

Act = Callable[[Page], None]


@dataclass(frozen=True)
class State:
    """An address, what leads from there to the state, and the widths at which it is there."""

    address: str
    acts: tuple[Act, ...] = ()
    widths: tuple[int, ...] = (WIDE, NARROW)


def made(application: Application) -> dict[str, str]:
    """Make what the addresses of `STATES` name, and return the ids."""
    client = application.client
    rejects = application.upload(catalogue(60, first=FIRST) + b",nameless,\n", "accessible.csv")
    application.finished(rejects)
    dry_run = client.post(
        "/api/upload-csv",
        files={"file": ("dry.csv", catalogue(3, "Other", first=FIRST) + b",nameless,\n")},
        data={"dry_run": "true"},
    ).json()["job_id"]
    wait_for(lambda: application.job(dry_run)["status"] == "previewed", 90, "the dry run ends")
    body = {"action": "set", "values": {"attributes": {"season": "spring"}}}
    started = client.post("/api/products/actions?sku=SKU-800005", json=body)
    assert started.status_code == 202, started.text
    action = started.json()["job_id"]
    application.finished(action)
    product = client.get("/api/products?sku=SKU-8000059").json()["items"][0]["id"]
    webhook = delivered(application)
    return {"rejects": rejects, "dry_run": dry_run, "action": action, "product": product, "webhook": webhook}


def delivered(application: Application) -> str:
    """Make a webhook to which a message was sent, and return its id."""
    client = application.client
    with receiving() as receiver:
        hook = {"url": receiver.url, "event_types": ["product_created"]}
        webhook = client.post("/api/webhooks", json=hook).json()["id"]
        client.post("/api/products", json={"sku": f"Delivered-{uuid4().hex[:8]}", "name": "Delivered"})
        wait_for(lambda: receiver.received != [], 30, "the receiver has the message")
    return str(webhook)


def press(testid: str, shows: str) -> Act:
    """Click on the first element with a test id, and wait for another one."""

    def act(page: Page) -> None:
        page.get_by_test_id(testid).first.click()
        expect(page.get_by_test_id(shows).first).to_be_visible(timeout=SECONDS)

    return act


def key(name: str, shows: str) -> Act:
    """Press a key, and wait for an element."""

    def act(page: Page) -> None:
        page.keyboard.press(name)
        expect(page.get_by_test_id(shows)).to_be_visible(timeout=SECONDS)

    return act


def shown(testid: str) -> Act:
    """Wait for an element."""
    return lambda page: expect(page.get_by_test_id(testid)).to_be_visible(timeout=SECONDS)


def begun(page: Page) -> None:
    """Begin to fill in a form."""
    press("product-new", "product-sku")(page)
    page.get_by_test_id("product-sku").fill("Begun")


def drafted(page: Page) -> None:
    """Choose a file, and wait for its columns."""
    chooser = page.get_by_test_id("import-file").locator("input[type=file]")
    chooser.set_input_files({"name": "draft.csv", "mimeType": "text/csv", "buffer": catalogue(20)})
    expect(page.get_by_test_id("import-start")).to_be_visible(timeout=SECONDS)
    expect(page.get_by_test_id("column-row").first).to_be_visible(timeout=SECONDS)


def found(page: Page) -> None:
    """Find products in the palette."""
    key("Control+k", "palette")(page)
    page.keyboard.type("SKU-80000")
    expect(page.get_by_test_id("palette-hit").first).to_be_visible(timeout=SECONDS)


def failing(page: Page) -> None:
    """Send a form that is not complete."""
    press("product-new", "product-sku")(page)
    page.get_by_test_id("product-save").click()
    expect(page.get_by_test_id("product-sku-fault")).not_to_be_empty(timeout=SECONDS)


def deleted(page: Page) -> None:
    """Delete a product; the message with its undo stays while the pointer is on it."""
    press("product-delete", "confirm-delete")(page)
    page.get_by_test_id("confirm-delete").click()
    page.locator("[data-sonner-toast]").filter(has_text="was deleted").hover(timeout=SECONDS)


def edited(page: Page) -> None:
    """Open the editor of a cell."""
    grid = page.get_by_role("grid", name="Products")
    head = grid.get_by_role("columnheader").filter(has_text=re.compile("^Name$"))
    column = head.get_attribute("aria-colindex")
    page.get_by_test_id("product-row").first.locator(f"[role=gridcell][aria-colindex='{column}']").dblclick()
    expect(grid.locator("textarea, input:not([type=checkbox])").first).to_be_focused(timeout=SECONDS)


def others_create(page: Page) -> None:
    """Somebody else creates a product, which is the newest of the list."""
    answer = page.request.post("/api/products", data={"sku": f"News-{uuid4().hex[:8]}", "name": "News"})
    assert answer.status == 201, answer.text()
    expect(page.get_by_test_id("news-show")).to_be_visible(timeout=SECONDS)


def saved_view(page: Page) -> None:
    """Save what is listed as a view."""
    press("views", "view-save-as")(page)
    press("view-save-as", "view-name")(page)
    page.get_by_test_id("view-name").fill(f"View {uuid4().hex[:8]}")
    page.get_by_test_id("view-save").click()
    expect(page.get_by_test_id("view-name")).to_be_hidden(timeout=SECONDS)


new_product = press("product-new", "product-sku")
attribute_form = press("attribute-filter-add", "attribute-filter-name")
selected = press("product-select", "selection-bar")
views = press("views", "views-menu")

STATES: dict[str, State] = {
    "overview": State(routes.OVERVIEW),
    "products": State(routes.PRODUCTS),
    "no product found": State(f"{routes.PRODUCTS}?sku=NOTHING-IS-CALLED-SO"),
    "attribute filter": State(f"{routes.PRODUCTS}?attribute.season=spring"),
    "product": State("/products/{product}"),
    "no product": State(f"/products/{NONE}"),
    "imports": State(routes.IMPORTS),
    "import": State(f"{routes.IMPORTS}/{{rejects}}"),
    "dry run": State(f"{routes.IMPORTS}/{{dry_run}}"),
    "action": State(f"{routes.IMPORTS}/{{action}}"),
    "no import": State(f"{routes.IMPORTS}/{NONE}"),
    "webhooks": State(routes.WEBHOOKS),
    "webhook": State(f"{routes.WEBHOOKS}/{{webhook}}"),
    "record": State(routes.AUDIT),
    "tokens": State(routes.TOKENS),
    "account": State(routes.ACCOUNT),
    "not found": State("/no/such/page"),
    "no view": State(f"{routes.PRODUCTS}?view=Nothing+is+called+so", (shown("view-missing"),)),
    "new product": State(FEW, (new_product,)),
    "product with errors": State(FEW, (failing,)),
    "discard question": State(FEW, (begun, key("Escape", "discard"))),
    "edit product": State(FEW, (press("product-edit", "product-sku"),)),
    "delete product": State(FEW, (press("product-delete", "confirm-delete"),)),
    "undo of a deletion": State(FEW, (deleted,)),
    "delete all": State(FEW, (press("products-delete-all", "delete-all-phrase"),)),
    "export menu": State(FEW, (press("products-export", "export-csv"),)),
    "cell editor": State(FEW, (edited,), (WIDE,)),
    "columns menu": State(FEW, (press("products-columns", "products-columns-menu"),), (WIDE,)),
    "views menu": State(FEW, (views,)),
    "save view": State(FEW, (views, press("view-save-as", "view-name"))),
    "rename view": State(FEW, (saved_view, views, press("view-rename", "view-name"))),
    "delete view": State(FEW, (saved_view, views, press("view-delete", "view-confirm-delete"))),
    "selection": State(LISTED, (selected,)),
    "set field": State(LISTED, (selected, press("action-set", "set-value"))),
    "delete selected": State(LISTED, (selected, press("action-delete", "confirm-action-delete"))),
    "attribute filter form": State(FEW, (attribute_form,), (WIDE,)),
    "filters": State(routes.PRODUCTS, (press("filters-fold", "filter-sku"),), (NARROW,)),
    "news": State(f"{routes.PRODUCTS}?page_size=25", (others_create,)),
    "edit product on its page": State("/products/{product}", (press("product-edit", "product-sku"),)),
    "draft": State(routes.IMPORTS, (drafted,)),
    "undo": State(f"{routes.IMPORTS}/{{rejects}}", (press("import-undo", "confirm-undo"),)),
    "new webhook": State(routes.WEBHOOKS, (press("webhook-new", "webhook-url"),)),
    "delete webhook": State(routes.WEBHOOKS, (press("webhook-delete", "confirm-delete"),)),
    "new secret": State(routes.WEBHOOKS, (press("webhook-rotate", "confirm-rotate"),)),
    "delivery": State(f"{routes.WEBHOOKS}/{{webhook}}", (press("delivery-details", "delivery-detail"),)),
    "send again": State(f"{routes.WEBHOOKS}/{{webhook}}", (press("deliveries-redeliver", "confirm-redeliver"),)),
    "record details": State(routes.AUDIT, (press("audit-details", "audit-entry"),)),
    "palette": State(FEW, (key("Control+k", "palette"),)),
    "palette with hits": State(routes.IMPORTS, (found,)),
    "shortcuts": State(routes.WEBHOOKS, (key("?", "shortcuts"),)),
}
PAGES = [name for name, state in STATES.items() if not state.acts]


def opened(page: Page, address: str) -> Page:
    """Open a page, and wait until everything of it is there."""
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=SECONDS)
    expect(page.get_by_test_id("loading")).to_have_count(0, timeout=SECONDS)
    expect(page.locator("main button:disabled", has_text="New ")).to_have_count(0, timeout=SECONDS)
    # What depends on the role is not seen before the server has answered. Until then no script may listen.
    expect(page.locator("main .contents.invisible")).to_have_count(0, timeout=SECONDS)
    return page


def reached(page: Page, name: str, ids: dict[str, str]) -> Page:
    """Bring a page into a state of `STATES`."""
    state = STATES[name]
    opened(page, state.address.format(**ids))
    for act in state.acts:
        act(page)
    return page
