"""Column mappings by REST: a mapping is saved for the next file with the same columns."""

import csv
import io
import json

import pytest

from product_importer.core import db
from product_importer.core.storage import storage
from product_importer.imports import tasks
from product_importer.imports.columns.saved_mappings import header_key
from product_importer.imports.models import ImportMapping
from tests.imports.shop_export import COLUMNS as SHOP_COLUMNS
from tests.imports.shop_export import FURTHER_LINES, PRODUCTS, shop_export

SHOP = shop_export()
COLUMNS = {"Handle": "sku", "Title": "name", "Body (HTML)": "description", "Published": "active", "Vendor": "ignore"}
SMALL = b"Code,Title,Text,Stock\na,A,1,7\n"
SMALL_COLUMNS = {"code": "sku", "TITLE": "name", "Text": "description", "Stock": "attribute"}


def post(client, content: bytes, columns: dict | None = None, **options: str):
    data = options if columns is None else {**options, "columns": json.dumps(columns)}
    return client.post("/api/upload-csv", files={"file": ("a.csv", content)}, data=data)


def imported(client, content: bytes, columns: dict | None = None) -> dict:
    """Upload and import a file, and return its import."""
    answer = post(client, content, columns)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["job_id"]
    tasks.run_import(job_id)
    return client.get(f"/api/jobs/{job_id}").json()


def products(client) -> dict[str, tuple[str, str, dict]]:
    items = client.get("/api/products", params={"page_size": 200}).json()["items"]
    return {item["sku"]: (item["name"], item["description"], item["attributes"]) for item in items}


def mappings() -> int:
    with db.engine().connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM import_mapping").scalar() or 0


def test_the_export_of_a_shop_is_rejected_with_suggestions_then_mapped_and_saved(client):
    answer = post(client, SHOP)
    assert (answer.status_code, answer.json()["missing"]) == (400, ["sku", "name", "description"])
    assert answer.json()["found"] == SHOP_COLUMNS
    suggestions = answer.json()["suggestions"]
    assert suggestions == {"sku": "Handle", "name": "Title", "description": "Body (HTML)", "active": "Published"}
    assert list(storage().keys()) == []

    job = imported(client, SHOP, {column: field for field, column in suggestions.items()})
    assert (job["status"], job["total_rows"], job["created"], job["rejected"]) == ("completed", 10, 7, 3)
    assert {name: target for name, target in job["columns"].items() if target != "attribute"} == {
        column: field for field, column in suggestions.items()
    }
    found = products(client)
    assert {sku: values[:2] for sku, values in found.items()} == {
        handle: (title, body) for handle, title, body, *_ in PRODUCTS
    }
    assert {sku: values[2]["Variant Price"] for sku, values in found.items()} == {
        handle: price for handle, _, _, price, _ in PRODUCTS
    }
    assert found["tide-jumper"][2]["Vendor"] == "Salt & Sons, Ltd."
    assert [item["sku"] for item in client.get("/api/products", params={"active": False}).json()["items"]] == [
        handle for handle, *_, published in PRODUCTS if published == "false"
    ]

    again = imported(client, SHOP)
    assert (again["unchanged"], again["rejected"], again["columns"]) == (7, 3, job["columns"])


def test_rows_of_variants_have_a_code_of_their_own(client):
    job = imported(client, SHOP, COLUMNS)
    rejects = client.get(f"/api/jobs/{job['id']}/rejects").text
    rows = list(csv.DictReader(io.StringIO(rejects, newline="")))
    assert [(row["Handle"], int(row["_line"]), row["_code"]) for row in rows] == [
        ("tide-jumper", 8, "continuation"),
        ("tide-jumper", 9, "continuation"),
        ("salt-apron", 19, "continuation"),
    ]
    for row in rows:
        begun = FURTHER_LINES[int(row["_line"])]
        assert row["_reason"].startswith(f"The row has no name and continues “{row['Handle']}” of line {begun} (")


def test_an_ignored_column_is_stored_nowhere(client):
    imported(client, SMALL, SMALL_COLUMNS | {"Stock": "ignore"})
    assert products(client) == {"a": ("A", "1", {})}


def test_a_mapping_is_saved_for_a_set_of_columns(client):
    imported(client, SMALL, SMALL_COLUMNS)
    job = imported(client, b"stock, TEXT ,code,title\n8,2,b,B\n")
    assert job["columns"] == {"stock": "attribute", "TEXT": "description", "code": "sku", "title": "name"}
    assert products(client)["b"] == ("B", "2", {"stock": "8"})
    other = post(client, b"Code,Title,Text,Price\na,A,1,7\n")
    assert (other.status_code, other.json()["missing"]) == (400, ["sku", "name", "description"])


def test_the_newest_accepted_mapping_is_saved(client):
    imported(client, SMALL, SMALL_COLUMNS)
    imported(client, SMALL, {"Code": "sku", "Text": "name", "Title": "description"})
    assert products(client) == {"a": ("1", "A", {"Stock": "7"})}
    assert post(client, SMALL, {"Code": "sku"}).status_code == 400
    assert post(client, SMALL, {"Kode": "sku"}).status_code == 422
    assert imported(client, SMALL)["columns"] == {
        "Code": "sku", "Text": "name", "Title": "description", "Stock": "attribute",
    }  # fmt: skip
    assert mappings() == 1


def test_a_header_that_matches_by_name_ignores_the_saved_mapping(client):
    content = b"sku,name,description,Code\na,A,1,x\n"
    imported(client, content, {"Code": "sku"})
    assert set(products(client)) == {"x"}
    job = imported(client, content)
    assert job["columns"]["sku"] == "sku"
    assert set(products(client)) == {"x", "a"}


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        ({"Price": "sku"}, ["columns.Price"]),
        ({"Code": "sku", "Title": "sku"}, ["columns.Code", "columns.Title"]),
        ({"Code": "price"}, ["columns.Code"]),
    ],
)
def test_an_impossible_mapping_is_a_422_that_names_the_column(client, columns, wrong):
    answer = post(client, SMALL, columns)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [error["field"].removesuffix(".dict") for error in answer.json()["errors"]][: len(wrong)] == wrong
    assert (list(storage().keys()), mappings()) == ([], 0)
    assert client.get("/api/jobs").json()["total"] == 0


@pytest.mark.parametrize("columns", [SMALL_COLUMNS, {"Code": "sku", "Title": "name"}])
def test_a_mapping_may_follow_a_large_file(client, columns):
    """The mapping comes last in the form, so the header must not be checked before."""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        + SMALL + b"b,B,2,8\n" * 100_000
        + b'\r\n--x\r\nContent-Disposition: form-data; name="columns"\r\n\r\n' + json.dumps(columns).encode()
        + b"\r\n--x--\r\n"
    )  # fmt: skip
    answer = client.post("/api/upload-csv", content=body, headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == (202 if "Text" in columns else 400)


def test_corrected_rejects_of_a_mapped_file_need_no_new_mapping(client):
    job = imported(client, SMALL + b"b,,2,8\n", SMALL_COLUMNS)
    assert job["rejected"] == 1
    rejects = client.get(f"/api/jobs/{job['id']}/rejects").text
    assert rejects.splitlines() == [
        "Code,Title,Text,Stock,_line,_code,_reason",
        "b,,2,8,3,no_name,The name is empty.",
    ]
    again = imported(client, rejects.replace("b,,", "b,B,").encode())
    assert (again["created"], again["rejected"]) == (1, 0)
    assert products(client)["b"] == ("B", "2", {"Stock": "8"})


def test_rejects_use_the_mapping_of_their_file_even_where_the_names_match(client):
    content = b"sku,name,description,Code\ns1,A,1,a\ns2,,2,b\n"
    job = imported(client, content, {"Code": "sku"})
    rejects = client.get(f"/api/jobs/{job['id']}/rejects").text.replace("s2,,", "s2,B,").encode()
    assert imported(client, rejects)["created"] == 1
    assert set(products(client)) == {"a", "b"}
    # The newest file with these columns was matched by name, and so are its rejects.
    job = imported(client, content)
    imported(client, client.get(f"/api/jobs/{job['id']}/rejects").text.replace("s2,,", "s2,B,").encode())
    assert set(products(client)) == {"a", "b", "s1", "s2"}


def test_a_repeated_upload_with_the_same_key_has_the_mapping_of_the_first(client):
    def send(columns: dict | None):
        data = {} if columns is None else {"columns": json.dumps(columns)}
        headers = {"Idempotency-Key": "one"}
        return client.post("/api/upload-csv", files={"file": ("a.csv", SMALL)}, data=data, headers=headers)

    first = send(SMALL_COLUMNS)
    assert (first.status_code, send(SMALL_COLUMNS).json(), send(None).json()) == (202, first.json(), first.json())
    assert send({"Code": "sku", "Text": "name", "Title": "description"}).status_code == 409
    assert imported(client, SMALL)["columns"]["Title"] == "name"


def test_the_key_of_a_header_ignores_order_case_and_reject_columns():
    key = header_key(["Code", "Größe", "x"])
    assert header_key(["X", " GRÖSSE", "code", "_line", "_CODE", "_reason"]) == key
    assert (
        len({key, header_key(["Code", "Größe"]), header_key(["Code", "Größe", "x", "x"]), header_key(["CodeGrößex"])})
        == 4
    )


def test_a_mapping_and_its_import_are_stored_together_or_not_at_all(client):
    """The mapping is rolled back with its transaction."""
    from product_importer.imports import service
    from product_importer.imports.models import ImportJob

    def start_and_fail(session) -> None:
        job = ImportJob(
            filename="a.csv", storage_key="a.csv", size_bytes=1, sha256="", header=["Code"], fields=["sku"]
        )
        service.start_import(session, job, {"Code": "sku"})
        assert session.get(ImportMapping, header_key(["code"])) is not None
        raise ConnectionError

    with pytest.raises(ConnectionError):
        db.run(start_and_fail)
    assert mappings() == 0
