"""Answers common to all parts of the REST API."""

import re

import pytest


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/api/nothing", 404, "no route /api/nothing"),
        ("GET", "/api/", 404, "no route /api/"),
        ("GET", "/api", 404, "no route /api"),
        ("PROPFIND", "/api/products", 405, "not PROPFIND"),
        ("PATCH", "/api/jobs", 405, "accepts GET, not PATCH"),
        ("GET", "/api/upload-csv", 405, "accepts POST, not GET"),
        ("GET", "/api/products?sort=price", 422, "sort"),
        ("GET", "/api/products?page=0", 422, "page"),
        ("GET", "/api/products?unknown=1", 422, "unknown"),
    ],
)
def test_unknown_paths_and_methods_are_problems(client, method, path, status, words):
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["status"] == status and words in problem["detail"]
    assert problem["title"] and problem["type"]


def test_a_wrong_method_names_the_allowed_ones(client):
    assert client.patch("/api/jobs").headers["allow"] == "GET"


def test_health_answers_and_readiness_names_what_is_missing(client):
    assert client.get("/api/health").json() == {"status": "ok"}
    answer = client.get("/api/ready")
    assert answer.status_code == 503
    checks = {check["name"]: check for check in answer.json()["checks"]}
    assert [name for name, check in checks.items() if not check["ok"]] == ["worker", "webhook-worker"]
    assert "product-importer worker" in checks["worker"]["detail"]
    assert "product-importer worker --queue webhooks" in checks["webhook-worker"]["detail"]


def test_readiness_needs_a_worker_of_imports_and_names_a_missing_one_of_webhooks(client):
    from product_importer.core import queue, redis

    def show(name: str) -> None:
        redis.client().zadd(queue.PRESENCE.format(queue=name), {"a worker": redis.now()})

    show("imports")
    answer = client.get("/api/ready")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert [check["name"] for check in answer.json()["checks"] if not check["ok"]] == ["webhook-worker"]
    show("webhooks")
    assert all(check["ok"] for check in client.get("/api/ready").json()["checks"])


def test_doctor_checks_the_uploads_too(database, monkeypatch, tmp_path):
    from product_importer import health
    from product_importer.core import storage

    def uploads() -> health.Check:
        return {check.name: check for check in health.diagnose().checks}["uploads"]

    assert uploads().ok and "GB free" in uploads().detail
    assert list(storage.storage().keys()) == []
    gone = storage.FolderStorage(tmp_path / "uploads")
    (tmp_path / "uploads").rmdir()
    monkeypatch.setattr(storage, "storage", lambda: gone)
    assert not uploads().ok and "UPLOAD_DIR" in uploads().detail


def test_an_unreachable_database_gives_503_and_a_problem(client, monkeypatch):
    from sqlalchemy import create_engine

    from product_importer.core import db

    monkeypatch.setattr(db, "engine", lambda: create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none"))
    answer = client.get("/api/products")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "nobody" not in answer.text
    ready = client.get("/api/ready")
    assert ready.status_code == 503 and "127.0.0.1" not in ready.text


def test_the_openapi_document_and_its_page_exist(client):
    paths = client.get("/api/openapi.json").json()["paths"]
    assert {"/api/upload-csv", "/api/jobs", "/api/jobs/{job_id}/events", "/api/products"} <= paths.keys()
    page = client.get("/api/docs").text
    assert "//" not in page, "a foreign host"
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) == 3
    for file in set(files) - {"/favicon.svg"}:
        assert client.get(file).status_code == 200, file
    problem = client.get("/api/docs/assets/nothing.js")
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")


def test_a_statement_that_takes_too_long_is_ended_with_an_error(client, monkeypatch):
    """The change waits for a row that another transaction has locked, and then reports that nothing was changed."""
    from product_importer.core import db

    made = client.post("/api/products", json={"sku": "a", "name": "b"}).json()
    monkeypatch.setattr(db, "TIMEOUT_SECONDS", 1)
    with db.engine().begin() as holder:
        holder.exec_driver_sql("UPDATE product SET name = 'held'")
        answer = client.patch(f"/api/products/{made['id']}", json={"name": "c"})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "Nothing was changed" in answer.json()["detail"]
