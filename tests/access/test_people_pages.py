"""In a browser: what people do with tokens, the record, an import and the way back, each in their role."""

import re

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from product_importer.access.models import Account
from product_importer.access.schemas import Role
from product_importer.catalog import service as catalog
from product_importer.catalog.schemas import ProductCreate
from product_importer.core import db
from product_importer.imports import tasks
from tests.access.conftest import SECONDS, Visit, signed_in
from tests.access.people import PASSWORD, add_person, bearer, sign_in
from tests.application import Application
from tests.imports.conftest import upload

pytestmark = pytest.mark.e2e
expect.set_options(timeout=SECONDS)
CATALOGUE = b"sku,name,description\nMUG-1,Mug,\n"
SCOPES = {Role.VIEWER: ["read"], Role.EDITOR: ["read", "import", "write"]}
SIGN_IN = re.compile("/sign-in")


def status_of(application: Application, token: str) -> int:
    """Return the status of a request with a token."""
    return application.client.get("/api/products", headers=bearer(token)).status_code


def press(button: Locator) -> None:
    """Press a button with the keyboard, once it can be pressed."""
    expect(button).to_be_visible()
    expect(button).to_be_enabled()
    button.focus()
    button.press("Enter")


@pytest.mark.parametrize("role", SCOPES)
def test_a_token_is_made_shown_once_and_deleted(role: Role, visit: Visit, served: Application):
    """By keyboard alone; the focus is never lost."""
    page = visit(sign_in(add_person(role)), "/tokens")
    signed_in(page)
    press(page.get_by_test_id("token-first"))
    expect(page.get_by_test_id("token-name")).to_be_focused()
    scopes = page.get_by_role("dialog").get_by_role("checkbox")
    assert [each.get_attribute("value") for each in scopes.all()] == SCOPES[role]
    press(page.get_by_test_id("token-save"))
    expect(page.get_by_test_id("token-scopes-fault")).to_have_text("Choose at least one scope.")
    expect(page.get_by_test_id("token-save")).to_be_focused()
    page.get_by_test_id("token-name").fill("Nightly import")
    page.get_by_test_id("token-scope-read").press("Space")
    press(page.get_by_test_id("token-save"))
    expect(page.get_by_test_id("token-secret-copy")).to_be_focused()
    token = page.get_by_test_id("token-secret").input_value()
    assert status_of(served, token) == httpx.codes.OK
    # It is not shown again, so only its button closes it.
    for _ in range(3):
        page.keyboard.press("Escape")
    expect(page.get_by_test_id("token-secret")).to_have_value(token)
    press(page.get_by_test_id("token-secret-done"))
    expect(page.get_by_test_id("token-secret")).not_to_be_visible()
    expect(page.get_by_test_id("token-secret")).to_have_value("")
    page.reload()
    row = page.get_by_test_id("token-row")
    expect(row).to_contain_text("Nightly import")
    expect(page.get_by_test_id("token-secret")).not_to_be_visible()
    expect(page.get_by_test_id("token-secret")).to_have_value("")
    assert token not in page.content()
    press(row.get_by_test_id("token-delete"))
    press(page.get_by_test_id("confirm-delete-token"))
    expect(row).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert status_of(served, token) == httpx.codes.UNAUTHORIZED


def test_the_record_shows_an_administrator_what_an_editor_changed(visit: Visit):
    db.run(catalog.create_product, ProductCreate(sku="MUG-1", name="Mug"))
    editor = add_person(Role.EDITOR)
    page = visit(sign_in(editor), "/products")
    signed_in(page)
    page.get_by_test_id("product-edit").click()
    page.get_by_test_id("product-name").fill("Cup")
    page.get_by_test_id("product-save").click()
    expect(page.get_by_test_id("product-row")).to_contain_text("Cup")
    page.get_by_test_id("product-edit").click()
    expect(page.get_by_test_id("product-last-change")).to_contain_text(f"by {editor.email}")
    record = visit(sign_in(add_person(Role.ADMIN)), "/audit?action=product_updated")
    row = record.get_by_test_id("audit-row")
    expect(row).to_contain_text(editor.email)
    row.get_by_test_id("audit-details").click()
    expect(record.get_by_test_id("audit-change").get_by_role("cell")).to_have_text(["Mug", "Cup"])


def test_others_are_told_that_the_record_is_not_for_them(visit: Visit):
    page = visit(sign_in(add_person(Role.VIEWER)), "/audit")
    expect(page.get_by_text("Only administrators see the record")).to_be_visible()
    expect(page.get_by_test_id("audit-export")).to_have_count(0)
    expect(page.get_by_test_id("filter-actor")).to_have_count(0)
    expect(page.get_by_text("Not allowed")).to_have_count(0)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_an_import_shows_only_who_may_import_how_to_go_on(role: Role, visit: Visit):
    shown = 0 if role == Role.VIEWER else 1
    ended, dry_run = upload(CATALOGUE), upload(CATALOGUE, dry_run="true")
    for each in (ended, dry_run):
        tasks.run_import(str(each))
    page = visit(sign_in(add_person(role)), f"/imports/{ended}")
    expect(page.get_by_test_id("import-status")).to_have_text("completed")
    expect(page.get_by_test_id("import-undo")).to_have_count(shown)
    page.goto(f"/imports/{dry_run}")
    expect(page.get_by_test_id("import-status")).to_have_text("previewed")
    for button in ("import-retry", "import-apply"):
        expect(page.get_by_test_id(button)).to_have_count(shown)
    expect(page.get_by_text("then import them")).to_have_count(shown)
    page.locator("[data-testid=grid-row] [data-column]").get_by_text("Mug", exact=True).dblclick()
    expect(page.locator("[data-testid=grid-row] textarea")).to_have_count(shown)


def test_the_sign_in_leads_back_and_the_way_back_after_the_sign_out_shows_nothing(visit: Visit):
    account = add_person(Role.VIEWER, PASSWORD)
    page = visit("", "/products?sku=MUG&sort=name")
    expect(page).to_have_url(SIGN_IN)
    enter(page, account)
    expect(page).to_have_url(re.compile(r"/products\?sku=MUG&sort=name$"))
    expect(page.get_by_test_id("filter-sku")).to_have_value("MUG")
    page.get_by_test_id("person").click()
    page.get_by_test_id("person-sign-out").click()
    expect(page).to_have_url(SIGN_IN)
    page.go_back()
    expect(page).to_have_url(SIGN_IN)
    expect(page.get_by_label("Password")).to_be_visible()


def enter(page: Page, account: Account) -> None:
    """Fill in the form of the sign-in, and send it."""
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("path", ["/", "/products", "/imports", "/tokens", "/audit"])
def test_axe_finds_nothing_on_the_pages_of_an_administrator(path: str, visit: Visit):
    page = visit(sign_in(add_person(Role.ADMIN)), path)
    signed_in(page)
    for scheme in ("light", "dark"):
        # Colours change at once.
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_a_file_that_is_chosen_at_once_waits_until_the_server_knows_the_tab(visit: Visit):
    page = visit(sign_in(add_person(Role.EDITOR)), "/imports")
    page.get_by_test_id("import-file").locator("input[type=file]").set_input_files(
        {"name": "at-once.csv", "mimeType": "text/csv", "buffer": CATALOGUE}
    )
    page.wait_for_url(re.compile(r"/imports/.*\?step=columns$"))
    expect(page.get_by_test_id("import-start")).to_be_visible()
