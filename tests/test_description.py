"""What the OpenAPI document says about operations as a whole: their ids, who may call them, and their errors."""

import re
from typing import Any

from fastapi.routing import APIRoute, iter_route_contexts

from product_importer.api import KNOWN_ROUTES, describe

# The first words of operation ids.
VERBS = {
    "apply", "cancel", "create", "delete", "download", "edit", "export", "fix", "follow", "import", "list", "patch",
    "put", "read", "redeliver", "retry", "rotate", "start", "test", "undo", "upload",
}  # fmt: skip
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """Return all operations by method and path."""
    paths = describe()["paths"].items()
    return {(method.upper(), path): operation for path, methods in paths for method, operation in methods.items()}


def test_each_operation_has_the_plain_name_of_its_function():
    functions = {
        (method, route.path_format): route.endpoint.__name__
        for route in iter_route_contexts(KNOWN_ROUTES)
        if isinstance(route.original_route, APIRoute) and route.original_route.include_in_schema
        for method in route.methods
    }
    ids = {place: operation["operationId"] for place, operation in operations().items()}
    assert ids == functions and len(ids) > 30
    assert len(set(ids.values())) == len(ids)
    for name in ids.values():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name) and name.partition("_")[0] in VERBS, name


def test_everything_but_health_needs_a_session_or_a_token():
    document = describe()
    schemes = document["components"]["securitySchemes"]
    assert document["security"] == [{name: []} for name in schemes]
    assert {(scheme["type"], scheme.get("scheme") or scheme["name"]) for scheme in schemes.values()} == {
        ("http", "bearer"),
        ("apiKey", "pi_session"),
    }
    is_open = {place for place, operation in operations().items() if operation.get("security") == []}
    assert is_open == {("GET", "/api/health"), ("GET", "/api/ready")}
    for place, operation in operations().items():
        for status in ("401", "403"):
            answer = operation["responses"].get(status)
            assert (answer is None) if place in is_open else (answer["content"] == PROBLEM), (place, status)
    assert all(message["post"]["security"] == [] for message in document["webhooks"].values())


def test_each_json_answer_has_a_schema():
    for place, operation in operations().items():
        for status, answer in operation["responses"].items():
            if media := answer.get("content", {}).get("application/json"):
                assert {"$ref", "type"} & media["schema"].keys(), (place, status)


def test_each_operation_names_the_scopes_of_which_one_is_enough():
    described = operations()
    assert described["POST", "/api/webhooks"]["security"] == [{"token": ["admin"]}, {"session": ["admin"]}]
    assert described["GET", "/api/tokens"]["security"] == [{"token": ["admin"]}, {"session": ["read"]}]
    assert {"token": ["import"]} in described["GET", "/api/jobs/{job_id}"]["security"]
