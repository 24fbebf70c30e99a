"""The record: it can only be added to, is kept as long as is set, and is listed and downloaded."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from psycopg2.errors import InsufficientPrivilege
from sqlalchemy.exc import ProgrammingError

from product_importer.access import audit, audit_log
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.models import AuditEvent
from product_importer.access.principal import Principal, PrincipalKind
from product_importer.core import db
from product_importer.core.ids import new_id
from product_importer.core.settings import settings
from tests.access.records import entries

ANN = Principal(PrincipalKind.PERSON, id=uuid4(), name="Ann@shop.example", address="203.0.113.9")
BOB = Principal(PrincipalKind.TOKEN, id=uuid4(), name="bob_100%")


def add(action: AuditAction = AuditAction.PRODUCT_CREATED, by: Principal = ANN, **given) -> None:
    db.run(audit.record, action, by=by, **given)


def add_aged(*days: float) -> None:
    """Add an entry for each age in days."""

    def insert(session) -> None:
        for age in days:
            at = datetime.now(UTC) - timedelta(days=age)
            session.add(AuditEvent(at=at, action="signed_in", actor_kind="person", actor_name=f"{age} days"))

    db.run(insert)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_event SET actor_name = 'nobody'", "DELETE FROM audit_event", "TRUNCATE audit_event"],
)
def test_an_entry_can_neither_be_changed_nor_deleted(database, statement):
    add()
    with pytest.raises(ProgrammingError, match="can only be added to") as refused, db.engine().begin() as connection:
        connection.exec_driver_sql(statement)
    assert isinstance(refused.value.orig, InsufficientPrivilege)
    assert [entry.actor_name for entry in entries()] == [ANN.name]


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET actor_name = 'nobody'", "TRUNCATE audit_event"])
def test_the_setting_of_the_retention_allows_deletes_only(database, statement):
    add()
    with pytest.raises(ProgrammingError), db.engine().begin() as connection:
        connection.execute(audit_log.ALLOW_DELETES)
        connection.exec_driver_sql(statement)
    assert len(entries()) == 1


def test_a_transaction_that_prunes_leaves_the_next_one_no_right_to_delete(database):
    add_aged(400, 1)
    with db.engine().connect() as connection:
        with connection.begin():
            connection.execute(audit_log.ALLOW_DELETES)
        with pytest.raises(ProgrammingError), connection.begin():
            connection.exec_driver_sql("DELETE FROM audit_event")


def test_only_entries_older_than_the_retention_are_deleted_step_by_step(database, monkeypatch):
    monkeypatch.setattr(audit_log, "MAX_DELETES", 2)
    add_aged(400, 366, 365.1, 364.9, 0)
    assert db.run(audit_log.prune) is True
    assert [entry.actor_name for entry in entries()] == ["365.1 days", "364.9 days", "0 days"]
    assert db.run(audit_log.prune) is False
    assert [entry.actor_name for entry in entries()] == ["364.9 days", "0 days"]
    monkeypatch.setattr(settings(), "audit_retention_days", 100)
    assert db.run(audit_log.prune) is False
    assert [entry.actor_name for entry in entries()] == ["0 days"]


def found(client, **query) -> list[str]:
    answer = client.get("/api/audit", params=query)
    assert answer.status_code == 200, answer.text
    return [entry["object_name"] for entry in answer.json()["items"]]


@pytest.fixture
def filled(client):
    """Three entries: `a` and `b` by a person, `c` by a token."""
    product = new_id()
    add(AuditAction.PRODUCT_CREATED, kind=ObjectKind.PRODUCT, id=product, name="a", after={"sku": "a"})
    add(AuditAction.PRODUCT_UPDATED, kind=ObjectKind.PRODUCT, id=product, name="b")
    add(AuditAction.IMPORT_STARTED, BOB, kind=ObjectKind.IMPORT, id=new_id(), name="c", details={"x": [1, None]})
    return product


def test_the_record_is_listed_newest_first_by_pages(client, filled):
    answer = client.get("/api/audit").json()
    assert (answer["total"], answer["total_is_exact"], answer["page"], answer["pages"]) == (3, True, 1, 1)
    assert [entry["object_name"] for entry in answer["items"]] == ["c", "b", "a"]
    newest, *_, oldest = answer["items"]
    assert newest["details"] == {"x": [1, None]} and newest["actor_kind"] == "token" and newest["address"] is None
    assert oldest == {
        "id": oldest["id"], "at": oldest["at"], "action": "product_created", "actor_kind": "person",
        "actor_id": str(ANN.id), "actor_name": ANN.name, "address": "203.0.113.9", "object_kind": "product",
        "object_id": str(filled), "object_name": "a", "before": None, "after": {"sku": "a"}, "details": None,
    }  # fmt: skip
    assert found(client, page=2, page_size=2) == ["a"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"actor": "ANN@"}, ["b", "a"]),
        ({"actor": str(ANN.id)}, ["b", "a"]),
        ({"actor": "b_1"}, ["c"]),
        ({"actor": "_"}, ["c"]),
        ({"actor": "0%"}, ["c"]),
        ({"action": "product_updated"}, ["b"]),
        ({"object_kind": "import"}, ["c"]),
        ({"action": "signed_in"}, []),
        ({"since": "2020-01-01T00:00:00Z"}, ["c", "b", "a"]),
        ({"until": "2020-01-01T00:00:00Z"}, []),
        ({"since": "0001-01-01T00:00:00+14:00", "until": "9999-12-31T23:59:59-14:00"}, ["c", "b", "a"]),
    ],
)
def test_the_record_is_filtered(client, filled, query, names):
    assert found(client, **query) == names


def test_the_record_of_one_object(client, filled):
    assert found(client, object_id=str(filled), object_kind="product") == ["b", "a"]
    assert found(client, object_id=str(new_id())) == []


def test_the_time_of_an_entry_is_included_in_since_and_not_in_until(client, filled):
    at = client.get("/api/audit").json()["items"][1]["at"]
    assert found(client, since=at) == ["c", "b"]
    assert found(client, until=at) == ["a"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("action", "x"),
        ("object_kind", "x"),
        ("object_id", "x"),
        ("since", "2026-01-01"),
        ("actor", "\0"),
        ("who", "a"),
    ],
)
def test_an_impossible_filter_is_named(client, field, value):
    answer = client.get("/api/audit", params={field: value})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_more_entries_than_are_counted(client, filled, monkeypatch):
    monkeypatch.setattr(audit_log, "MAX_TOTAL", 2)
    answer = client.get("/api/audit").json()
    assert (answer["total"], answer["total_is_exact"], len(answer["items"])) == (2, False, 3)


def download(client, **query) -> list[dict[str, str]]:
    answer = client.get("/api/audit/export", params=query)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_the_record_is_downloaded_whole_and_newest_first(client, filled, monkeypatch):
    monkeypatch.setattr(audit_log, "ROWS_PER_PIECE", 2)
    rows = download(client)
    assert [row["object_name"] for row in rows] == ["c", "b", "a"]
    assert list(rows[0]) == list(client.get("/api/audit").json()["items"][0])
    assert (rows[2]["before"], json.loads(rows[2]["after"])) == ("", {"sku": "a"})
    assert [row["object_name"] for row in download(client, action="product_updated")] == ["b"]
    assert download(client, actor="nobody") == []


def test_a_spreadsheet_runs_no_cell_of_the_download(client):
    add(name="=1+1", by=Principal(PrincipalKind.STRANGER, name="@SUM(A1)"))
    [row] = download(client)
    assert (row["object_name"], row["actor_name"]) == ("'=1+1", "'@SUM(A1)")


def test_the_address_of_a_request_is_recorded(client):
    client.post("/api/products", json={"sku": "A", "name": "A"})
    assert client.get("/api/audit").json()["items"][0]["address"] == "testclient"
