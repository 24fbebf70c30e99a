"""The REST API of products."""

import json
import re
import threading
from uuid import UUID

import pytest

from product_importer.catalog import schemas, service
from product_importer.core import db
from product_importer.core.ids import new_id
from product_importer.imports.models import FINAL
from tests.catalog.conftest import events, problem

FIELDS = {"id", "sku", "name", "description", "active", "attributes", "version", "created_at", "updated_at"}
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"


def test_creating_a_product_records_an_event(client):
    given = {
        "sku": "  SKU-1 ",
        "name": " Mug\t",
        "description": " as it is ",
        "attributes": {" colour ": "red", "x": ""},
    }
    answer = client.post("/api/products", json=given)
    product = answer.json()
    assert answer.status_code == 201 and product.keys() == FIELDS
    assert answer.headers["location"] == f"/api/products/{product['id']}"
    assert answer.headers["etag"] == '"1"'
    assert (product["sku"], product["name"], product["description"]) == ("SKU-1", "Mug", " as it is ")
    assert (product["active"], product["attributes"], product["version"]) == (True, {"colour": "red"}, 1)
    assert re.fullmatch(MOMENT, product["created_at"]) and re.fullmatch(MOMENT, product["updated_at"])
    assert client.get(answer.headers["location"]).json() == product
    [payload] = events()
    assert payload.keys() == {"event_type", "product_id", "sku", "name", "timestamp"}
    assert {**payload, "timestamp": 0} == {
        "event_type": "product_created", "product_id": product["id"], "sku": "SKU-1", "name": "Mug", "timestamp": 0,
    }  # fmt: skip
    assert isinstance(payload["timestamp"], float)


@pytest.mark.parametrize("sku", ["SKU-1", "sku-1", " Sku-1\u00a0", "\u017fku-1", "\u200b sku-1\ufeff"])
def test_an_existing_sku_in_any_case_is_a_conflict(client, create, sku):
    product = create("SKU-1")
    body = problem(client.post("/api/products", json={"sku": sku, "name": "n"}), 409, "sku-taken")
    assert (body["product_id"], body["errors"][0]["field"]) == (product["id"], "sku")
    other = create("SKU-2")
    problem(client.patch(f"/api/products/{other['id']}", json={"sku": sku}), 409, "sku-taken")
    assert client.get(f"/api/products/{other['id']}").json() == other
    assert len(events()) == 2


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_only_the_given_fields_change(client, create, method):
    product = create(description="d", attributes={"colour": "red", "size": "L"})
    path = f"/api/products/{product['id']}"
    answer = client.request(method, path, json={"name": " New ", "attributes": {"colour": "blue", "size": ""}})
    changed = answer.json()
    assert (answer.status_code, answer.headers["etag"], changed["version"]) == (200, '"2"', 2)
    assert changed["updated_at"] > product["updated_at"]
    expected = {**product, "name": "New", "attributes": {"colour": "blue"}}
    assert {**changed, "version": 1, "updated_at": product["updated_at"]} == expected
    assert client.get(path).json() == changed
    assert [event["event_type"] for event in events()] == ["product_created", "product_updated"]
    assert events()[1]["name"] == "New"


def test_a_change_without_effect_makes_no_new_version(client, create):
    product = create(description="d", attributes={"colour": "red"})
    same = {name: product[name] for name in ("sku", "name", "description", "active", "attributes")}
    for body in ({}, same, {"sku": " SKU-1 "}):
        answer = client.put(f"/api/products/{product['id']}", json=body)
        assert (answer.json(), answer.headers["etag"]) == (product, '"1"')
    assert len(events()) == 1


def test_the_case_of_a_sku_can_change(client, create):
    product = create("SKU-1")
    changed = client.patch(f"/api/products/{product['id']}", json={"sku": "sku-1"}).json()
    assert (changed["sku"], changed["version"]) == ("sku-1", 2)


def test_deleting_a_product_records_an_event(client, create):
    product = create()
    path = f"/api/products/{product['id']}"
    answer = client.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [event["event_type"] for event in events()] == ["product_created", "product_deleted"]
    assert (events()[1]["product_id"], events()[1]["sku"]) == (product["id"], "SKU-1")
    problem(client.get(path), 404, "not-found")
    problem(client.delete(path), 404, "not-found")
    problem(client.put(path, json={"name": "x"}), 404, "not-found")
    create("sku-1")


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ('"1"', 200), ("*", 200), ('"7", "1"', 200), ('"7",W/"x"  ,"1"', 200),
        ('"2"', 412), ('W/"1"', 412), ('"x"', 412), ('""', 412), ('"01"', 412),
        ("1", 400), ("", 400), ('"1', 400), ('"1" "2"', 400), ('"1",', 400), ("nonsense", 400), ('w/"1"', 400),
    ],
)  # fmt: skip
def test_if_match_is_obeyed(client, create, header, status):
    path = f"/api/products/{create()['id']}"
    answer = client.patch(path, json={"name": "New"}, headers={"If-Match": header})
    assert answer.status_code == status, answer.text
    assert client.get(path).json()["version"] == (2 if status == 200 else 1)
    if status != 200:
        assert client.delete(path, headers={"If-Match": header}).status_code == status


def test_the_second_of_two_editors_is_shown_the_newer_values(client, create):
    path = f"/api/products/{create()['id']}"
    client.patch(path, json={"name": "First"}, headers={"If-Match": '"1"'})
    body = problem(client.patch(path, json={"name": "Second"}, headers={"If-Match": '"1"'}), 412, "stale")
    assert body["current"] == client.get(path).json()
    assert body["current"]["name"] == "First"


def test_if_none_match_is_obeyed(client, create):
    path = f"/api/products/{create()['id']}"
    for header in ('"1"', 'W/"1"', '"7", "1"', "*"):
        answer = client.get(path, headers={"If-None-Match": header})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')
    for header in ('"2"', "1", ""):
        assert client.get(path, headers={"If-None-Match": header}).status_code == 200


def test_head_answers_as_get_does(client, create):
    path = f"/api/products/{create()['id']}"
    assert client.head(path).headers["etag"] == '"1"'
    assert client.head("/api/products").status_code == 200
    assert client.head(f"/api/products/{new_id()}").status_code == 404


LONG = schemas.MAX_SKU + 1
NUL, HALF = "a\0b", "a\ud800b"
BAD = [
    ({"sku": ""}, "sku"),
    ({"sku": " \t\u00a0"}, "sku"),
    ({"sku": "x" * LONG}, "sku"),
    ({"sku": NUL}, "sku"),
    ({"sku": HALF}, "sku"),
    ({"sku": 1}, "sku"),
    ({"sku": None}, "sku"),
    ({"name": "  "}, "name"),
    ({"name": "x" * (schemas.MAX_NAME + 1)}, "name"),
    ({"name": NUL}, "name"),
    ({"name": HALF}, "name"),
    ({"name": None}, "name"),
    ({"description": "x" * (schemas.MAX_DESCRIPTION + 1)}, "description"),
    ({"description": NUL}, "description"),
    ({"description": HALF}, "description"),
    ({"description": None}, "description"),
    ({"active": None}, "active"),
    ({"active": "yes"}, "active"),
    ({"attributes": None}, "attributes"),
    ({"attributes": []}, "attributes"),
    ({"attributes": {"a": 1}}, "attributes.a"),
    ({"attributes": {" ": "x"}}, "attributes"),
    ({"attributes": {NUL: "x"}}, "attributes"),
    ({"attributes": {HALF: "x"}}, "attributes"),
    ({"attributes": {"a\u200bb": "x"}}, "attributes"),
    ({"attributes": {"a": NUL}}, "attributes"),
    ({"attributes": {"a": HALF}}, "attributes"),
    ({"attributes": {"a": "x", " a": "y"}}, "attributes"),
    ({"attributes": {"a" * 256: "x"}}, "attributes"),
    ({"attributes": {"a": "x" * 100_001}}, "attributes"),
    ({"attributes": {str(n): "x" for n in range(201)}}, "attributes"),
    ({"attributes": {str(n): "x" * 91_000 for n in range(11)}}, "attributes"),
    ({"attributes": {"SKU": "x"}}, "attributes"),
    ({"attributes": {" Name": "x"}}, "attributes"),
    ({"attributes": {"\u017fku": "x"}}, "attributes"),
    ({"attributes": {"_Line": "x"}}, "attributes"),
    ({"price": 1}, "price"),
    ({HALF: 1}, "body"),
    ({NUL: 1}, NUL),
]


@pytest.mark.parametrize(("change", "field"), BAD, ids=range(len(BAD)))
def test_a_bad_field_is_named(client, create, change, field):
    path = f"/api/products/{create()['id']}"
    headers = {"content-type": "application/json"}
    for method, target, base in (
        ("POST", "/api/products", {"sku": "new", "name": "n"}), ("PUT", path, {}), ("PATCH", path, {}),
    ):  # fmt: skip
        answer = client.request(method, target, content=json.dumps({**base, **change}), headers=headers)
        body = problem(answer, 422, "invalid-fields")
        assert [error["field"] for error in body["errors"]] == [field]
    assert len(events()) == 1


def test_several_bad_fields_are_all_named(client):
    body = problem(client.post("/api/products", json={"name": " ", "active": 1}), 422, "invalid-fields")
    assert {error["field"] for error in body["errors"]} == {"sku", "name", "active"}


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"sku": ', "application/json", 422),
        (b"", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b"\xff\xfe{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"1" * 10_000, "application/json", 400),
        (b'{"sku": "a", "name": "b"}', "text/plain", 415),
        (b'{"sku": "a", "name": "b"}', None, 415),
        (b"sku=a&name=b", "application/x-www-form-urlencoded", 415),
    ],
)
def test_a_body_that_is_no_json_object_is_rejected(client, create, body, content_type, status):
    headers = {} if content_type is None else {"content-type": content_type}
    path = f"/api/products/{create()['id']}"
    for method, target in (("POST", "/api/products"), ("PUT", path), ("PATCH", path)):
        answer = client.request(method, target, content=body, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(
    "path",
    [
        "/api/products?sku=%00",
        "/api/products?q=a%00",
        "/api/products?description=%00&name=%00",
        "/api/products?active=perhaps",
        f"/api/products?sku={'x' * 256}",
        "/api/products/export?q=%00",
        "/api/products/export?page=1",
    ],
)
def test_an_invalid_query_is_422(client, path):
    assert problem(client.get(path), 422, "invalid-fields")["errors"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("name", ["nonsense", "1", "%00", "%F0%9F%98%80", "0190b5c4", "x" * 5_000])
def test_an_invalid_id_is_404(client, method, name):
    assert client.request(method, f"/api/products/{name}", json={}).status_code == 404


def test_an_export_allows_only_get(client):
    for method in ("PUT", "PATCH", "DELETE"):
        answer = client.request(method, "/api/products/export", json={})
        problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == "GET"


def test_values_of_maximum_length_are_stored(client, create):
    """The SKU consists of musical notes, whose composed form takes three times the bytes: the longest key."""
    notes = "".join(chr(0x1D15E + n * 7 % 7) + chr(0x1D1BB + n * 5 % 6) for n in range(schemas.MAX_SKU))
    product = create(
        notes[: schemas.MAX_SKU],
        "n" * schemas.MAX_NAME,
        description="\U0001f600" * schemas.MAX_DESCRIPTION,
        attributes={"\U0001f600" * 255: "v" * 100_000} | {f"a{n}": "x" for n in range(199)},
    )
    assert client.get(f"/api/products/{product['id']}").json() == product
    assert client.get("/api/products", params={"sort": "name"}).json()["items"] == [product]


def test_deleting_all_products_records_one_event(client, create):
    for n in range(3):
        create(f"SKU-{n}")
    for query in ("", "?confirm=false", "?confirm=yes", "?confirm="):
        problem(client.delete(f"/api/products{query}"), 400, "not-confirmed")
    assert client.get("/api/products").json()["total"] == 3
    answer = client.delete("/api/products?confirm=true")
    assert (answer.status_code, answer.json()) == (200, {"deleted": 3})
    assert client.get("/api/products").json()["items"] == []
    payloads = events()[3:]
    assert [{**event, "timestamp": 0} for event in payloads] == [
        {"event_type": "products_deleted", "deleted": 3, "timestamp": 0}
    ]
    assert client.delete("/api/products?confirm=true").json() == {"deleted": 0}


def test_nothing_is_deleted_while_an_import_is_unfinished(client, create, run_import):
    from tests.imports.conftest import upload

    create()
    run_import("sku,name,description\nb,B,\n")
    job_id = upload(b"sku,name,description\na,b,c\n")
    body = problem(client.delete("/api/products?confirm=true"), 409, "import-running")
    assert body["job_id"] == str(job_id) and "catalogue.csv" in body["detail"]
    assert client.get("/api/products").json()["total"] == 2
    client.post(f"/api/jobs/{job_id}/cancel")
    assert client.delete("/api/products?confirm=true").json() == {"deleted": 2}


@pytest.mark.parametrize("status", ["pending", "processing", *sorted(FINAL)])
def test_only_an_import_in_a_final_status_lets_all_products_be_deleted(client, create, status):
    from tests.imports.conftest import execute, upload

    create()
    job_id = upload(b"sku,name,description\na,b,c\n")
    execute("UPDATE import_job SET status = %s WHERE id = %s", status, str(job_id))
    answer = client.delete("/api/products?confirm=true")
    if status in FINAL:
        assert answer.json() == {"deleted": 1}
    else:
        assert problem(answer, 409, "import-running")["detail"].startswith(
            f"The import of “catalogue.csv” is {status}."
        )


def test_an_import_that_begins_during_delete_all_comes_after_it(client, create, run_import):
    """The import waits at its first write. It loses no rows, and no older product is left."""
    create("old")
    file = "sku,name,description\n" + "".join(f"K{n},N,\n" for n in range(3_000))
    jobs = []
    importing = threading.Thread(target=lambda: jobs.append(run_import(file)))
    with db.session() as session:
        assert service.delete_all_products(session) == 1
        importing.start()
        importing.join(1.5)
        assert importing.is_alive()
    importing.join(60)
    assert (jobs[0].status, jobs[0].created) == ("completed", 3_000)
    assert client.get("/api/products").json()["total"] == 3_000


def test_deleting_all_products_conflicts_with_a_long_read(client, create, monkeypatch):
    create()
    monkeypatch.setattr(service, "DELETE_ALL_WAIT_SECONDS", 0.2)
    with db.engine().begin() as reader:
        reader.exec_driver_sql("SELECT 1 FROM product")
        problem(client.delete("/api/products?confirm=true"), 409, "catalogue-busy")
    assert client.delete("/api/products?confirm=true").json() == {"deleted": 1}


def test_of_concurrent_creations_of_one_sku_one_succeeds(client):
    answers = []
    start = threading.Barrier(6)

    def post(n: int) -> None:
        start.wait()
        answers.append(client.post("/api/products", json={"sku": "sKu" if n % 2 else "SKU", "name": "n"}).status_code)

    threads = [threading.Thread(target=post, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409, 409, 409, 409, 409]
    assert len(events()) == 1


def test_of_concurrent_changes_of_one_version_one_succeeds(client, create):
    path = f"/api/products/{create()['id']}"
    answers = []
    start = threading.Barrier(6)

    def patch(n: int) -> None:
        start.wait()
        answers.append(client.patch(path, json={"name": f"by {n}"}, headers={"If-Match": '"1"'}).status_code)

    threads = [threading.Thread(target=patch, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 412, 412, 412, 412, 412]
    assert client.get(path).json()["version"] == 2


def test_a_product_whose_key_stayed_behind_can_be_edited(client, create):
    """An upgrade left it its earlier key, because another product has the new one."""
    product, _ = create("x"), create("KEPT")
    with db.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE product SET sku = %s, sku_key = %s WHERE sku = 'x'", ("kept\u200b",) * 2)
    path = f"/api/products/{product['id']}"
    edited = client.patch(path, json={"name": "New"})
    assert (edited.status_code, edited.json()["sku"], edited.json()["name"]) == (200, "kept\u200b", "New")
    problem(client.patch(path, json={"sku": "kept\u200b"}), 409, "sku-taken")
    assert client.patch(path, json={"sku": "Kept 2"}).json()["sku"] == "Kept 2"
    assert db.run(service.is_sku_taken, "kept 2")


@pytest.mark.parametrize("field", ["sku", "q"])
def test_a_pasted_sku_is_found(client, create, field):
    product = create("SKU-1")
    found = client.get("/api/products", params={field: "\u200e\u200bsku-1\ufeff"}).json()
    assert [item["id"] for item in found["items"]] == [product["id"]]


def test_a_taken_sku_is_recognised_in_any_case(create):
    product = create("SKU-1")
    assert db.run(service.is_sku_taken, " sku-1")
    assert not db.run(service.is_sku_taken, "sku-1", UUID(product["id"]))
    assert not db.run(service.is_sku_taken, "SKU-2")
    assert not db.run(service.is_sku_taken, "SKU\0")
    assert not db.run(service.is_sku_taken, "SKU\ud800")


def test_single_products_are_exported_by_their_ids(client):
    made = [client.post("/api/products", json={"sku": sku, "name": sku}).json()["id"] for sku in ("a", "b", "c")]
    chosen = "&".join(f"product_id={id}" for id in made[:2])
    assert client.get(f"/api/products/export?columns=sku&{chosen}").text == "sku\r\na\r\nb\r\n"
    assert client.get(f"/api/products/export?columns=sku&sku=b&{chosen}").text == "sku\r\nb\r\n"
    for wrong in (f"product_id={made[0]}&product_id={made[0]}", "product_id=x", "product_id=" * 1):
        refused = client.get(f"/api/products/export?{wrong}")
        assert (refused.status_code, refused.json()["errors"][0]["field"].partition(".")[0]) == (422, "product_id")
