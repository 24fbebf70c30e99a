"""The application with sign-in on, and a provider of the test's own."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import SecretStr
from sqlalchemy import text

from product_importer.access.gate.layer import AccessLayer
from product_importer.access.oidc import provider as providers
from product_importer.access.sign_in.app import PATHS, create_app
from product_importer.api import api
from product_importer.core import db
from product_importer.core.settings import settings
from tests.access.oidc.small_provider import CLIENT_ID, CLIENT_SECRET, SmallProvider, serve

Open = Callable[..., TestClient]
Recorded = Callable[[], list[tuple[str, str | None, dict]]]


@pytest.fixture
def provider() -> Iterator[SmallProvider]:
    """A provider that does everything right until it is told otherwise."""
    with serve() as served:
        yield served
    providers.forget()


@pytest.fixture
def open_browser(database: None, provider: SmallProvider) -> Iterator[Open]:
    """Return browsers of new visitors, as far as cookies and requests go; they follow no redirect by themselves."""
    opened: list[TestClient] = []

    def make(**given: Any) -> TestClient:
        values = {
            "auth": "on",
            "public_url": "http://localhost",
            "oidc_issuer": provider.url,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": SecretStr(CLIENT_SECRET),
            "oidc_roles": "groups:admins=admin,staff=editor",
        }
        used = settings().model_copy(update=values | {name.lower(): value for name, value in given.items()})
        layer = AccessLayer(api, used, set(), sign_in=create_app(used), sign_in_paths=PATHS)
        opened.append(
            TestClient(layer, base_url=str(used.public_url), raise_server_exceptions=False, follow_redirects=False)
        )
        return opened[-1]

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def browser(open_browser: Open) -> TestClient:
    """A browser of a new visitor."""
    return open_browser()


@pytest.fixture
def recorded(database: None) -> Recorded:
    """Return what was recorded since the test began: action, name of the object, details."""
    with db.session() as opened:
        last = opened.scalar(text("SELECT max(id::text) FROM audit_event")) or ""

    def read() -> list[tuple[str, str | None, dict]]:
        with db.session() as opened:
            found = opened.execute(
                text("SELECT action, object_name, details FROM audit_event WHERE id::text > :last ORDER BY id"),
                {"last": last},
            )
            return [(row.action, row.object_name, row.details) for row in found]

    return read


def way_back(browser: TestClient, next: str = "/imports") -> str:
    """Go to the provider and sign in there; return the path and query to which it sends the browser back."""
    begun = browser.get("/sign-in/oidc/start", params={"next": next})
    assert begun.status_code == 303, begun.text
    answer = httpx.get(begun.headers["location"])
    assert answer.status_code == 302, answer.text
    address = urlsplit(answer.headers["location"])
    assert address.path == "/sign-in/oidc"
    return f"{address.path}?{address.query}"


def sign_in(browser: TestClient, next: str = "/imports") -> Response:
    """Sign in through the provider, and return the last answer."""
    return browser.get(way_back(browser, next))


def accounts() -> list[Any]:
    """Return all accounts, the oldest first."""
    with db.session() as opened:
        return list(opened.execute(text("SELECT * FROM account ORDER BY id")))
