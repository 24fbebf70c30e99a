"""The column names of a sheet can be below title rows, in a row that was named, or missing."""

import pytest

from product_importer.imports import tasks
from tests.imports.parsing.books.made_books import ods, xls, xlsb, xlsx

ROWS = [["Price list"], [], ["sku", "name", "description", "colour"], ["a", "Cup", "white"], ["b", "Bowl", "", "red"]]
MADE = {"xlsx": xlsx, "xls": xls, "xlsb": xlsb, "ods": ods}

pytestmark = pytest.mark.processes


def imported(client, content: bytes, **options: str) -> dict:
    answer = client.post("/api/upload-csv", files={"file": ("a", content)}, data=options)
    assert answer.status_code == 202, answer.text
    tasks.run_import(answer.json()["job_id"])
    return client.get(answer.headers["location"]).json()


def products(client) -> dict[str, tuple[str, dict]]:
    items = client.get("/api/products").json()["items"]
    return {item["sku"]: (item["name"], item["attributes"]) for item in items}


@pytest.mark.parametrize("kind", MADE)
def test_a_header_below_title_rows_is_found_and_told(client, kind):
    job = imported(client, MADE[kind]({"Prices": ROWS}))
    assert (job["created"], job["total_rows"], job["format"]["header_line"]) == (2, 2, 3)
    assert ("header_found_below", 3) in [(one["code"], one["first_line"]) for one in job["warnings"]]
    assert products(client) == {"a": ("Cup", {}), "b": ("Bowl", {"colour": "red"})}


@pytest.mark.parametrize("kind", MADE)
def test_a_row_that_was_named_has_the_column_names(client, kind):
    rows = [["sku", "name", "description"], ["code", "title", "text"], ["a", "Cup", "white"]]
    mapping = '{"code": "sku", "title": "name", "text": "description"}'
    job = imported(client, MADE[kind]({"Prices": rows}), header_line="2", columns=mapping)
    assert (job["created"], job["format"]["header_line"]) == (1, 2)
    assert "header_found_below" not in [one["code"] for one in job["warnings"]]
    assert products(client) == {"a": ("Cup", {})}


@pytest.mark.parametrize("kind", MADE)
def test_a_sheet_without_a_header_has_numbered_columns(client, kind):
    mapping = '{"column 1": "sku", "column 2": "name", "column 3": "description"}'
    rows = [["a", "Cup", "white", "blue"], ["b", "Bowl", "", "red"]]
    job = imported(client, MADE[kind]({"Prices": rows}), header_line="0", columns=mapping)
    assert job["created"] == 2
    assert products(client) == {"a": ("Cup", {"column 4": "blue"}), "b": ("Bowl", {"column 4": "red"})}


@pytest.mark.parametrize("line", ["2", "9"])
@pytest.mark.parametrize("kind", MADE)
def test_a_row_without_names_is_refused(client, kind, line):
    content = MADE[kind]({"Prices": ROWS})
    answer = client.post("/api/upload-csv", files={"file": ("a", content)}, data={"header_line": line})
    assert (answer.status_code, answer.json()["title"]) == (400, "The file has no such header line")
    assert f"line {line}" in answer.json()["detail"]


def test_a_first_row_that_is_a_header_is_kept(client):
    rows = [["sku", "name", "description"], ["sku", "name", "description"], ["a", "Cup", ""]]
    job = imported(client, xlsx({"Prices": rows}))
    assert (job["format"]["header_line"], job["created"], job["rejected"]) == (None, 1, 1)
