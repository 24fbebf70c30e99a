"""People sign in through Canaille, a real provider, in a real browser."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from product_importer.access import service
from product_importer.access.schemas import Role
from product_importer.core import db
from tests.access.oidc import canaille_server
from tests.access.oidc.conftest import Recorded, accounts
from tests.application import ROOT, free_port
from tests.browser import chromium
from tests.waiting import wait_for

pytestmark = pytest.mark.processes

SECONDS = 60
CALLBACK = "/sign-in/oidc"


@dataclass(frozen=True)
class Served:
    """The addresses of both, and the file of what the application printed."""

    url: str
    issuer: str
    output: Path


@contextmanager
def running(command: list[str], output: Path, **environment: str) -> Iterator[None]:
    """Run a process of Python until the end of the block."""
    with output.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=os.environ | environment, stdout=file, stderr=file
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(SECONDS)


def answers(url: str) -> bool:
    """Whether something answers there."""
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def served(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Canaille, and the application with sign-in through it."""
    ports = free_port(), free_port()
    folder = tmp_path_factory.mktemp("canaille")
    # Two names of this machine: for the browser, the provider is another site.
    found = Served(f"http://localhost:{ports[0]}", f"http://127.0.0.1:{ports[1]}", folder / "application.log")
    settings = {
        "AUTH": "on",
        "PUBLIC_URL": found.url,
        "OIDC_ISSUER": found.issuer,
        "OIDC_CLIENT_ID": canaille_server.CLIENT_ID,
        "OIDC_CLIENT_SECRET": canaille_server.CLIENT_SECRET,
        "OIDC_ROLES": "groups:admins=admin,staff=editor",
    }
    script = str(Path(canaille_server.__file__))
    provider = [script, str(ports[1]), found.url + CALLBACK]
    application = [
        "-m",
        "granian",
        "--interface",
        "asginl",
        "--port",
        str(ports[0]),
        f"{__package__}.served:application",
    ]
    with running(provider, folder / "canaille.log"), running(application, found.output, **settings):
        wait_for(lambda: answers(f"{found.issuer}/.well-known/openid-configuration"), SECONDS, "Canaille answers")
        wait_for(lambda: answers(f"{found.url}/api/health"), SECONDS, f"it answers ({found.output.read_text()})")
        yield found


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    """A running Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(opened: Browser, served: Served, database: None) -> Iterator[Page]:
    """A page of a new visitor."""
    context = opened.new_context(base_url=served.url)
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def to_provider(page: Page, next: str = "/api/docs") -> None:
    """Go from the sign-in to the provider."""
    page.goto(f"/sign-in?next={next}")
    page.get_by_role("link", name="Sign in with 127.0.0.1").click()


def show_oneself(page: Page, name: str) -> None:
    """Sign in at the provider."""
    page.get_by_label("Login").fill(name)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/auth/password")
    # Its scripts have run: what was typed before them would be lost.
    page.wait_for_load_state("networkidle")
    page.locator("input[type=password]").fill(canaille_server.PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def enter(page: Page, name: str) -> None:
    """Sign in through the provider."""
    to_provider(page)
    show_oneself(page, name)


def held_back(page: Page, name: str) -> str:
    """Sign in at the provider, and begin anew here; return the address of the way back, to which nobody went yet."""
    enter(page, name)
    page.wait_for_url("**/api/docs")
    page.context.clear_cookies(name="pi_session")
    asked = page.request.get("/sign-in/oidc/start?next=/api/docs", max_redirects=0)
    answer = page.request.get(asked.headers["location"], max_redirects=0)
    return answer.headers["location"]


def test_a_person_signs_in_and_is_led_to_the_page(page: Page, served: Served, recorded: Recorded):
    enter(page, "ada")
    expect(page).to_have_url(f"{served.url}/api/docs")
    assert page.request.get("/api/products").status == 200
    ((email, role, issuer),) = [(one.email, one.role, one.oidc_issuer) for one in accounts()]
    assert (email, role, issuer) == ("ada@shop.example", "admin", served.issuer)
    assert [action for action, _, _ in recorded()] == ["account_created", "signed_in"]
    # The code is not in the history, and nothing of it in the log.
    assert "code=" not in served.output.read_text()


def test_the_sign_out_ends_our_session_and_not_the_providers(page: Page, served: Served):
    enter(page, "sam")
    page.goto("/sign-out")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{served.url}/sign-in")
    assert page.request.get("/api/products").status == 401
    page.get_by_role("link", name="Sign in with 127.0.0.1").click()
    # The provider still knows the person.
    page.wait_for_url(f"{served.url}/")
    assert page.request.get("/api/products").status == 200


def test_a_person_without_a_role_stays_out(page: Page, recorded: Recorded):
    enter(page, "gil")
    expect(page.get_by_role("alert")).to_contain_text("gives you a role")
    assert page.request.get("/api/products").status == 401
    assert accounts() == []
    assert recorded()[-1][1] == "gil@shop.example"


def test_a_disabled_person_stays_out(page: Page, opened: Browser, served: Served):
    enter(page, "sam")
    (account,) = accounts()
    db.run(lambda session: service.disable(session, service.read_account(session, account.id)))
    assert page.request.get("/api/products").status == 401
    page.goto("/sign-in")
    page.get_by_role("link", name="Sign in with 127.0.0.1").click()
    expect(page.get_by_role("alert")).to_contain_text("disabled")


def test_a_local_account_with_the_same_address_is_another(page: Page):
    db.run(lambda session: service.create_account(session, "sam@shop.example", Role.ADMIN).id)
    enter(page, "sam")
    page.wait_for_url("**/api/docs")
    assert [(one.email, one.role, one.oidc_subject) for one in accounts()] == [
        ("sam@shop.example", "admin", None),
        ("sam@shop.example", "editor", "sam"),
    ]
    assert page.request.post("/api/webhooks", data={"url": "https://shop.example"}).status == 403


def test_a_changed_state_lets_nobody_in(page: Page):
    back = held_back(page, "ada")
    state = parse_qs(urlsplit(back).query)["state"][0]
    page.goto(back.replace(state, state[::-1]))
    expect(page.get_by_role("alert")).to_contain_text("not open in this browser")
    page.goto(back)
    page.wait_for_url("**/api/docs")


def test_a_way_back_leads_in_once(page: Page, opened: Browser, served: Served):
    back = held_back(page, "ada")
    with opened.new_context(base_url=served.url) as other:
        thief = other.new_page()
        thief.goto(back)
        expect(thief.get_by_role("alert")).to_contain_text("not open in this browser")
    page.goto(back)
    page.wait_for_url("**/api/docs")
    page.goto(back)
    expect(page.get_by_role("alert")).to_contain_text("used already")


def test_the_provider_refuses_a_stolen_code_without_the_verifier(page: Page, served: Served):
    back = held_back(page, "ada")
    code = parse_qs(urlsplit(back).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": served.url + CALLBACK}
    client = canaille_server.CLIENT_ID, canaille_server.CLIENT_SECRET
    for verifier in ({}, {"code_verifier": "x" * 43}):
        answer = httpx.post(f"{served.issuer}/oauth/token", data=form | verifier, auth=client)
        assert answer.status_code == 400
        assert answer.json()["error"] in ("invalid_grant", "invalid_request"), answer.text
    page.goto(back)
    page.wait_for_url("**/api/docs")
