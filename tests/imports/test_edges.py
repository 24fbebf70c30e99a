"""Files with invisible characters around SKUs, names and column names, by REST."""

import pytest

from product_importer.imports import tasks
from tests.imports.conftest import row_errors

SPOILT = """\
sku,name,description
H22-1,plain,x
\u00a0H22-1\u00a0,nbsp,x
\u200bH22-1,zwsp,x
H22-1\ufeff,feff,x
\u200eH22-1\u200e,lrm,x
H22\u00ad-1,shy,x
\u202aH22-1\u202c,lre,x
H22\u20111,nbhyphen,x
\u3000H22-1\u3000,ideo,x
H22-1\t,\u200btab\ufeff,x
"""


def imported(client, text: str, **options: str) -> dict:
    answer = client.post("/api/upload-csv", files={"file": ("a.csv", text.encode())}, data=options)
    assert answer.status_code == 202, answer.text
    tasks.run_import(answer.json()["job_id"])
    return client.get(f"/api/jobs/{answer.json()['job_id']}").json()


# A row of another width sends the file to the slower reader.
@pytest.mark.parametrize("more", ["", "ragged\n"])
def test_skus_with_invisible_edges_are_one_product(client, more):
    job = imported(client, SPOILT + more)
    assert (job["status"], job["created"], job["duplicates"]) == ("completed", 3, 7)
    items = client.get("/api/products").json()["items"]
    assert {(item["sku"], item["name"]) for item in items} == {
        ("H22-1", "tab"), ("H22\u00ad-1", "shy"), ("H22\u20111", "nbhyphen"),
    }  # fmt: skip


@pytest.mark.parametrize("more", ["", "ragged\n"])
def test_an_import_finds_the_product_of_an_sku_with_invisible_edges(client, more):
    created = client.post("/api/products", json={"sku": "\u200bABC\u200e", "name": "\ufeffOld"}).json()
    assert (created["sku"], created["name"]) == ("ABC", "Old")
    job = imported(client, f"sku,name,description\n\ufeff abc,New,\n{more}")
    assert (job["updated"], job["created"]) == (1, 0)
    [item] = client.get("/api/products", params={"sku": "abc\u200b"}).json()["items"]
    assert (item["id"], item["name"]) == (created["id"], "New")


@pytest.mark.parametrize("more", ["", "ragged\n"])
def test_a_name_keeps_the_variation_selector_of_its_last_character(client, more):
    job = imported(client, f"sku,name,description\nA1,Love ❤\ufe0f \u200b,\nB1,Plain\u200b,\n{more}")
    assert job["created"] == 2
    client.post("/api/products", json={"sku": "C1\ufe0f", "name": " Sun ☀\ufe0f "})
    items = client.get("/api/products").json()["items"]
    assert {(item["sku"], item["name"]) for item in items} == {
        ("A1", "Love ❤\ufe0f"), ("B1", "Plain"), ("C1", "Sun ☀\ufe0f"),
    }  # fmt: skip


@pytest.mark.parametrize("more", ["", "ragged\n"])
def test_a_cell_of_invisible_characters_is_blank(client, more):
    job = imported(client, f"sku,name,description\n\u200b\u00a0,n,\na,\ufeff,\n{more}")
    assert row_errors(job["id"])[:2] == [(2, "no_sku"), (3, "no_name")]


def test_a_header_with_invisible_characters_is_read(client):
    job = imported(client, "sku\u00a0,\u200bname,description\u200e,\ufeffcolour\nH22-9,a,b,red\n")
    assert (job["status"], job["created"]) == ("completed", 1)
    [item] = client.get("/api/products").json()["items"]
    assert (item["name"], item["description"], item["attributes"]) == ("a", "b", {"colour": "red"})


@pytest.mark.parametrize(
    ("name", "words"), [("na\x07me", "control characters"), ("col\u200bour", "invisible character U+200B inside")]
)
def test_a_header_with_hidden_characters_inside_a_name_is_refused(client, name, words):
    answer = client.post("/api/upload-csv", files={"file": ("a.csv", f"sku,name,{name}\n".encode())})
    assert (answer.status_code, words in answer.json()["detail"]) == (400, True)


def test_a_mapped_column_is_found_by_its_trimmed_name(client):
    job = imported(
        client,
        "\u200bcode,Title\ufeff,Text\na,A,t\n",
        columns='{"code": "sku", "\u200eTitle": "name", "text": "description"}',
    )
    assert job["columns"] == {"code": "sku", "Title": "name", "Text": "description"}
