"""Malicious files are rejected and leave nothing behind."""

import io
import struct
import zipfile
from collections.abc import Callable, Iterator

import pytest

from product_importer.core import db
from product_importer.core.storage import storage
from product_importer.imports.parsing import head_process, limited_process, workbook_process
from product_importer.imports.parsing.xlsx.styles import MAX_FORMAT_CHARACTERS
from tests.imports.parsing.xlsx.test_reader import HEADER, made, row_of, shared_row

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
CSV = "sku,name,description\na,b,c\n"


def post(client, content: bytes):
    return client.post("/api/upload-csv", files={"file": ("catalogue.xlsx", content)})


def assert_rejected(client, content: bytes) -> str:
    """Upload a file that must be rejected, and return the reason."""
    answer = post(client, content)
    assert answer.status_code == 400, answer.text
    with db.engine().connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM import_job").scalar() == 0
    assert list(storage().keys()) == []
    return answer.json()["detail"]


def relation(kind: str, target: str, more: str = "") -> str:
    return f'<Relationship Id="{kind}" Type="{KIND}/{kind}" Target="{target}" {more}/>'


def related(*relations: str) -> str:
    return f'<Relationships xmlns="{PACKAGE}">{"".join(relations)}</Relationships>'


def with_relations(*relations: str, sheet: str = HEADER, **parts: str) -> bytes:
    """Return a workbook with these relations between its parts; its sheet is the one of `worksheet`."""
    main = f'<workbook xmlns="{MAIN}" xmlns:r="{KIND}"><sheets><sheet name="a" r:id="worksheet"/></sheets></workbook>'
    return made(sheet, **{"xl/workbook.xml": main, "xl/_rels/workbook.xml.rels": related(*relations), **parts})


SHEET = relation("worksheet", "worksheets/a.xml")


def with_styles(xml: str) -> bytes:
    return with_relations(SHEET, relation("styles", "styles.xml"), **{"xl/styles.xml": xml})


def formats(codes: Iterator[str], repeated: int = 1) -> str:
    """Return styles with these number formats, each used by `repeated` cell styles."""
    named = list(enumerate(codes, start=200))
    own = "".join(f'<numFmt numFmtId="{number}" formatCode="{code}"/>' for number, code in named)
    used = "".join(f'<xf numFmtId="{number}"/>' for number, _ in named) * repeated
    return f'<styleSheet xmlns="{MAIN}"><numFmts>{own}</numFmts><cellXfs>{used}</cellXfs></styleSheet>'


def patched(content: bytes, name: str, offset: int, layout: str, value: int) -> bytes:
    """Return a zip with one number changed in the central directory entry of a file."""
    changed = bytearray(content)
    at = content.index(name.encode(), content.index(b"PK\x01\x02")) - 46
    struct.pack_into(layout, changed, at + offset, value)
    return bytes(changed)


def shifted(content: bytes) -> bytes:
    """Return a zip with a wrong offset of its central directory, so that files begin before the zip."""
    changed, at = bytearray(content), content.rindex(b"PK\x05\x06") + 16
    struct.pack_into("<L", changed, at, struct.unpack_from("<L", content, at)[0] + 1_000)
    return bytes(changed)


def damaged(content: bytes, name: str) -> bytes:
    """Return a zip in which a stored file does not match its checksum."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        at = archive.getinfo(name).header_offset + 30 + len(name)
    return content[: at + 20] + bytes([content[at + 20] ^ 1]) + content[at + 21 :]


def stored(content: bytes) -> bytes:
    """Return a zip with the same files, without compression."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return target.getvalue()


def doubled(content: bytes, name: str, text: str) -> bytes:
    """Return a zip that holds a second file of the same name."""
    target = io.BytesIO(content)
    with pytest.warns(UserWarning), zipfile.ZipFile(target, "a") as archive:
        archive.writestr(name, text)
    return target.getvalue()


def zipped(name: str = "a.csv", text: str = CSV) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(name, text)
    return target.getvalue()


BILLION = "".join(f'<!ENTITY b{n} "{10 * f"&b{n - 1};"}">' for n in range(1, 12))
ENTITIES = f'<!DOCTYPE a [<!ENTITY b0 "bb">{BILLION}'
NESTED = "<a>" * 300_000
BAD_WORKBOOKS: dict[str, Callable[[], bytes]] = {
    "a format code of brackets": lambda: with_styles(formats(iter(["[" * 60_000]))),
    "many long format codes": lambda: with_styles(formats("[" * 300 + str(n) for n in range(5_000))),
    "a long code that no cell uses": lambda: with_styles(formats(iter(["[" * 60_000]), repeated=0)),
    "nested styles without an end": lambda: with_styles(NESTED),
    "a nested sheet": lambda: made(NESTED),
    "rows in rows": lambda: made("<row>" * 200_000),
    "entities": lambda: made(HEADER, f"{ENTITIES}]><si><t>&b11;</t></si>"),
    "entities in the styles": lambda: with_styles(f"{ENTITIES}]><a>&b11;</a>"),
    "entities in the relations": lambda: made(HEADER, **{"_rels/.rels": f"{ENTITIES}]><a>&b11;</a>"}),
    "entities in UTF-16": lambda: with_styles(f'<?xml version="1.0" encoding="utf-16"?>{ENTITIES}]><a/>'),
    "a sheet that is missing": lambda: with_relations(relation("worksheet", "none.xml")),
    "a sheet outside": lambda: with_relations(relation("worksheet", "../../../../etc/passwd")),
    "a sheet from the root": lambda: with_relations(relation("worksheet", "/etc/passwd")),
    "a sheet at an address": lambda: with_relations(relation("worksheet", "http://169.254.169.254/")),
    "an external sheet": lambda: with_relations(relation("worksheet", "worksheets/a.xml", 'TargetMode="External"')),
    "a sheet without a target": lambda: with_relations(relation("worksheet", "")),
    "the workbook as its own sheet": lambda: with_relations(relation("worksheet", "workbook.xml")),
    "no relations": lambda: made(HEADER, **{"_rels/.rels": related()}),
    "a second sheet of that name": lambda: doubled(made(HEADER), "xl/worksheets/a.xml", "<no/>"),
    "a locked sheet": lambda: patched(made(HEADER), "xl/worksheets/a.xml", 8, "<H", 1),
    "a locked list of sheets": lambda: patched(made(HEADER), "xl/workbook.xml", 8, "<H", 1),
    "an unusual method": lambda: patched(made(HEADER), "xl/worksheets/a.xml", 10, "<H", 12),
    "a sheet that begins elsewhere": lambda: patched(made(HEADER), "xl/worksheets/a.xml", 42, "<L", 7),
    "a sheet after the end": lambda: patched(made(HEADER), "xl/worksheets/a.xml", 42, "<L", 2**31),
    "a list that begins before the file": lambda: shifted(made(HEADER)),
    "a wrong checksum": lambda: damaged(stored(made(HEADER)), "xl/worksheets/a.xml"),
    "a wrong checksum of the texts": lambda: damaged(stored(made(HEADER, "<si><t>text</t></si>" * 9)), "xl/t.xml"),
    "a header without end": lambda: made(shared_row(1, *[0] * 18_000), f"<si><t>{'_x' * 1_000_000}</t></si>"),
    "a cell beyond the last column": lambda: made('<row r="1"><c r="ZZZZ1"><v>1</v></c></row>'),
    "a number of many digits": lambda: made(f"<row r='1'><c><v>{'9' * 1_000_000}</v></c></row>"),
    "a style of many digits": lambda: made(f"<row r='1'><c s='{'9' * 1_000_000}'><v>1</v></c></row>"),
}


@pytest.mark.parametrize("shape", BAD_WORKBOOKS)
def test_a_malicious_workbook_is_rejected(client, shape):
    assert assert_rejected(client, BAD_WORKBOOKS[shape]())


def test_the_error_for_a_long_format_code_names_the_limit(client):
    detail = assert_rejected(client, BAD_WORKBOOKS["a format code of brackets"]())
    assert "60,000 characters" in detail and f"at most {MAX_FORMAT_CHARACTERS}" in detail


@pytest.mark.parametrize("last", ["<xf/>" * 200_000, '<x a="b"/>' * 100_000])
def test_large_but_valid_workbooks_are_read(client, last):
    """Each code is checked once, not once for each style."""
    styles = formats(iter(["[" * MAX_FORMAT_CHARACTERS]), repeated=100_000).replace("</cellXfs>", f"</cellXfs>{last}")
    assert post(client, with_styles(styles)).status_code == 202


def test_huge_dimensions_and_merged_cells_are_ignored(client):
    beside = "".join(f'<mergeCell ref="A{n}:XFD1048576"/>' for n in range(1, 10_000))
    sheet = (
        f'<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData>{HEADER}{row_of(2, "a", "b", "c")}'
        f"</sheetData><mergeCells>{beside}</mergeCells></worksheet>"
    )
    assert post(client, made("", **{"xl/worksheets/a.xml": sheet})).status_code == 202


def test_a_workbook_that_takes_too_long_is_rejected_with_the_reason(client, monkeypatch):
    monkeypatch.setattr(limited_process, "DEADLINE_SECONDS", 0)
    monkeypatch.setattr(head_process, "DEADLINE_SECONDS", 0)
    assert "took longer than 0 s" in assert_rejected(client, made(HEADER))


def test_too_many_workbooks_at_once_get_429_with_retry_after(client, monkeypatch):
    monkeypatch.setattr(limited_process, "MAX_AT_WORK", 0)
    monkeypatch.setattr(limited_process, "MAX_WAITING", 0)
    monkeypatch.setattr(
        workbook_process, "READER", limited_process.LimitedProcess("product_importer.imports.parsing.workbook_head")
    )
    answer = post(client, made(HEADER))
    assert (answer.status_code, answer.json()["type"]) == (429, "/api/problems/busy")
    assert int(answer.headers["retry-after"]) > 0
    assert list(storage().keys()) == []


BAD_ZIPS: dict[str, Callable[[], bytes]] = {
    "a second file of that name": lambda: doubled(zipped(), "a.csv", CSV),
    "a locked file": lambda: patched(zipped(), "a.csv", 8, "<H", 1),
    "an unusual method": lambda: patched(zipped(), "a.csv", 10, "<H", 12),
    "a file that begins elsewhere": lambda: patched(zipped(), "a.csv", 42, "<L", 7),
    "a file after the end": lambda: patched(zipped(), "a.csv", 42, "<L", 2**31),
    "a wrong checksum": lambda: damaged(zipped(text="sku,name,description\n" + "a,b,c\n" * 9), "a.csv"),
    "a wrong size": lambda: patched(patched(zipped(), "a.csv", 20, "<L", 5), "a.csv", 24, "<L", 5),
    "another name inside": lambda: zipped().replace(b"a.csv", b"b.csv", 1),
    "a list that begins before the file": lambda: shifted(zipped()),
    "a list that ends early": lambda: zipped()[:-30],
}


@pytest.mark.parametrize("shape", BAD_ZIPS)
def test_a_malicious_zip_is_rejected(client, shape):
    assert assert_rejected(client, BAD_ZIPS[shape]())


def wide(count: int) -> list[str]:
    return ["sku", "name", "description", *(f"c{number}" for number in range(count - 3))]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_of_too_many_columns_is_rejected(client, delimiter):
    assert post(client, delimiter.join(wide(2_000)).encode()).status_code == 202
    assert "2,001 columns; at most 2,000" in column_error(client, delimiter.join(wide(2_001)).encode())


def test_a_workbook_of_too_many_columns_is_rejected(client):
    assert post(client, made(row_of(1, *wide(2_000)))).status_code == 202
    assert "2,001 columns" in column_error(client, made(row_of(1, *wide(2_001))))
    assert "18,278 columns" in column_error(client, made('<row r="1"><c r="ZZZ1"><v>1</v></c></row>'))
    assert "200,000 columns" in column_error(client, made(f"<row>{'<c><v>1</v></c>' * 200_000}</row>"))


def column_error(client, content: bytes) -> str:
    """Upload a file of too many columns, and return the error; earlier imports may exist."""
    answer = post(client, content)
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/too-many-columns")
    return answer.json()["detail"]


def test_rows_of_too_many_cells_are_rejected_and_their_surplus_is_not_stored(client, run_import):
    """This also holds if most lines have that many cells."""
    wide_row = ",".join(["d", "e", "f", *["x"] * 100_000]) + "\n"
    job = run_import(CSV + wide_row * 5 + "g,h,i\n")
    assert (job.status, job.created, job.rejected) == ("completed", 2, 5)
    with db.engine().connect() as connection:
        kept = connection.exec_driver_sql("SELECT DISTINCT row::text FROM import_row_error").scalars().all()
    assert kept == ['["d", "e", "f"]']


def test_a_row_of_a_workbook_with_too_many_cells_is_rejected(client, run_import):
    sheet = HEADER + shared_row(2, *[0] * 18_000) + row_of(3, "a", "b", "c")
    job = run_import(made(sheet, "<si><t>x</t></si>"))
    assert (job.status, job.created, job.rejected) == ("completed", 1, 1)


def test_thousands_of_columns_of_one_name_are_imported(client, run_import):
    job = run_import(",".join(["sku", "name", "description", *["x"] * 1_997]) + "\na,b,c" + ",1" * 1_997 + "\n")
    assert (job.status, job.created) == ("completed", 1)


def test_shared_texts_are_read(client, run_import):
    texts = "<si><t>sku</t></si><si><t>name</t></si><si><t>description</t></si><si><t>a_x000D_</t></si>"
    job = run_import(made(shared_row(1, 0, 1, 2) + shared_row(2, 3, 3, 3), texts))
    assert (job.status, job.created) == ("completed", 1)
