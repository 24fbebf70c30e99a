"""The templates of a catalogue: they import as they are, and a workbook keeps the digits of SKUs."""

import csv
import io

import pytest
from openpyxl import load_workbook

from product_importer.imports.templates import ROWS

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_template_imports_as_it_is(client, run_import, kind):
    answer = client.get(f"/api/import-template.{kind}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, FORMATS[kind])
    assert answer.headers["content-disposition"] == f'attachment; filename="import-template.{kind}"'

    job = run_import(answer.content, f"import-template.{kind}")
    assert (job.status, job.created, job.rejected, job.warnings) == ("completed", 2, 0, [])
    items = client.get("/api/products", params={"sort": "sku"}).json()["items"]
    assert [(item["sku"], item["name"], item["description"], item["attributes"]) for item in items] == [
        (sku, name, description, {"colour": colour}) for sku, name, description, _, colour in ROWS[1:]
    ]
    assert [item["active"] for item in items] == [True, False]


def test_a_spreadsheet_reads_the_csv_with_its_quotation_marks(client):
    content = client.get("/api/import-template.csv").content
    assert content.startswith(b"\xef\xbb\xbf")
    assert [tuple(row) for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))] == list(ROWS)


def test_what_is_typed_as_an_sku_into_the_workbook_stays_a_text(client):
    sheet = load_workbook(io.BytesIO(client.get("/api/import-template.xlsx").content)).active
    assert [tuple(cell.value for cell in row) for row in sheet.iter_rows()] == list(ROWS)
    assert sheet.column_dimensions["A"].number_format == "@"
    assert [cell.number_format for cell in sheet["A"]] == ["General", "@", "@"]
    assert (sheet.freeze_panes, sheet["A1"].font.bold) == ("A2", True)


def test_a_template_takes_no_parameter(client):
    assert client.get("/api/import-template.csv?format=xlsx").status_code == 422
    assert client.post("/api/import-template.csv").status_code == 405
