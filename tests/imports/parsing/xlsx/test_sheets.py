"""Which sheet of a workbook is read, in whichever namespace and under whichever file names it is written."""

import io
import zipfile

import pytest

from product_importer.core.errors import Invalid
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.workbook_head import read_head
from tests.imports.parsing.reading import rows_of
from tests.imports.parsing.xlsx.test_reader import HEADER, made, row_of

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
STRICT = {
    MAIN: "http://purl.oclc.org/ooxml/spreadsheetml/main",
    KIND: "http://purl.oclc.org/ooxml/officeDocument/relationships",
}


def book(*sheets: tuple[str, str, str]) -> bytes:
    """Return a workbook of sheets: their titles, states and cells."""
    listed = "".join(
        f'<sheet name="{title}" sheetId="{at}" r:id="s{at}"{f" state={state!r}" if state else ""}/>'
        for at, (title, state, _) in enumerate(sheets)
    )
    relations = "".join(
        f'<Relationship Id="s{at}" Type="{KIND}/worksheet" Target="worksheets/{at}.xml"/>'
        for at in range(len(sheets))
    )
    main = f'<workbook xmlns="{MAIN}" xmlns:r="{KIND}"><sheets>{listed}</sheets></workbook>'
    parts = {
        f"xl/worksheets/{at}.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>'
        for at, (_, _, cells) in enumerate(sheets)
    }
    related = f'<Relationships xmlns="{PACKAGE}">{relations}</Relationships>'
    return made("", **{"xl/workbook.xml": main, "xl/_rels/workbook.xml.rels": related, **parts})


def filled(sku: str) -> str:
    return HEADER + row_of(2, sku, "b", "c")


def renamed(content: bytes, rename) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(rename(name), old.read(name))
    return target.getvalue()


def read(content: bytes, sheet: str | None = None) -> tuple[str | None, str, list[str]]:
    """Return the sheet that is read, its first SKU, and the others with data."""
    format, _, others = read_head(io.BytesIO(content), "xlsx", sheet)
    return format.part, rows_of(content, format)[0][0][1][0], others


FOUR = book(
    ("Notes", "hidden", filled("n")),
    ("Secret", "veryHidden", filled("s")),
    ("Prices", "", filled("p")),
    ("Ärchive", "visible", filled("a")),
    ("Empty", "", "<row r='1'><c r='A1' s='0'/></row>"),
)


@pytest.mark.parametrize(
    ("sheet", "expected"),
    [
        (None, ("Prices", "p", ["Ärchive"])),
        ("prices", ("Prices", "p", ["Ärchive"])),
        (" ÄRCHIVE ", ("Ärchive", "a", ["Prices"])),
        ("secret", ("Secret", "s", ["Prices", "Ärchive"])),
    ],
)
def test_the_first_visible_sheet_or_the_chosen_one_is_read(sheet, expected):
    assert read(FOUR, sheet) == expected


def test_if_all_sheets_are_hidden_the_first_is_read():
    assert read(book(("A", "hidden", filled("a")), ("B", "veryHidden", filled("b"))))[:2] == ("A", "a")


def test_an_unknown_sheet_is_an_error_that_lists_the_sheets():
    with pytest.raises(Invalid, match=r"no sheet “Nope”.*“Notes”, “Secret”, “Prices”") as raised:
        read(FOUR, "Nope")
    assert raised.value.kind == "unknown-sheet"
    assert raised.value.extra["sheets"] == ["Notes", "Secret", "Prices", "Ärchive", "Empty"]


def test_an_error_in_a_sheet_names_it():
    with pytest.raises(Invalid, match="In the sheet “Empty”") as raised:
        read(FOUR, "Empty")
    assert raised.value.kind == "empty-file"


def test_a_damaged_sheet_that_is_not_read_does_no_harm():
    assert read(book(("A", "", filled("a")), ("B", "", "<broken"))) == ("A", "a", ["B"])


def test_strict_open_xml_is_read():
    dates = row_of(2, "a", "b").replace("</row>", '<c t="d"><v>2026-03-01T00:00:00</v></c></row>')
    times = row_of(3, "c", "d").replace("</row>", '<c t="d"><v>2026-03-01T13:05:00</v></c></row>')
    others = row_of(4, "e", "f").replace("</row>", '<c t="d"><v>PT5M</v></c></row>')
    content, target = book(("S", "", HEADER + dates + times + others)), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            for namespace, strict in STRICT.items():
                text = text.replace(f'"{namespace}', f'"{strict}')
            new.writestr(name, text)
    assert b"schemas.openxmlformats.org/spreadsheetml" not in target.getvalue()
    rows, errors = rows_of(target.getvalue(), Format(container="xlsx"))
    assert [row[2] for _, row in rows] == ["2026-03-01", "2026-03-01T13:05:00", "PT5M"]
    assert errors == []


@pytest.mark.parametrize("rename", [lambda name: name.replace("/", "\\"), str.upper], ids=["backslashes", "case"])
def test_part_names_with_backslashes_or_in_another_case_are_read(rename):
    assert read(renamed(FOUR, rename))[:2] == ("Prices", "p")


def test_a_sheet_chosen_by_rest_is_imported_and_the_others_are_named(client, run_import, products):
    job = run_import(FOUR, sheet="ärchive")
    assert (job.status, job.created, job.format.part) == ("completed", 1, "Ärchive")
    assert products() == {"a": ("b", "c")}
    [warning] = client.get(f"/api/jobs/{job.id}").json()["warnings"]
    assert (warning["code"], "“Prices”" in warning["message"]) == ("other_sheets", True)


def test_an_unknown_sheet_is_a_400(client):
    answer = client.post("/api/upload-csv", data={"sheet": "Nope"}, files={"file": ("a.xlsx", FOUR)})
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/unknown-sheet")
    assert answer.json()["sheets"][2] == "Prices"


def test_a_sheet_of_a_file_that_is_no_workbook_is_a_400(client):
    file = ("a.csv", b"sku,name,description\na,b,c\n")
    answer = client.post("/api/upload-csv", data={"sheet": "Prices"}, files={"file": file})
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/unknown-sheet")
    assert "no workbook" in answer.json()["detail"]


def test_a_header_that_does_not_fit_is_an_error_that_names_the_other_sheets_with_data(client):
    content = book(("Info", "", row_of(1, "Read me")), ("Empty", "", ""), ("Prices", "", filled("p")))
    problem = client.post("/api/upload-csv", files={"file": ("a.xlsx", content)}).json()
    assert problem["detail"].startswith("In the sheet “Info” (others can be chosen by their names: “Prices”): ")


def test_a_header_that_does_not_fit_is_an_error_that_names_the_sheet(client):
    content = book(("Prices", "", row_of(1, "sku", "price")))
    problem = client.post("/api/upload-csv", files={"file": ("a.xlsx", content)}).json()
    assert problem["type"] == "/api/problems/invalid-csv-header"
    assert problem["detail"].startswith("In the sheet “Prices”: Missing columns")
    assert problem["missing"] == ["name", "description"]
