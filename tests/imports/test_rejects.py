"""The CSV of rejected rows: nothing lost, any number of rows in constant memory."""

import csv
import io
import tracemalloc
from uuid import UUID

import pytest

from product_importer.core import db
from product_importer.imports.rejects import stream_rejects

FILE = 'sku,name,description\na,A,1\na,B,2,"x, y",z\na,C,3\n,D,4\n'


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_a_row_with_too_many_fields_keeps_them_in_the_reason(client, run_import):
    job = run_import(FILE)
    names, ragged, _ = rows(client.get(f"/api/jobs/{job.id}/rejects").text)
    assert names == ["sku", "name", "description", "_line", "_code", "_reason"]
    assert ragged[:5] == ["a", "B", "2", "3", "ragged"]
    assert ragged[5] == 'The row has 5 fields, the header has 3. Beyond the last column: "x, y",z'


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("", ["ragged", "no_sku"]),
        ("?duplicates=false", ["ragged", "no_sku"]),
        ("?duplicates=true", ["duplicate", "ragged", "no_sku"]),
    ],
)
def test_rows_that_lost_to_another_are_there_when_asked_for(client, run_import, query, codes):
    job = run_import(FILE)
    _, *found = rows(client.get(f"/api/jobs/{job.id}/rejects{query}").text)
    assert [row[4] for row in found] == codes
    if "duplicate" in codes:
        assert found[0] == ["a", "A", "1", "2", "duplicate", "Line 4 has the same SKU and was taken."]


def test_a_question_that_is_none_is_refused(client, run_import):
    answer = client.get(f"/api/jobs/{run_import(FILE).id}/rejects?duplicates=perhaps")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "duplicates")


def test_many_rows_stream_in_the_memory_of_a_few(database, run_import):
    job_id = run_import("sku,name,description\n").id
    count = 10_000
    with db.engine().begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO import_row_error (job_id, line, code, reason, row) "
            "SELECT %(job)s, n, 'no_sku', 'The SKU is empty.', "
            """json_build_array('', 'Name', repeat('x', 1500)) FROM generate_series(1, %(count)s) AS n""",
            {"job": str(job_id), "count": count},
        )
    lines, most = read(job_id)
    assert lines == count + 1
    # The whole is 16 MB.
    assert most < 8_000_000


def read(job_id: UUID) -> tuple[int, int]:
    """Read a file of rejected rows to its end: its lines, and the most bytes that were held meanwhile."""
    tracemalloc.start()
    lines = sum(piece.count("\n") for piece in stream_rejects(job_id))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return lines, most


def test_what_the_merge_refused_comes_back_as_the_same_cells(client, run_import):
    cells = ["'=a", "''=x", "'tis", "-5"]
    run_import(csv_of(cells))
    refused = run_import(csv_of(cells), mode="create")
    assert refused.rejected == 1
    text = client.get(f"/api/jobs/{refused.id}/rejects").text
    assert run_import(text).unchanged == 1


def csv_of(cells: list[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["sku", "name", "description", "price"], cells])
    return text.getvalue()
