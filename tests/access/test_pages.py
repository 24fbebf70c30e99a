"""In a browser: what each role sees, the menu of the person, the account, and how a session's end is noticed."""

import os
from typing import Literal
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from product_importer.access import passwords, service, sessions
from product_importer.access.schemas import Role
from product_importer.access.secrets import digest_of
from product_importer.catalog import service as catalog
from product_importer.catalog.schemas import ProductCreate
from product_importer.core import db
from product_importer.webhooks import service as webhooks
from product_importer.webhooks.schemas import WebhookCreate
from tests.access.conftest import SECONDS, Visit, signed_in
from tests.access.people import add_person, sign_in
from tests.application import Application
from tests.conftest import DATA

pytestmark = pytest.mark.e2e
OLD, NEW = "quiet harbour lantern 41", "seven brass umbrellas 92"
SIGN_IN = "**/sign-in**"
# By page, the test ids of what needs the permission to import, to change products, and to administer.
RESTRICTED = {
    "/products": (["products-import"], ["product-new", "products-delete-all", "product-edit", "product-delete"], []),
    "/imports": (["import-file", "import-steps"], [], []),
    "/webhooks": (
        [],
        [],
        ["webhook-new", "webhook-edit", "webhook-rotate", "webhook-delete", "webhook-test", "webhook-enabled"],
    ),
    "/webhooks/{webhook}": ([], [], ["webhook-edit", "webhook-delete", "deliveries-redeliver"]),
}
LAYOUT_SHIFT = """() => new Promise((done) => {
    let sum = 0;
    new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })
        .observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => setTimeout(() => done(sum)));
})"""


@pytest.fixture
def webhook(database: None) -> str:
    """The id of a webhook; there is a product, too."""
    db.run(catalog.create_product, ProductCreate(sku="A-1", name="Shirt"))
    made = db.run(webhooks.create_webhook, WebhookCreate(url="http://127.0.0.1:9999/"))
    return str(made.id)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("path", RESTRICTED)
def test_a_page_shows_what_a_role_may_do(role: Role, path: str, visit: Visit, webhook: str):
    page = visit(sign_in(add_person(role)), path.format(webhook=webhook))
    signed_in(page)
    allowed = (role != Role.VIEWER, role != Role.VIEWER, role == Role.ADMIN)
    for testids, is_allowed in zip(RESTRICTED[path], allowed, strict=True):
        for testid in testids:
            expect(page.get_by_test_id(testid)).to_have_count(1 if is_allowed else 0, timeout=SECONDS)
    assert page.get_by_text("Not allowed").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.parametrize("path", ["/", "/products", "/webhooks"])
def test_nothing_moves_when_it_becomes_known_who_is_at_the_page(path: str, visit: Visit, webhook: str):
    page = visit(sign_in(add_person(Role.EDITOR)), path)
    signed_in(page)
    assert page.evaluate(LAYOUT_SHIFT) < 0.02


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMIN])
def test_the_role_is_remembered_so_that_no_large_part_comes_and_goes(role: Role, visit: Visit):
    page = visit(sign_in(add_person(role)))
    signed_in(page)
    page.goto("/imports")
    signed_in(page)
    assert page.evaluate(LAYOUT_SHIFT) < 0.02


def test_the_menu_shows_the_person_and_signs_out(visit: Visit):
    account = add_person(Role.ADMIN)
    page = visit(sign_in(account))
    page.get_by_test_id("person").click(timeout=SECONDS)
    expect(page.get_by_test_id("person-name")).to_have_text(account.email)
    expect(page.get_by_test_id("person-record")).to_be_visible()
    page.get_by_test_id("person-account").click()
    expect(page.get_by_test_id("account-name")).to_have_text(account.email, timeout=SECONDS)
    page.get_by_test_id("person").click()
    page.get_by_test_id("person-sign-out").click()
    page.wait_for_url(SIGN_IN, timeout=SECONDS)
    page.goto("/account")
    page.wait_for_url(SIGN_IN, timeout=SECONDS)
    viewer = visit(sign_in(add_person(Role.VIEWER)))
    viewer.get_by_test_id("person").click(timeout=SECONDS)
    expect(viewer.get_by_test_id("person-tokens")).to_be_visible()
    expect(viewer.get_by_test_id("person-record")).to_have_count(0)


def test_signing_out_everywhere_sends_every_browser_to_the_sign_in(visit: Visit, webhook: str):
    account = add_person(Role.VIEWER)
    other = visit(sign_in(account), "/webhooks")
    another_person = visit(sign_in(add_person(Role.VIEWER)))
    page = visit(sign_in(account), "/account")
    for each in (other, another_person, page):
        signed_in(each)
    page.get_by_test_id("sign-out-everywhere").click()
    page.wait_for_url(SIGN_IN, timeout=SECONDS)
    other.wait_for_url(SIGN_IN, timeout=SECONDS)
    assert "next=%2Fwebhooks" in other.url
    another_person.goto("/account")
    signed_in(another_person)


def test_a_tab_that_slept_through_the_end_of_its_session_leaves_when_it_wakes(visit: Visit):
    account = add_person(Role.VIEWER)
    secret = sign_in(account)
    page = visit(secret, "/account")
    signed_in(page)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    db.run(sessions.end, digest_of(secret))
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    page.wait_for_url(SIGN_IN, timeout=SECONDS)


def test_one_browser_is_signed_out_from_another(visit: Visit):
    account = add_person(Role.VIEWER)
    other = visit(sign_in(account))
    page = visit(sign_in(account), "/account")
    for each in (page, other):
        signed_in(each)
    rows = page.get_by_test_id("session-row")
    expect(rows).to_have_count(2, timeout=SECONDS)
    expect(rows.first.get_by_test_id("session-own")).to_be_visible()
    rows.nth(1).get_by_test_id("session-end").click()
    expect(rows).to_have_count(1, timeout=SECONDS)
    other.wait_for_url(SIGN_IN, timeout=SECONDS)
    assert "account" in page.url


@pytest.mark.parametrize("width", [390, 1280])
def test_the_account_does_not_scroll_sideways(width: int, visit: Visit):
    page = visit(sign_in(add_person(Role.ADMIN)), "/account", width)
    signed_in(page)
    expect(page.get_by_test_id("session-row")).to_have_count(1, timeout=SECONDS)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_page_says_that_anyone_may_change_everything(browser: Browser, servers: None):
    given = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    opened_up = {"HOST": "0.0.0.0", "AUTH": "off", "I_KNOW_ANYONE_CAN_CHANGE_EVERYTHING": "true"}
    started = Application(DATA_DIR=str(DATA), **given, **opened_up)
    started.start("web", until="/api/health")
    page = browser.new_page(base_url=started.url)
    try:
        for path in ("/", "/products", "/imports", "/webhooks", "/nothing"):
            page.goto(path)
            expect(page.get_by_test_id("open-to-all")).to_contain_text("Anyone who reaches", timeout=SECONDS)
            expect(page.get_by_test_id("person")).to_have_count(0)
        page.goto("/tokens")
        expect(page.get_by_text("Nobody signs in here")).to_be_visible(timeout=SECONDS)
        expect(page.get_by_test_id("token-new")).to_have_count(0)
    finally:
        page.close()
        assert started.stop() == 0
        started.remove()


def test_the_password_is_changed_by_keyboard_alone(visit: Visit):
    account = add_person(Role.VIEWER)
    db.run(give_password, account.id, OLD)
    other = visit(sign_in(account))
    signed_in(other)
    page = visit(sign_in(account), "/account")
    signed_in(page)
    type_passwords(page, "a wrong old password", NEW, NEW)
    expect(page.get_by_test_id("password-old-fault")).to_have_text("This is not your password.", timeout=SECONDS)
    type_passwords(page, OLD, NEW, OLD)
    expect(page.get_by_test_id("password-again-fault")).to_have_text("The two new passwords differ.", timeout=SECONDS)
    type_passwords(page, OLD, NEW, NEW)
    expect(page.get_by_text("The password was changed.")).to_be_visible(timeout=SECONDS)
    expect(page.get_by_test_id("password-new")).to_have_value("")
    other.wait_for_url(SIGN_IN, timeout=SECONDS)
    assert passwords.verify(NEW, db.run(service.read_account, account.id).password_hash)[0]


def type_passwords(page: Page, *typed: str) -> None:
    """Fill in the form from its first field on, with the keyboard, and send it."""
    page.get_by_test_id("password-old").focus()
    for text in typed:
        page.keyboard.press("Control+A")
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    expect(page.get_by_test_id("password-change")).to_be_focused()
    page.keyboard.press("Enter")


def give_password(session: Session, account_id: UUID, password: str) -> None:
    service.set_password(session, service.read_account(session, account_id), passwords.make_hash(password))


def test_the_account_is_accessible_by_keyboard(visit: Visit):
    """The menu opens with Enter, closes with Escape and gives the focus back."""
    page = visit(sign_in(add_person(Role.ADMIN)), "/account")
    signed_in(page)
    button = page.get_by_test_id("person")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("person-account")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("person-account")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("person-account")).not_to_be_visible()
    expect(button).to_be_focused()
    button.press("Enter")
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(page.get_by_test_id("person-sign-out")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(SIGN_IN, timeout=SECONDS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme: Literal["light", "dark"], visit: Visit, webhook: str):
    page = visit(sign_in(add_person(Role.ADMIN)), "/account")
    page.emulate_media(color_scheme=scheme)
    signed_in(page)
    expect(page.get_by_test_id("session-row")).to_have_count(1, timeout=SECONDS)
    page.get_by_test_id("person").click()
    expect(page.get_by_test_id("person-account")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
