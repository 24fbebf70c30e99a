"""Each route of the API as a stranger, a viewer, an editor and an administrator, and as tokens of theirs."""

import re
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from product_importer.access import permissions
from product_importer.access.schemas import ROLE_PERMISSIONS, Permission, Role
from product_importer.api import api
from tests.access.people import add_person, add_token, bearer, cookie

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def _routes(routes, prefix: str = ""):
    """Yield every route of the application with its path, also those of included routers."""
    for route in routes:
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield method, prefix + route.path, route.endpoint.__name__
        elif hasattr(route, "original_router"):
            context = route.include_context
            yield from _routes(route.original_router.routes, prefix + context.prefix)


ROUTES = sorted(_routes(api.routes))
NAMED = [pytest.param(*route, id=f"{route[0]} {route[1]}") for route in ROUTES]


def test_all_routes_are_found():
    described = {
        (method.upper(), path) for path, operations in api.openapi()["paths"].items() for method in operations
    }
    found = {(method, re.sub(r":uuid", "", path)) for method, path, _ in ROUTES}
    assert found >= described
    assert found - described == {
        ("GET", "/api/docs"),
        ("GET", "/api/openapi.json"),
        ("HEAD", "/api/products"),
        ("HEAD", "/api/products/{product_id}"),
        ("HEAD", "/api/products/{product_id}/history"),
    }


def test_each_route_has_a_permission_and_each_permission_a_route():
    assert {name for _, _, name in ROUTES} == set(permissions.ROUTES)


def _status(client, method: str, path: str, headers: dict[str, str]) -> int:
    """Ask for something that does not exist, so that nothing changes."""
    address = re.sub(r"\{[^}]*\}", str(uuid4()), path)
    answer = client.request(method, address, headers=headers)
    # No worker runs here.
    assert answer.status_code < 500 or path == "/api/ready", answer.text
    return answer.status_code


@pytest.mark.parametrize(("method", "path", "name"), NAMED)
def test_a_route_admits_who_has_its_permission_and_nobody_else(guarded, method, path, name):
    by_person, by_token = (permissions.alternatives(name, by_token=by) for by in (False, True))
    assert (_status(guarded, method, path, {}) == 401) == bool(by_person)
    for role in Role:
        person, allowed = add_person(role), ROLE_PERMISSIONS[role]
        may = not by_person or bool(by_person & allowed)
        assert (_status(guarded, method, path, cookie(person)) == 403) != may
        for scope in Permission:
            token = bearer(add_token(person, scope))
            has = not by_token or bool(by_token & allowed & {scope})
            assert (_status(guarded, method, path, token) == 403) != has


def test_a_route_that_is_not_listed_is_refused(guarded, monkeypatch):
    monkeypatch.delitem(permissions.ROUTES, "list_products")
    answer = guarded.get("/api/products", headers=cookie(add_person(Role.ADMIN)))
    assert (answer.status_code, answer.json()["type"]) == (403, "/api/problems/forbidden")
    assert "list_products" in answer.json()["detail"]


def test_strangers_are_told_of_readiness_only_yes_or_no(guarded):
    assert guarded.get("/api/ready").json() == {"ready": False, "checks": []}
    named = guarded.get("/api/ready", headers=cookie(add_person(Role.VIEWER))).json()["checks"]
    assert "postgresql" in {check["name"] for check in named}


@pytest.mark.parametrize("path", ["/api", "/api/nothing", "/metrics", "/api/docs/assets/swagger-ui.css", "/_upload"])
def test_strangers_learn_nothing_of_other_paths(guarded, path):
    answer = guarded.get(path)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["type"] == "/api/problems/unauthenticated"
