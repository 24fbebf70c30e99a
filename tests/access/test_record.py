"""What is recorded of changes, by whom, and what is not."""

import threading
from typing import Any

import pytest

from product_importer.access import audit
from product_importer.access.schemas import Permission, Role
from product_importer.catalog import service
from product_importer.catalog.schemas import ProductCreate
from product_importer.core import db
from product_importer.imports import tasks
from tests.access.people import add_person, add_token, bearer, cookie, sign_in
from tests.access.records import actions, entries
from tests.catalog.conftest import create
from tests.webhooks.conftest import loopback_is_open, make_receiver, receiver

__all__ = ["create", "loopback_is_open", "make_receiver", "receiver"]

GOOD = b"sku,name,description\nA,one,x\nB,two,y\n"


def _upload(client, content: bytes = GOOD, headers: dict[str, str] | None = None, **options: str) -> str:
    files = {"file": ("catalogue.csv", content, "text/csv")}
    answer = client.post("/api/upload-csv", files=files, data=options, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


def test_a_product_is_recorded_with_the_fields_that_changed(client, create):
    product = create("MUG-1", name="Mug", attributes={"colour": "red", "size": "L"})
    address = f"/api/products/{product['id']}"
    client.patch(address, json={"name": "Cup", "attributes": {"colour": "blue", "size": "L", "new": "x"}})
    client.delete(address)
    created, updated, deleted = entries()
    assert (created.action, created.before) == ("product_created", None)
    assert created.after == {
        "sku": "MUG-1", "name": "Mug", "description": "", "active": True,
        "attributes": {"colour": "red", "size": "L"},
    }  # fmt: skip
    assert updated.before == {"name": "Mug", "attributes": {"colour": "red"}}
    assert updated.after == {"name": "Cup", "attributes": {"colour": "blue", "new": "x"}}
    assert (deleted.action, deleted.before["name"], deleted.after) == ("product_deleted", "Cup", None)
    for entry in (created, updated, deleted):
        assert (entry.object_kind, str(entry.object_id), entry.object_name) == ("product", product["id"], "MUG-1")
        assert (entry.actor_kind, entry.actor_name, entry.address) == ("anyone", "anyone", "testclient")


def test_what_changes_nothing_is_not_recorded(client, create):
    product = create("MUG-1", name="Mug")
    client.patch(f"/api/products/{product['id']}", json={"name": "Mug"})
    client.patch(f"/api/products/{product['id']}", json={"name": "x"}, headers={"If-Match": '"7"'})
    assert client.post("/api/products", json={"sku": "mug-1", "name": "Other"}).status_code == 409
    client.delete("/api/products")
    assert actions() == ["product_created"]


def test_a_change_that_is_rolled_back_leaves_no_entry(database):
    class Interrupted(Exception):
        pass

    def fail(session) -> None:
        service.create_product(session, ProductCreate(sku="A", name="A"))
        session.flush()
        raise Interrupted

    with pytest.raises(Interrupted):
        db.run(fail)
    assert entries() == []


def test_long_texts_are_cut(database):
    text = "x" * (audit.MAX_TEXT + 1)
    db.run(service.create_product, ProductCreate(sku="A", name="A", description=text, attributes={"a": text}))
    [entry] = entries()
    cut = f"{'x' * audit.MAX_TEXT}… (10,001 characters)"
    assert (entry.after["description"], entry.after["attributes"]["a"]) == (cut, cut)


def test_deleting_all_products_is_one_entry(client, create):
    create("A"), create("B")
    client.delete("/api/products", params={"confirm": "true"})
    last = entries()[-1]
    assert (last.action, last.object_id, last.details) == ("products_deleted", None, {"deleted": 2})


def test_concurrent_edits_are_each_recorded_once_and_in_order(client, create):
    product = create("A", name="0")
    names = [str(number) for number in range(1, 9)]
    threads = [
        threading.Thread(
            target=client.patch, args=(f"/api/products/{product['id']}",), kwargs={"json": {"name": name}}
        )
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    updated = sorted(entries("product_updated"), key=lambda entry: entry.details["version"])
    assert [entry.details["version"] for entry in updated] == list(range(2, len(names) + 2))
    assert sorted(entry.after["name"] for entry in updated) == names
    # Each began where the one before had ended.
    assert [entry.before["name"] for entry in updated] == ["0", *(entry.after["name"] for entry in updated[:-1])]


def test_an_export_is_recorded_with_its_filter_and_its_rows(client, create):
    create("A"), create("B")
    client.get("/api/products/export", params={"sku": "a", "format": "jsonl", "columns": ["sku", "name"]})
    client.get("/api/products/export")
    assert client.get("/api/products/export", params={"columns": "missing"}).status_code == 422
    exports = [entry.details for entry in entries("products_exported")]
    assert exports == [
        {"format": "jsonl", "columns": ["sku", "name"], "filters": {"sku": "a"}, "rows": 1},
        {"format": "csv", "columns": None, "filters": {}, "rows": 2},
    ]


def test_an_import_is_recorded_under_the_name_of_who_started_it(guarded):
    editor, other = add_person(Role.EDITOR), add_person(Role.EDITOR)
    job_id = _upload(guarded, headers=cookie(editor), mode="create")
    # The worker is nobody in particular.
    tasks.run_import(job_id)
    guarded.post(f"/api/jobs/{job_id}/undo", headers=cookie(other))
    tasks.run_undo(job_id)
    found = entries()
    assert [(entry.action, entry.actor_id, entry.actor_name) for entry in found] == [
        ("import_started", editor.id, editor.email),
        ("import_ended", editor.id, editor.email),
        ("import_undo_requested", other.id, other.email),
        ("import_undone", other.id, other.email),
    ]
    assert {(str(entry.object_id), entry.object_name) for entry in found} == {(job_id, "catalogue.csv")}
    assert found[0].details["options"]["mode"] == "create" and found[0].details["size_bytes"] == len(GOOD)
    assert found[1].details == {
        "status": "completed",
        "error": None,
        "counts": {"total": 2, "created": 2, "updated": 0, "unchanged": 0, "duplicates": 0, "rejected": 0},
    }
    assert found[3].details == {"removed": 2, "restored": 0, "kept": 0}
    job = guarded.get(f"/api/jobs/{job_id}", headers=cookie(other)).json()
    assert (job["started_by"], job["undo"]["requested_by"]) == (editor.email, other.email)


def test_an_import_of_a_token_bears_its_name(guarded):
    token = bearer(add_token(add_person(Role.EDITOR), Permission.IMPORT, Permission.READ))
    headers = {**token, "Content-Type": "application/x-ndjson"}
    answer = guarded.post("/api/products/bulk", content=b'{"sku":"A","name":"a","description":""}\n', headers=headers)
    tasks.run_import(answer.json()["job_id"])
    assert {(entry.actor_kind, entry.actor_name) for entry in entries()} == {("token", "a program")}
    assert guarded.get(f"/api/jobs/{answer.json()['job_id']}", headers=token).json()["started_by"] == "a program"


def test_who_applies_a_dry_run_started_the_import_that_follows(guarded):
    editor, other = add_person(Role.EDITOR), add_person(Role.EDITOR)
    job_id = _upload(guarded, headers=cookie(editor), dry_run="true")
    tasks.run_import(job_id)
    guarded.post(f"/api/jobs/{job_id}/apply", headers=cookie(other))
    tasks.run_import(job_id)
    assert [(entry.action, entry.actor_id) for entry in entries()] == [
        ("import_started", editor.id),
        ("import_ended", editor.id),
        ("import_applied", other.id),
        ("import_ended", other.id),
    ]
    assert [entry.details["status"] for entry in entries("import_ended")] == ["previewed", "completed"]


def test_a_cancelled_and_retried_import(client):
    job_id = _upload(client)
    client.post(f"/api/jobs/{job_id}/cancel")
    assert client.post(f"/api/jobs/{job_id}/cancel").status_code == 409
    client.post(f"/api/jobs/{job_id}/retry")
    tasks.run_import(job_id)
    assert actions() == ["import_started", "import_cancelled", "import_ended", "import_retried", "import_ended"]
    assert client.get(f"/api/jobs/{job_id}").json()["started_by"] is None


def test_a_large_import_adds_as_many_entries_as_a_small_one(client):
    rows = "".join(f"S{number},name,text\n" for number in range(5_000))
    tasks.run_import(_upload(client, f"sku,name,description\n{rows}".encode()))
    assert actions() == ["import_started", "import_ended"]
    assert entries()[-1].details["counts"]["created"] == 5_000


def test_an_upload_that_is_sent_again_is_recorded_once(client):
    headers = {"Idempotency-Key": "once"}
    assert _upload(client, headers=headers) == _upload(client, headers=headers)
    assert actions() == ["import_started"]


def test_webhooks_are_recorded_with_redacted_addresses(client, receiver):
    made = client.post("/api/webhooks", json={"url": f"{receiver.url}?token=first"}).json()
    address = f"/api/webhooks/{made['id']}"
    client.put(address, json={"url": f"{receiver.url}?token=second", "enabled": True})
    client.put(address, json={"enabled": True})
    client.post(f"{address}/test")
    client.post(f"{address}/rotate-secret")
    client.post(f"{address}/redeliver", params={"since": "2026-01-01T00:00:00+01:00"})
    client.delete(address)
    found = entries()
    assert [entry.action for entry in found] == [
        "webhook_created", "webhook_updated", "webhook_tested", "webhook_secret_rotated", "webhook_redelivered",
        "webhook_deleted",
    ]  # fmt: skip
    shown = f"{receiver.url}?[redacted]"
    assert {entry.object_name for entry in found} == {shown}
    assert found[0].after["url"] == found[5].before["url"] == shown
    assert (found[1].before, found[1].after) == ({"url": shown}, {"url": shown})
    assert found[4].details == {"since": "2025-12-31T23:00:00+00:00", "redelivered": 0}


def _texts() -> str:
    """Return everything that the record holds."""
    with db.engine().connect() as connection:
        return "\n".join(connection.exec_driver_sql("SELECT to_jsonb(a)::text FROM audit_event AS a").scalars())


def test_no_secret_is_in_the_record(guarded, receiver):
    admin = add_person(Role.ADMIN)
    session, token = sign_in(admin), add_token(admin, *Permission)
    secrets = [session, token]
    for headers in ({"Cookie": f"pi_session={session}"}, bearer(token)):
        secrets += _use_each_route(guarded, receiver.url, headers)
    recorded = _texts()
    assert {"webhook_created", "webhook_secret_rotated", "product_updated", "import_started"} <= set(actions())
    assert len(secrets) == 12 and all(secrets)
    assert [secret for secret in secrets if secret in recorded] == []


def _use_each_route(client, hook_url: str, headers: dict[str, str]) -> list[str]:
    """Change something through each route that is recorded; return the secrets that were sent and received."""

    def send(method: str, path: str, **given: Any) -> Any:
        answer = client.request(method, path, headers=headers, **given)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content and "json" in answer.headers["content-type"] else None

    product = f"/api/products/{send('POST', '/api/products', json={'sku': 'A', 'name': 'A'})['id']}"
    send("PATCH", product, json={"name": "B"})
    send("PUT", product, json={"name": "C"})
    send("GET", "/api/products/export")
    job = _upload(client, headers=headers)
    tasks.run_import(job)
    send("POST", f"/api/jobs/{job}/undo")
    tasks.run_undo(job)
    hook = send("POST", "/api/webhooks", json={"url": f"{hook_url}?token=query-secret-7&b=1"})
    address = f"/api/webhooks/{hook['id']}"
    rotated = send("POST", f"{address}/rotate-secret")
    send("PUT", address, json={"url": f"{hook_url}?key=query-secret-8", "description": "d"})
    send("POST", f"{address}/test")
    send("POST", f"{address}/redeliver", params={"since": "2026-01-01T00:00:00Z"})
    send("DELETE", address)
    send("DELETE", "/api/products", params={"confirm": "true"})
    token = send("POST", "/api/tokens", json={"name": "t", "scopes": ["read"]})
    send("DELETE", f"/api/tokens/{token['id']}")
    return [token["token"], hook["secret"], rotated["secret"], "query-secret-7", "query-secret-8"]
