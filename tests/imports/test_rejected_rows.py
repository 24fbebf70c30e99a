"""The CSV of rejected rows loses nothing, and streams any number of rows in constant memory."""

import csv
import io
import json
import tracemalloc
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from product_importer.core import db
from product_importer.imports.rejected_rows import stream_rejects

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
def test_duplicate_rows_are_included_on_request(client, run_import, query, codes):
    job = run_import(FILE)
    _, *found = rows(client.get(f"/api/jobs/{job.id}/rejects{query}").text)
    assert [row[4] for row in found] == codes
    if "duplicate" in codes:
        assert found[0] == ["a", "A", "1", "2", "duplicate", "Line 4 has the same SKU and was used instead."]


def test_an_invalid_query_is_rejected(client, run_import):
    answer = client.get(f"/api/jobs/{run_import(FILE).id}/rejects?duplicates=perhaps")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "duplicates")


def test_many_rows_stream_in_constant_memory(database, run_import):
    job_id = run_import("sku,name,description\n").id
    count = 10_000
    with db.engine().begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO import_row_error (job_id, line, code, reason, row) "
            "SELECT %(job)s, n, 'no_sku', 'The SKU is empty.', "
            """json_build_array('', 'Name', repeat('x', 1500)) FROM generate_series(1, %(count)s) AS n""",
            {"job": str(job_id), "count": count},
        )
    lines, peak = read(job_id)
    assert lines == count + 1
    # The whole CSV has 16 MB.
    assert peak < 8_000_000


def read(job_id: UUID) -> tuple[int, int]:
    """Read a CSV of rejected rows; return its lines and the peak of allocated bytes."""
    tracemalloc.start()
    lines = sum(piece.count("\n") for piece in stream_rejects(job_id))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return lines, peak


def test_rows_rejected_by_the_merge_keep_their_cells(client, run_import):
    cells = ["'=a", "''=x", "'tis", "-5"]
    run_import(csv_of(cells))
    rejected = run_import(csv_of(cells), mode="create")
    assert rejected.rejected == 1
    text = client.get(f"/api/jobs/{rejected.id}/rejects").text
    assert run_import(text).unchanged == 1


def csv_of(cells: list[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["sku", "name", "description", "price"], cells])
    return text.getvalue()


# Characters that begin a formula in a spreadsheet, or that it skips before one.
TRIGGERS = tuple("=+-@\t\r\n＝＋－＠")
letters = st.one_of(st.sampled_from("'=+-@\t\r\n＝ a,;\"%()"), st.characters(exclude_categories=["Cs", "Cc"]))
cells = st.text(letters, max_size=5)
# Valid column names that are not names of fields.
labels = cells.filter(lambda name: "".join(name.split()).isprintable())
headers = st.lists(labels | st.sampled_from(["_line", "", "=x", "'=x"]), max_size=4)


@given(st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rejected_rows_can_be_imported_again_and_no_cell_is_a_formula(client, run_import, database, data):
    """Rows that the reader (`active`) and the merge (`mode`) reject are corrected and uploaded again."""
    before, after = data.draw(headers), data.draw(headers)
    names = [*before, " name", "\tsku", "description", "active", *after]
    row = [data.draw(cells) for _ in names]
    row[len(before)] = row[len(before)].strip("'=+-@＝＋－＠ \t\r\n") or "\t=Name"
    row[len(before) + 1], row[len(before) + 3] = data.draw(st.sampled_from(["\t=1", "'=1", "-1", "''@a"])), "\ttrue"
    empty_catalogue()
    assert run_import(written([names, row])).created == 1
    expected = everything()

    empty_catalogue()
    bad_row = [*row[: len(before) + 3], "=perhaps", *row[len(before) + 4 :]]
    by_reader = run_import(written([names, bad_row]))
    text = rejects_of(client, by_reader, "bad_active")
    assert run_import(text.replace("'=perhaps", "true")).created == 1
    assert everything() == expected

    empty_catalogue()
    by_merge = run_import(written([names, row]), mode="update")
    assert run_import(rejects_of(client, by_merge, "not_found")).created == 1
    assert everything() == expected


def rejects_of(client, job, code: str) -> str:
    """Return the CSV of rejected rows; check that no cell is a formula and that its one row has this code."""
    text = client.get(f"/api/jobs/{job.id}/rejects").text
    found = rows(text)
    assert [row[-2] for row in found[1:]] == [code]
    assert not [cell for row in found for cell in row if cell.startswith(TRIGGERS)]
    return text


def written(table: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(table)
    return text.getvalue()


def empty_catalogue() -> None:
    with db.engine().begin() as connection:
        connection.exec_driver_sql("TRUNCATE product CASCADE")


def everything() -> list[tuple]:
    with db.engine().connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT sku, name, description, active, attributes FROM product ORDER BY sku"
        )
        return [tuple(row) for row in found]


@pytest.mark.parametrize("blank", ["\t", "\r\n", " \t"])
def test_a_blank_sku_stays_blank(client, run_import, blank):
    """An escaped blank would be an SKU."""
    job = run_import(written([["sku", "name", "description"], [blank, "Name", "\t"]]))
    text = rejects_of(client, job, "no_sku")
    assert (again := run_import(text)).rejected == 1
    assert rows(rejects_of(client, again, "no_sku"))[1][:3] == [blank.lstrip("\t\r\n"), "Name", "'\t"]


def test_a_row_that_cannot_be_split_is_escaped_too(client, run_import):
    job = run_import('sku,name,description\n=1+1,"a"b,c\nx,y,z\n')
    assert rows(rejects_of(client, job, "malformed"))[1][0] == '\'=1+1,"a"b,c'


def test_the_rejects_of_a_mapped_file_are_recognised_with_escaped_names(client, run_import):
    names, columns = ["=Code", "+Title", "@Text;a;b;c;d;e;f;g;h"], ["sku", "name", "description"]
    mapped = json.dumps(dict(zip(names, columns, strict=True)))
    job = run_import(written([names, ["", "Name", "x"]]), columns=mapped)
    text = rejects_of(client, job, "no_sku")
    assert text.startswith("'=Code,'+Title,'@Text;a;b;c;d;e;f;g;h,_line")
    assert run_import(text.replace("\r\n,", "\r\nA-1,")).created == 1
