"""Every route rejects unknown and repeated parameters, fields and headers."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from product_importer.access import permissions
from product_importer.api import DOCS, OPENAPI, api
from product_importer.core.ids import new_id
from product_importer.strict import LENIENT
from tests.waiting import finish

JSON = {"content-type": "application/json"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in api.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


STRICT = [(method, path) for method, path, _ in operations() if path not in LENIENT]
UNLISTED = [("GET", OPENAPI), ("GET", DOCS), ("HEAD", "/api/products")]
BODILESS = [
    (method, path)
    for method, path, operation in operations()
    if path not in LENIENT and "requestBody" not in operation
]
WITH_JSON = [
    (method, path)
    for method, path, operation in operations()
    if "application/json" in operation.get("requestBody", {}).get("content", {})
]


def ask(client, method: str, path: str, query: str = "", **options: Any):
    for name in ("job_id", "product_id", "webhook_id", "delivery_id", "token_id"):
        path = path.replace(f"{{{name}}}", str(new_id()))
    return client.request(method, path + query, **options)


def errors(answer) -> dict[str, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "/api/problems/invalid-fields"), problem
    return {error["field"]: error["message"] for error in problem["errors"]}


def test_three_routes_ignore_unknown_parameters():
    assert {path for _, path, _ in operations()} >= LENIENT == {"/api/health", "/api/ready", "/metrics"}
    assert len(STRICT) > 25 and len(BODILESS) > 20 and len(WITH_JSON) == 8


@pytest.mark.parametrize(("method", "path"), STRICT)
def test_an_unknown_parameter_is_rejected_on_every_route(client, method, path):
    assert set(errors(ask(client, method, path, "?nonsense=1"))) == {"nonsense"}


@pytest.mark.parametrize(("method", "path"), UNLISTED)
def test_an_unknown_parameter_is_rejected_on_routes_outside_the_document(client, method, path):
    assert ask(client, method, path, "?nonsense=1").status_code == 422
    assert ask(client, method, path).status_code == 200


@pytest.mark.parametrize("path", sorted(LENIENT))
def test_probes_may_add_any_parameters(client, path):
    assert client.get(f"{path}?nonsense=1&nonsense=2").status_code in (200, 503)


@pytest.mark.parametrize(("method", "path"), BODILESS)
def test_a_body_is_rejected_where_none_is_accepted(client, method, path):
    assert errors(ask(client, method, path, json={"dry_run": True})) == {"body": "This route accepts no body."}
    assert errors(ask(client, method, path, data={"sku": "a"})) == {"body": "This route accepts no body."}


def test_an_empty_body_is_ignored(client):
    for content in (b"", b"{}"):
        assert client.request("GET", "/api/jobs", content=content, headers=JSON).status_code == 200


def test_an_endless_body_is_not_read_where_none_is_accepted(database):
    scope = {"type": "http", "method": "GET", "path": "/api/jobs", "query_string": b"", "headers": []}
    asked, sent = [], []

    async def receive() -> dict[str, Any]:
        asked.append(1)
        return {"type": "http.request", "body": b"x" * 1_000, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    finish(api(scope, receive, send))
    assert (sent[0]["status"], len(asked)) == (422, 1)


@pytest.mark.parametrize(("method", "path"), WITH_JSON)
def test_an_unknown_or_repeated_field_of_a_json_body_is_rejected(client, method, path):
    assert "nonsense" in errors(ask(client, method, path, json={"nonsense": 1}))
    twice = errors(ask(client, method, path, content=b'{"enabled": true, "enabled": false}', headers=JSON))
    assert twice["enabled"] == "It was sent more than once."


def test_a_similar_name_is_suggested(client):
    for query, meant in (("pagesize=1", "page_size"), ("PAGE=1", "page"), ("Status=failed", "status")):
        [message] = errors(client.get(f"/api/jobs?{query}")).values()
        assert f"Did you mean “{meant}”?" in message
    [message] = errors(client.get("/api/jobs?colour=red")).values()
    assert message.endswith("Known fields: page, page_size, status, q.")
    found = errors(client.post("/api/products", json={"sku": "a", "name": "b", "Descripton": "c"}))
    assert "Did you mean “description”?" in found["Descripton"]


@pytest.mark.parametrize("name", ["dry_run", "dryrun", "DRY_RUN"])
def test_a_form_field_sent_as_a_parameter_is_rejected_with_its_place(client, name):
    file = {"file": ("a.csv", b"sku,name,description\na,b,c\n")}
    [message] = errors(client.post(f"/api/upload-csv?{name}=true", files=file)).values()
    assert message == "This is not a query parameter. “dry_run” is a field of the body: send it there."
    assert client.get("/api/jobs").json()["total"] == 0


def test_a_repeated_parameter_is_rejected(client):
    assert set(errors(client.get("/api/products?page=1&sku=a&page=1"))) == {"page"}
    made = client.post("/api/products", json={"sku": "a", "name": "b"}).json()
    assert set(errors(client.delete("/api/products?confirm=false&confirm=true"))) == {"confirm"}
    assert client.get(f"/api/products/{made['id']}").status_code == 200


def test_all_wrong_parameters_are_named_at_once(client):
    assert set(errors(client.get("/api/jobs?pages=1&page_size=1.0&q=a&q=b"))) == {"pages", "page_size", "q"}


def test_only_the_first_of_very_many_errors_are_named(client):
    """Suggestions for 8,000 unknown names would block the process for seconds."""
    names = [f"n{number}" for number in range(8_000)]
    assert list(errors(client.get(f"/api/products?{'&'.join(names)}"))) == names[:20]
    # The errors of pydantic for the missing “sku” and “name” are not among them.
    assert list(errors(client.post("/api/products", json=dict.fromkeys(names)))) == names[:20]


def test_a_repeated_nested_name_is_named_with_its_path(client):
    body = b'{"sku": "a", "name": "b", "attributes": {"colour": "red", "size": "s", "colour": "blue"}}'
    assert set(errors(client.post("/api/products", content=body, headers=JSON))) == {"attributes.colour"}
    assert client.get("/api/products").json()["total"] == 0


def test_a_repeated_header_is_rejected(client):
    made = client.post("/api/products", json={"sku": "a", "name": "b"}).json()
    stale_and_good = [("If-Match", '"7"'), ("If-Match", '"1"')]
    assert set(errors(client.delete(f"/api/products/{made['id']}", headers=stale_and_good))) == {"if-match"}


@pytest.mark.parametrize("depth", [500, 5_000, 100_000])
def test_a_deeply_nested_body_is_rejected(client, depth):
    body = b'{"attributes": ' + b'{"a": ' * depth + b"1" + b"}" * depth + b"}"
    assert client.post("/api/products", content=body, headers=JSON).status_code in (400, 422)


@pytest.mark.parametrize("page", ["1.0", "1e3", "%201", "1%20", "%2B1", "1_0", "0x1", "", "%EF%BC%91", "1%0A"])
def test_a_number_must_be_written_in_digits(client, page):
    assert set(errors(client.get(f"/api/jobs?page={page}"))) == {"page"}


@pytest.mark.parametrize(
    "since",
    ["0.5", "0", "1700000000", "20261101", "2026-11-01", "2026-11-01T00:00:00", "2026-11-01T00:00:00 01:00", ""],
)
def test_a_time_must_have_a_date_a_time_and_a_zone(client, since):
    made = client.post("/api/webhooks", json={"url": "https://example.com/"}).json()
    answer = client.post(f"/api/webhooks/{made['id']}/redeliver", params={"since": since})
    assert set(errors(answer)) == {"since"}


@pytest.mark.parametrize("since", ["2026-11-01T00:00:00Z", "2026-11-01T00:00+01:00", "2026-11-01T00:00:00.5-0130"])
def test_usual_notations_of_a_time_are_accepted(client, since):
    made = client.post("/api/webhooks", json={"url": "https://example.com/"}).json()
    answer = client.post(f"/api/webhooks/{made['id']}/redeliver", params={"since": since})
    assert (answer.status_code, answer.json()) == (202, {"redelivered": 0})


@pytest.mark.parametrize("wrong", ["urn:uuid:{}", "{{{}}}", "%20{}", "{}%20"])
def test_an_id_must_be_a_plain_uuid(client, wrong):
    assert set(errors(client.get(f"/api/jobs/{wrong.format(new_id())}"))) == {"job_id"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/jobs/%0A",
        "/api/products/a%0Ab",
        "/api/%0A",
        "/api%0A",
        "/api/products%0A",
        "/metrics%0A",
        "/%0A",
        "/a%0Ab/c",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_path_with_a_line_break_matches_no_route(client, method, path):
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["type"] == "/api/problems/not-found"


def test_an_id_followed_by_a_line_break_is_not_found(client):
    made = client.post("/api/products", json={"sku": "a", "name": "b"}).json()
    assert client.delete(f"/api/products/{made['id']}%0A").status_code == 404
    assert client.get(f"/api/products/{made['id']}").status_code == 200


@pytest.mark.parametrize("value", ["", " ", '""x', "1"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_an_invalid_condition_is_rejected_without_effect(client, method, value):
    made = client.post("/api/products", json={"sku": "a", "name": "b"}).json()
    body = {} if method == "DELETE" else {"json": {"name": "c"}}
    answer = client.request(method, f"/api/products/{made['id']}", headers={"If-Match": value}, **body)
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/bad-header")
    assert client.get(f"/api/products/{made['id']}").json() == made


def test_a_new_route_is_strict_too(monkeypatch):
    monkeypatch.setitem(permissions.ROUTES, "create", None)
    new = FastAPI(dependencies=api.router.dependencies)
    new.exception_handlers = api.exception_handlers

    @new.post("/new")
    def create(size: int = 1) -> int:
        return size

    with TestClient(new) as client:
        assert client.post("/new?size=2").json() == 2
        assert "Did you mean “size”?" in errors(client.post("/new?sise=2"))["sise"]
        assert set(errors(client.post("/new", content=b"x"))) == {"body"}
