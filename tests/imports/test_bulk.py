"""Products as the JSON Lines of a request's body."""

import json
import re
from typing import Any

import pytest

from product_importer.core.settings import settings
from product_importer.core.storage import storage
from product_importer.imports import tasks
from tests.imports.conftest import row_errors
from tests.imports.test_api import nothing_is_left

PATH = "/api/products/bulk"
TYPE = {"content-type": "application/x-ndjson"}
LINE = b'{"sku": "a", "name": "A", "description": "x", "size": 1.10}\n'
GOOD = LINE + b'{"sku": "b", "name": "B", "description": null}\n'


def send(client, content: Any = GOOD, query: str = "", **headers: str):
    return client.post(PATH + query, content=content, headers=TYPE | headers)


def test_products_are_imported_and_reported_like_a_file(client):
    answer = send(client, GOOD + b'{"sku": "c"\n{"sku": "", "name": "D", "description": ""}\n')
    job_id = answer.json()["job_id"]
    assert (answer.status_code, answer.json()) == (202, {"job_id": job_id, "status": "pending"})
    assert answer.headers["location"] == f"/api/jobs/{job_id}"
    tasks.run_import(job_id)
    job = client.get(answer.headers["location"]).json()
    assert (job["filename"], job["format"]["kind"], job["format"]["container"]) == ("bulk.ndjson", "jsonl", "plain")
    assert (job["status"], job["created"], job["rejected"]) == ("completed", 2, 2)
    assert row_errors(job_id) == [(3, "malformed"), (4, "no_sku")]
    found = client.get("/api/products", params={"sku": "a"}).json()["items"][0]
    assert (found["description"], found["attributes"]) == ("x", {"size": "1.10"})
    rejects = client.get(f"/api/jobs/{job_id}/rejects").text.splitlines()
    assert rejects[0] == "sku,name,description,size,_line,_code,_reason"
    assert re.match(r'"\{""sku"": ""c""",,,,3,malformed,', rejects[1])


def test_the_options_are_query_parameters(client):
    columns = json.dumps({"code": "sku", "title": "name", "description": "description"})
    content = b'{"code": "a", "title": "A", "description": ""}\n'
    answer = client.post(
        PATH, content=content, headers=TYPE, params={"columns": columns, "mode": "create", "dry_run": "true"}
    )
    assert answer.status_code == 202, answer.text
    tasks.run_import(answer.json()["job_id"])
    job = client.get(answer.headers["location"]).json()
    assert (job["status"], job["choices"]["mode"], job["columns"]["code"]) == ("previewed", "create", "sku")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?mode=replace", "mode"),
        ("?mode=", "mode"),
        ("?mode=create&mode=create", "mode"),
        ("?dryrun=true", "dryrun"),
        ("?encoding=utf-8", "encoding"),
        ("?delimiter=,", "delimiter"),
        ("?sheet=a", "sheet"),
        ("?header_line=1", "header_line"),
        ("?columns={", "columns"),
        ('?columns={"SKU":"sku","SKU":"name"}', "columns"),
        ('?columns={"code":"sku"}', "columns.code"),
    ],
)
def test_an_option_that_is_unknown_repeated_or_impossible_is_422(client, query, field):
    answer = send(client, query=query)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert nothing_is_left()


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"content-type": "text/csv"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/x-ndjson; charset=latin-1"},
        {"content-type": ""},
        {"content-encoding": "gzip"},
    ],
)
def test_another_type_of_body_is_415_and_is_told_the_right_one(client, headers):
    answer = send(client, **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")
    assert "JSON" in answer.json()["detail"]
    # The rest is not read, so the connection cannot be used for another request.
    assert answer.headers["connection"] == "close"
    assert nothing_is_left()


def test_a_packed_body_is_415(client):
    import gzip

    assert send(client, gzip.compress(GOOD)).status_code == 415
    assert nothing_is_left()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty-file"),
        (b"\n \n", "empty-file"),
        (b"sku,name,description\na,b,c\n", "not-csv"),
        (b"[" + GOOD.replace(b"}\n{", b"},{") + b"]", "not-csv"),
        (b'{"sku": "a"}\n', "invalid-csv-header"),
        (GOOD + b"\xff", "not-text"),
    ],
)
def test_a_body_without_products_is_400_and_nothing_is_left(client, content, kind):
    answer = send(client, content)
    assert (answer.status_code, answer.json()["type"]) == (400, f"/api/problems/{kind}"), answer.text
    assert nothing_is_left()


def test_a_first_line_that_is_wrong_rejects_only_itself(client):
    answer = send(client, b'{"sku": [\n' + GOOD)
    tasks.run_import(answer.json()["job_id"])
    job = client.get(answer.headers["location"]).json()
    assert (job["created"], row_errors(job["id"])) == (2, [(1, "malformed")])


def test_the_limit_is_that_of_uploads(client, monkeypatch):
    assert send(client, LINE * 30_000).status_code == 202
    [kept] = storage().keys()
    monkeypatch.setattr(settings(), "max_upload_mb", 1)
    answer = send(client, LINE * 30_000)
    assert (answer.status_code, answer.json()["type"]) == (413, "/api/problems/too-large")
    assert list(storage().keys()) == [kept]


def test_the_same_body_with_the_same_key_is_one_import(client):
    key = {"idempotency-key": "order 66"}
    first, again, other = send(client, **key), send(client, **key), send(client, GOOD * 2, **key)
    assert (first.status_code, again.json(), other.status_code) == (202, first.json(), 409)
    assert client.get("/api/jobs").json()["total"] == 1


def test_the_document_describes_the_body_and_the_options(client):
    operation = client.get("/api/openapi.json").json()["paths"][PATH]["post"]
    assert set(operation["requestBody"]["content"]) == {"application/x-ndjson"}
    names = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"}
    assert names == {"mode", "duplicates", "blank", "dry_run", "columns", "continuation", "scientific"}
    assert operation["responses"].keys() >= {"202", "400", "409", "413", "415", "422", "429"}
