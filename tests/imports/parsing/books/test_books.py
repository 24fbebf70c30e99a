"""Workbooks of all kinds are read to the same rows."""

import io
from datetime import date

import pytest

from product_importer.core.errors import Invalid
from product_importer.core.storage import storage
from product_importer.imports import tasks
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.books import converted_sheet
from product_importer.imports.parsing.limited_process import LimitedProcess
from product_importer.imports.parsing.opening import CountingReader, open_records
from product_importer.imports.parsing.records import Unreadable
from tests.imports.parsing.books.made_books import ALL, OTHERS, Rows, Sheets, zipped
from tests.imports.parsing.reading import detected, rows_of
from tests.imports.parsing.test_hostile import SHEET, relation, with_relations
from tests.imports.parsing.xlsx.test_reader import HEADER, row_of, shared_row

pytestmark = pytest.mark.processes

NAMES = ["sku", "name", "description", "price", "active", "since"]
ROWS: Rows = [
    [None, None],
    NAMES,
    ["a", "Größe 😀", "x", 19.5, True, date(2024, 2, 29)],
    [" ", "", None],
    [4006381333931, "Säge", None, 0.1, False],
    [None, "no SKU", "y", None, None, None, None, "beside"],
]
READ = [
    (3, ["a", "Größe 😀", "x", "19.5", "true", "2024-02-29"]),
    (5, ["4006381333931", "Säge", "", "0.1", "false", ""]),
    (6, ["", "no SKU", "y", "", "", "", "beside"]),
]
SHEETS: Sheets = {"hidden notes": [["x"]], "Prices": ROWS, "Empty": [], "Old": [["sku"], ["b"]]}


def without_date_format(kind: str) -> list:
    """A date in the .xlsb of these tests is the number that it is stored as: it has no styles."""
    return [(line, [cell.replace("2024-02-29", "45351") for cell in row]) for line, row in READ]


@pytest.mark.parametrize("kind", ALL)
def test_every_kind_is_read_to_the_same_rows(kind):
    content = ALL[kind](SHEETS)
    format, names = detected(content)
    assert (format.kind, format.part, names) == (kind, "Prices", NAMES)
    assert rows_of(content, format) == (without_date_format(kind) if kind == "xlsb" else READ, [])


@pytest.mark.parametrize("kind", ALL)
def test_a_sheet_is_chosen_by_its_name(kind):
    content = ALL[kind](SHEETS)
    format, names = detected(content, ImportOptions(sheet="OLD"))
    assert (format.part, names, rows_of(content, format)[0]) == ("Old", ["sku"], [(2, ["b"])])
    with pytest.raises(Invalid, match="“hidden notes”, “Prices”, “Empty”, “Old”"):
        detected(content, ImportOptions(sheet="New"))


@pytest.mark.parametrize("kind", OTHERS)
def test_a_workbook_of_many_rows_becomes_products(client, run_import, products, kind):
    """Enough texts for the records of an .xls to be continued, and some of them in UTF-16."""
    rows: Rows = [
        ["sku", "name", "description"],
        *([f"s{n}", f"Größe {n} ж" * (1 + n % 5), n] for n in range(12_000)),
    ]
    answer = client.post("/api/upload-csv", files={"file": (f"a.{kind}", OTHERS[kind]({"S": rows}))})
    assert answer.status_code == 202, answer.text
    tasks.run_import(answer.json()["job_id"])
    job = client.get(answer.headers["location"]).json()
    assert (job["status"], job["created"], job["rejected"], job["percent"]) == ("completed", 12_000, 0, 100.0)
    assert (job["format"]["kind"], job["format"]["part"]) == (kind, "S")
    assert products() == {sku: (name, str(number)) for sku, name, number in rows[1:]}


@pytest.mark.parametrize("kind", OTHERS)
def test_blank_cells_never_clear_a_value_and_the_report_says_so(client, run_import, products, kind):
    run_import("sku,name,description\na,Hammer,red\n")
    job = run_import(OTHERS[kind]({"S": [["sku", "name", "description"], ["a", "Mallet", None]]}), blank="clear")
    assert (job.status, job.updated, job.choices.blank) == ("completed", 1, "keep")
    assert products() == {"a": ("Mallet", "red")}
    [warning] = client.get(f"/api/jobs/{job.id}").json()["warnings"]
    assert warning["code"] == "formats_not_visible"
    assert f"(.{kind})" in warning["message"] and "blank cell never clears" in warning["message"]


def test_blank_cells_of_an_xlsx_clear_values_as_chosen(run_import, products):
    run_import("sku,name,description\na,Hammer,red\n")
    job = run_import(ALL["xlsx"]({"S": [["sku", "name", "description"], ["a", "Mallet", None]]}))
    assert (job.choices.blank, job.warnings, products()) == ("clear", [], {"a": ("Mallet", "")})


@pytest.mark.parametrize("kind", ALL)
def test_numbers_of_more_than_15_digits_are_counted(client, run_import, kind):
    names = ["sku", "name", "description", "ean", "price"]
    good = ["a", "A", "", 400638133393100, 19.989999999999998]
    long = [["b", "B", "", 1234567890123456789, -1e15], ["c", "C", "", 1e16, 0.1 + 0.2]]
    job = run_import(ALL[kind]({"S": [[1e20], names, good, *long]}), header_line=2)
    warnings = {one["code"]: one for one in client.get(f"/api/jobs/{job.id}").json()["warnings"]}
    shortened = warnings["numbers_shortened"]
    assert (job.created, shortened["count"], shortened["first_line"]) == (3, 3, 4)
    assert "more than 15 digits" in shortened["message"]
    prices = {item["sku"]: item["attributes"]["price"] for item in client.get("/api/products").json()["items"]}
    assert prices == {"a": "19.99", "b": "-1000000000000000" if kind == "xlsx" else "-1e+15", "c": "0.3"}


MISSING = {
    "styles": relation("styles", "none.xml"),
    "texts": relation("sharedStrings", "none.xml"),
    "texts outside": relation("sharedStrings", "../../../../etc/passwd"),
}


@pytest.mark.parametrize("part", MISSING)
def test_an_xlsx_that_lacks_parts_beside_its_sheet_is_read_with_a_warning(run_import, products, part):
    job = run_import(with_relations(SHEET, MISSING[part], sheet=HEADER + row_of(2, "a", "b", "c")))
    assert (job.status, job.format.kind, job.format.container) == ("completed", "xlsx", "plain")
    assert products() == {"a": ("b", "c")}
    assert [warning.code for warning in job.warnings] == ["formats_not_visible"]


def test_an_xlsx_that_lacks_a_text_of_its_sheet_is_refused():
    with pytest.raises(Invalid, match="damaged"):
        detected(with_relations(SHEET, MISSING["texts"], sheet=HEADER + shared_row(2, 0)))


SHELLS = {
    "an ods without content": (
        zipped(
            {
                "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
                "content.xml": '<o:document-content xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0"/>',
                "META-INF/manifest.xml": "<x/>",
            }
        ),
        r"\(\.ods\)",
    ),
    "an ods of no xml": (
        zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x"}),
        r"\(\.ods\)",
    ),
    "a Word document": (zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<x/>"}), "Word document"),
    "a presentation": (zipped({"[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<x/>"}), "presentation"),
    "a document of Numbers": (zipped({"Index/Document.iwa": "x", "preview.jpg": "x"}), r"In Numbers, export it as"),
    "an xlsb without content": (zipped({"[Content_Types].xml": "<Types/>", "xl/workbook.bin": "x"}), r"\(\.xlsb\)"),
    "an xls of noise": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3_000), r"\(\.xls\)"),
    "an xls cut off": (OTHERS["xls"](SHEETS)[:3_000], r"\(\.xls\)"),
}


@pytest.mark.parametrize("shape", SHELLS)
def test_a_shell_or_a_damaged_workbook_is_refused_by_its_name(client, shape):
    content, words = SHELLS[shape]
    answer = client.post("/api/upload-csv", files={"file": ("a", content)})
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/not-csv")
    with pytest.raises(Invalid, match=words):
        detected(content)
    assert list(storage().keys()) == []


@pytest.mark.parametrize("kind", OTHERS)
def test_an_empty_sheet_is_reported_as_empty(kind):
    with pytest.raises(Invalid, match="In the sheet “S”") as raised:
        detected(OTHERS[kind]({"S": []}))
    assert raised.value.kind == "empty-file"


def test_the_progress_grows_with_the_rows():
    content = OTHERS["xls"]({"S": [["sku"], *([f"s{n}" * 9] for n in range(20_000))]})
    counted = CountingReader(io.BytesIO(content))
    records = open_records(counted, detected(content)[0])
    records.header()
    shares = [counted.bytes_read / len(content) for _ in records.chunks()]
    assert shares == sorted(shares) and 0.1 < shares[0] < 0.4 and counted.bytes_read == len(content)


def test_a_conversion_that_takes_too_long_ends_with_the_reason(monkeypatch):
    content = OTHERS["ods"](SHEETS)
    format, _ = detected(content)
    slow = LimitedProcess("product_importer.imports.parsing.books.conversion", 0, keeps_ready=False)
    monkeypatch.setattr(converted_sheet, "CONVERTER", slow)
    with pytest.raises(Unreadable, match="took longer") as ended:
        rows_of(content, format)
    assert ended.value.code == "bad_workbook"
