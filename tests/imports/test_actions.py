"""Actions on products: what they change, what they count, and what is refused."""

import json
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from product_importer.core import db
from product_importer.core.errors import Conflict
from product_importer.core.pagination import PageQuery
from product_importer.core.settings import settings
from product_importer.imports import service, tasks
from product_importer.imports.progress import current
from product_importer.imports.schemas import ImportRead
from tests.imports.conftest import execute
from tests.imports.pipeline.test_runner import fetch

Start = Callable[..., ImportRead]
HEAD = "sku,name,description,active,colour,season"
FILE = (
    f"{HEAD}\na1,Apple,red,yes,r,\na2,Apricot,orange,no,,summer\nb1,Bread,brown,yes,b,winter\nc1,Cake,sweet,yes,,\n"
)


@pytest.fixture
def start(client) -> Start:
    """Start an action by REST and run it in this process; return the ended job."""

    def run(parameters: str = "", **body) -> ImportRead:
        answer = client.post(f"/api/products/actions?{parameters}", json=body)
        assert answer.status_code == 202, answer.text
        assert answer.headers["Location"] == f"/api/jobs/{answer.json()['job_id']}"
        tasks.run_import(answer.json()["job_id"])
        return current(UUID(answer.json()["job_id"]))

    return run


def catalogue() -> dict[str, tuple]:
    rows = fetch("SELECT sku, name, description, active, attributes FROM product")
    return {sku: tuple(rest) for sku, *rest in rows}


def whole() -> list:
    return fetch(
        "SELECT id, sku, sku_key, name, description, active, attributes, created_at FROM product ORDER BY sku_key"
    )


def id_of(sku: str) -> str:
    [(product_id,)] = fetch(f"SELECT id FROM product WHERE sku = '{sku}'")
    return str(product_id)


def counts(job: ImportRead) -> dict[str, int]:
    assert job.processed_rows == job.total_rows
    found = {name: getattr(job, name) for name in ("updated", "unchanged", "deleted")}
    assert sum(found.values()) == job.total_rows
    return {name: count for name, count in found.items() if count}


def run_undo(job: ImportRead) -> ImportRead:
    db.run(service.undo_import, job.id)
    tasks.run_undo(str(job.id))
    return current(job.id)


def kept(job: ImportRead) -> dict[str, str]:
    return {item.sku: item.reason for item in db.run(service.list_undo_kept, job.id, PageQuery()).items}


def test_what_matches_is_deactivated_and_that_is_undone(run_import, start: Start):
    run_import(FILE)
    before = catalogue()
    job = start("sku=A", action="deactivate")
    assert (job.status, job.percent, job.filename) == ("completed", 100, "Deactivate products")
    assert counts(job) == {"updated": 1, "unchanged": 1}
    assert {sku for sku, values in catalogue().items() if not values[2]} == {"a1", "a2"}
    assert run_undo(job).undo.restored == 1
    assert catalogue() == before
    with pytest.raises(Conflict, match=r"^The action was undone already\.$"):
        run_undo(job)


def test_an_action_says_what_it_does_and_has_no_file(run_import, start: Start, client):
    run_import(FILE)
    job = start("name=apri&active=false", action="activate", product_ids=[id_of("a2"), id_of("a1")])
    shown = client.get(f"/api/jobs/{job.id}").json()
    assert shown["action"] == {
        "kind": "activate",
        "values": None,
        "filter": {"name": "apri", "active": False},
        "selected": 2,
    }
    assert (shown["file_available"], shown["size_bytes"], shown["columns"]) == (False, 0, {})
    assert counts(job) == {"updated": 1, "unchanged": 1}, "what does not match the filter stays as it is"
    assert client.get("/api/jobs").json()["items"][0]["action"]["kind"] == "activate"
    assert client.get("/api/jobs").json()["items"][1]["action"] is None
    assert client.get(f"/api/jobs/{job.id}/rejects").status_code == 200
    for what in ("apply", "retry", "fix"):
        assert client.post(f"/api/jobs/{job.id}/{what}").status_code == 409


def test_fields_and_attributes_are_set(run_import, start: Start):
    run_import(FILE)
    before = catalogue()
    values = {"description": "<b>", "attributes": {" season ": "spring", "colour": "", "%s": "100%"}}
    job = start("q=a", action="set", values=values)
    assert counts(job) == {"updated": 4}
    assert job.filename == "Set 4 fields of products"
    attributes = {"season": "spring", "%s": "100%"}
    assert catalogue() == {sku: (name, "<b>", active, attributes) for sku, (name, _, active, _) in before.items()}
    assert counts(start("q=a", action="set", values=values)) == {"unchanged": 4}
    assert run_undo(job).undo.restored == 4
    assert catalogue() == before


def test_one_field_of_all_products_is_set_if_that_is_confirmed(run_import, start: Start, client):
    run_import(FILE)
    body = {"action": "set", "values": {"name": "One name"}}
    refused = client.post("/api/products/actions", json=body)
    assert (refused.status_code, refused.json()["type"]) == (400, "/api/problems/not-confirmed")
    assert client.post("/api/products/actions?sku=&q=", json=body).status_code == 400
    assert counts(start("confirm=true", **body)) == {"updated": 4}
    assert {values[0] for values in catalogue().values()} == {"One name"}


def test_deleted_products_are_brought_back_as_they_were(run_import, start: Start):
    run_import(FILE)
    before, versions = whole(), dict(fetch("SELECT sku, version FROM product"))
    job = start("description=e", action="delete")
    assert counts(job) == {"deleted": 3}
    assert set(catalogue()) == {"b1"}
    undone = run_undo(job)
    assert (undone.undo.status, undone.undo.restored, undone.undo.kept) == ("undone", 3, 0)
    assert whole() == before
    after = dict(fetch("SELECT sku, version FROM product"))
    assert after == {sku: version + (sku != "b1") for sku, version in versions.items()}
    [(count,)] = fetch("SELECT sum(delta) FROM product_count")
    assert count == 4, "the number of products must be right"


def test_an_import_before_a_deletion_can_be_undone_after_it(run_import, start: Start):
    run_import(FILE)
    before = catalogue()
    second = run_import(FILE.replace("Apple", "Pear").replace("c1,Cake", "d1,New"))
    run_undo(start("confirm=true", action="delete"))
    undone = run_undo(second)
    assert (undone.undo.removed, undone.undo.restored, undone.undo.kept) == (1, 1, 0)
    assert catalogue() == before


def test_a_product_whose_sku_is_taken_is_not_brought_back(run_import, start: Start):
    run_import(FILE)
    job = start("confirm=true", action="delete")
    run_import("sku,name,description\nA1,Mine,x\n")
    undone = run_undo(job)
    assert (undone.undo.restored, undone.undo.kept) == (3, 1)
    assert kept(job) == {"a1": "Another product has its SKU now."}
    assert catalogue()["A1"][0] == "Mine"


def test_products_changed_since_are_kept(run_import, start: Start, client):
    run_import(FILE)
    job = start("confirm=true", action="set", values={"active": False})
    assert client.patch(f"/api/products/{id_of('a1')}", json={"name": "Mine"}).status_code == 200
    execute("DELETE FROM product WHERE sku = 'b1'")
    undone = run_undo(job)
    assert (undone.undo.restored, undone.undo.kept) == (1, 2)
    assert kept(job) == {
        "a1": "It was changed again afterwards.",
        "": "It was deleted afterwards, and is not brought back.",
    }


def test_a_product_that_is_gone_is_unchanged(run_import, start: Start):
    run_import(FILE)
    job = start("", action="delete", product_ids=[id_of("a1"), str(uuid4())])
    assert counts(job) == {"deleted": 1, "unchanged": 1}


def test_nothing_that_matches_is_an_action_without_undo(run_import, start: Start):
    run_import(FILE)
    job = start("sku=nowhere", action="delete")
    assert (job.status, job.total_rows, job.undo) == ("completed", 0, None)


def test_all_batches_are_written_and_forgotten(run_import, start: Start):
    rows = "".join(f"s{number},Name {number},x\n" for number in range(3_500))
    imported = run_import(f"sku,name,description\n{rows}")
    job = start(f"import={imported.id}", action="deactivate")
    assert counts(job) == {"updated": 3_500}
    assert fetch("SELECT count(*) FROM product WHERE NOT active AND version = 2") == [(3_500,)]
    assert fetch("SELECT count(*) FROM import_action_batch") == [(0,)]
    assert run_undo(job).undo.restored == 3_500


@pytest.mark.parametrize(
    ("parameters", "body", "field"),
    [
        ("", {}, "action"),
        ("", {"action": "explode"}, "action"),
        ("", {"action": ["delete"]}, "action"),
        ("", {"action": "delete", "values": {"name": "x"}}, "values"),
        ("", {"action": "set"}, "values"),
        ("", {"action": "set", "values": {}}, "values"),
        ("", {"action": "set", "values": {"sku": "x"}}, "sku"),
        ("", {"action": "set", "values": {"name": " "}}, "name"),
        ("", {"action": "set", "values": {"name": None}}, "name"),
        ("", {"action": "set", "values": {"active": "yes"}}, "active"),
        ("", {"action": "set", "values": {"description": "\0"}}, "description"),
        ("", {"action": "set", "values": {"attributes": {}}}, "attributes"),
        ("", {"action": "set", "values": {"attributes": {"SKU": "x"}}}, "attributes"),
        ("", {"action": "set", "values": {"attributes": {"a": "x\0"}}}, "attributes"),
        ("", {"action": "delete", "product_ids": []}, "product_ids"),
        ("", {"action": "delete", "product_ids": ["x"]}, "product_ids"),
        ("", {"action": "delete", "product_ids": [str(UUID(int=1))] * 2}, "product_ids"),
        ("", {"action": "delete", "product_ids": [str(UUID(int=at)) for at in range(10_001)]}, "product_ids"),
        ("", {"action": "delete", "filter": {"sku": "a"}}, "filter"),
        ("confirm=yes", {"action": "delete"}, "confirm"),
        ("confirm=true&sku=a&sku=b", {"action": "delete"}, "sku"),
        ("confirm=true&page=1", {"action": "delete"}, "page"),
        ("action=delete&sku=a", {"action": "delete"}, "action"),
        ("active=maybe", {"action": "delete"}, "active"),
        ("sku=%00", {"action": "delete"}, "sku"),
    ],
)
def test_a_wrong_request_names_the_field_and_starts_nothing(client, parameters, body, field):
    answer = client.post(f"/api/products/actions?{parameters}", json=body)
    assert answer.status_code == 422, answer.text
    assert any(field in error["field"] or field in error["message"] for error in answer.json()["errors"]), answer.text
    assert fetch("SELECT count(*) FROM import_job") == [(0,)]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"set"', b'{"action": "set", "action": "delete"}'])
def test_a_body_that_is_no_action_is_refused(client, body):
    answer = client.post("/api/products/actions?sku=a", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text


def test_deleting_all_products_waits_for_an_action(run_import, client):
    run_import(FILE)
    assert client.post("/api/products/actions?sku=a", json={"action": "activate"}).status_code == 202
    refused = client.delete("/api/products?confirm=true")
    assert refused.status_code == 409 and "The action “Activate products” is pending" in refused.json()["detail"]


def test_an_action_is_recorded_with_its_products_and_its_counts(run_import, start: Start, client):
    run_import(FILE)
    job = start("sku=a", action="set", values={"active": True})
    run_undo(job)
    entries = client.get(f"/api/audit?object_id={job.id}").json()["items"]
    assert [entry["action"] for entry in entries] == [
        "import_undone",
        "import_undo_requested",
        "products_action_ended",
        "products_action_started",
    ]
    assert entries[-1]["details"] == {"kind": "set", "values": {"active": True}, "filter": {"sku": "a"}}
    assert entries[-2]["details"]["counts"] == {"total": 2, "updated": 1, "unchanged": 1, "deleted": 0}


def test_attributes_narrow_an_action_as_they_narrow_the_list(run_import, start: Start):
    run_import(FILE)
    assert counts(start("attribute.season=", action="deactivate")) == {"updated": 1, "unchanged": 1}
    assert [sku for sku, values in catalogue().items() if not values[2]] == ["a2", "b1"]
    assert counts(start("attribute.colour=B&attribute.season=wint", action="delete")) == {"deleted": 1}
    assert catalogue().keys() == {"a1", "a2", "c1"}


def test_an_attribute_narrows_what_is_set_and_what_is_retried(run_import, start: Start, client):
    run_import(FILE)
    before = catalogue()
    assert counts(start("attribute.season=", action="set", values={"attributes": {"season": ""}})) == {"updated": 2}
    assert {sku for sku, values in catalogue().items() if values != before[sku]} == {"a2", "b1"}
    answer = client.post("/api/products/actions?attribute.colour=R", json={"action": "delete"})
    job_id = answer.json()["job_id"]
    for what in ("cancel", "retry"):
        assert client.post(f"/api/jobs/{job_id}/{what}").status_code == 202
    # It does not match any more when the action begins.
    execute("""UPDATE product SET attributes = '{"colour": "red"}' WHERE sku = 'c1'""")
    execute("""UPDATE product SET attributes = '{"colour": "blue"}' WHERE sku = 'a1'""")
    tasks.run_import(job_id)
    job = current(UUID(job_id))
    assert (job.status, job.deleted, job.action and job.action.filter) == ("completed", 1, {"attribute.colour": "R"})
    assert catalogue().keys() == {"a1", "a2", "b1"}
    refused = client.post("/api/products/actions?attribute.=x", json={"action": "delete"})
    assert refused.status_code == 422


def test_a_product_that_can_take_no_more_attributes_stays_as_it_is_and_is_counted(run_import, start: Start):
    run_import(FILE)
    full = {f"n{number}": "x" for number in range(200)}
    long = {f"n{number}": "x" * 99_990 for number in range(10)}
    for sku, attributes in (("a1", full), ("a2", long)):
        execute("UPDATE product SET attributes = %s WHERE sku = %s", json.dumps(attributes), sku)
    before = catalogue()
    job = start("confirm=true", action="set", values={"active": False, "attributes": {"season": "x" * 100}})
    assert counts(job) == {"updated": 2, "unchanged": 2}
    [warning] = job.warnings
    assert (warning.code, warning.count, warning.first_line) == ("attributes_full", 2, None)
    assert {sku for sku, values in catalogue().items() if values == before[sku]} == {"a1", "a2"}
    # What takes no more room is set, and what gives some back.
    values = {"active": False, "attributes": {"n0": "y", "n1": ""}}
    again = start("attribute.n0=", action="set", values=values)
    assert (counts(again), again.warnings) == ({"updated": 2}, [])
    assert counts(start("sku=a1", action="set", values={"attributes": {"season": "y"}})) == {"updated": 1}
    assert len(catalogue()["a1"][3]) == 200
    removed = start("sku=a1", action="set", values={"attributes": {"n2": ""}})
    assert (counts(removed), len(catalogue()["a1"][3])) == ({"updated": 1}, 199)
    assert run_undo(removed).undo.restored == 1


def test_products_that_are_full_are_counted_over_all_batches(run_import, start: Start, monkeypatch):
    rows = "".join(f"s{number},Name,x\n" for number in range(50))
    run_import(f"sku,name,description\n{rows}")
    full = json.dumps({f"n{number}": "x" for number in range(200)})
    execute("UPDATE product SET attributes = %s WHERE sku LIKE %s", full, "s_")
    monkeypatch.setattr(settings(), "batch_size", 5)
    job = start("confirm=true", action="set", values={"attributes": {"season": "x"}})
    assert counts(job) == {"updated": 40, "unchanged": 10}
    assert [(warning.code, warning.count) for warning in job.warnings] == [("attributes_full", 10)]
