"""Old addresses of the products lead to the new ones."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from product_importer.catalog.pages.listing import ProductListing
from product_importer.ui import routes
from product_importer.ui.moved_addresses import MovedAddresses


@pytest.fixture
def client() -> TestClient:
    """A client of an application that answers everything with its own words."""
    inner = Starlette(routes=[Route(path, lambda _: PlainTextResponse("own")) for path in ("/", "/imports")])
    moved = MovedAddresses(inner, routes.OVERVIEW, routes.PRODUCTS, ProductListing.parameter_names())
    return TestClient(moved, follow_redirects=False)


@pytest.mark.parametrize(
    "query",
    [
        "sku=x&page=2",
        "name=%C3%A4%20%26%20b",
        "description=",
        "active=false",
        "import=0197-a",
        "sort=-name",
        "page=7",
        "page_size=25&utm_source=mail",
        "sku=//evil.example",
    ],
)
def test_an_address_with_filters_leads_to_the_products_with_the_same_filters(client: TestClient, query: str):
    answer = client.get(f"/?{query}")
    assert answer.status_code == httpx.codes.TEMPORARY_REDIRECT
    assert answer.headers["location"] == f"/products?{query}"
    assert client.head(f"/?{query}").headers["location"] == f"/products?{query}"


@pytest.mark.parametrize("address", ["/", "/?", "/?utm_source=mail", "/?Sku=x", "/imports?page=2"])
def test_other_addresses_stay(client: TestClient, address: str):
    assert client.get(address).text == "own"
