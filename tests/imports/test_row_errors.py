"""Why rows were rejected, by REST: the rows with their wrong cells, and the codes with their counts."""

from product_importer.catalog.schemas import MAX_NAME
from product_importer.imports import row_errors
from tests.imports.conftest import execute

FILE = f"""sku,Title,description,active
A-1,Good,x,yes
,No SKU,x,yes
A-2,,x,yes
A-1,Better,x,yes
A-3,Word,x,perhaps
A-4,{"n" * (MAX_NAME + 1)},x,yes
A-5,Wide,x,yes,more
,No SKU either,x,yes
"""
COLUMNS = '{"Title": "name"}'


def listed(client, job_id, query: str = "") -> dict:
    return client.get(f"/api/jobs/{job_id}/errors{query}").json()


def test_rejected_rows_are_listed_with_their_wrong_cell(client, run_import):
    found = listed(client, run_import(FILE, columns=COLUMNS).id)
    assert found["columns"] == ["sku", "Title", "description", "active"]
    assert [(item["line"], item["code"], item["wrong_cell"]) for item in found["items"]] == [
        (3, "no_sku", 0),
        (4, "no_name", 1),
        (6, "bad_active", 3),
        (7, "too_long", 1),
        (8, "ragged", None),
        (9, "no_sku", 0),
    ]
    assert found["items"][2]["cells"] == ["A-3", "Word", "x", "perhaps"]
    assert "perhaps" in found["items"][2]["reason"]
    assert len(found["items"][3]["cells"][1]) == row_errors.MAX_CELL
    assert (found["total"], found["pages"]) == (6, 1)


def test_a_nul_is_pointed_out_where_it_was(client, run_import):
    [item] = listed(client, run_import("sku,name,description\nA-1,B\0,x\n").id)["items"]
    assert (item["code"], item["wrong_cell"]) == ("nul", 1)


def test_rejected_rows_are_paged(client, run_import):
    job_id = run_import(FILE, columns=COLUMNS).id
    assert [item["line"] for item in listed(client, job_id, "?page=2&page_size=4")["items"]] == [8, 9]
    assert client.get(f"/api/jobs/{job_id}/errors?page=90000").json()["errors"][0]["field"] == "page"


def test_codes_are_counted_with_their_first_lines(client, run_import):
    job_id = run_import(FILE, columns=COLUMNS).id
    found = client.get(f"/api/jobs/{job_id}/errors/codes").json()
    assert found["items"][0] == {
        "code": "no_sku",
        "count": 2,
        "first_lines": [3, 9],
        "reason": "The SKU is empty.",
    }
    assert {item["code"]: item["count"] for item in found["items"][1:]} == dict.fromkeys(
        ("no_name", "bad_active", "too_long", "ragged"), 1
    )
    assert (found["counted"], found["total"]) == (6, 6)


def test_counting_is_bounded(client, run_import, monkeypatch):
    job_id = run_import("sku,name,description\n").id
    execute(
        "INSERT INTO import_row_error (job_id, line, code, reason, row) "
        "SELECT %s, n, CASE WHEN n > 9 THEN 'no_name' ELSE 'no_sku' END, 'Empty.', '[]' "
        "FROM generate_series(1, 20) AS n",
        str(job_id),
    )
    execute("UPDATE import_job SET rejected = 20 WHERE id = %s", str(job_id))
    monkeypatch.setattr(row_errors, "MAX_COUNTED", 12)
    found = client.get(f"/api/jobs/{job_id}/errors/codes").json()
    assert [(item["code"], item["count"], item["first_lines"]) for item in found["items"]] == [
        ("no_sku", 9, [1, 2, 3, 4, 5]),
        ("no_name", 3, [10, 11, 12]),
    ]
    assert (found["counted"], found["total"]) == (12, 20)


def test_an_unknown_import_is_not_found(client, database):
    for path in ("errors", "errors/codes"):
        answer = client.get(f"/api/jobs/01890000-0000-7000-8000-000000000000/{path}")
        assert answer.status_code == 404
