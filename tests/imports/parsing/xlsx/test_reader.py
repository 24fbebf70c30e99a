"""Read a sheet of a workbook as text, with its row numbers and within limits."""

import contextlib
import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.core.errors import Invalid, TooLarge
from product_importer.core.settings import settings
from product_importer.imports.parsing import sheet_rows
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.opening import CountingReader, open_records
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.parsing.workbook_head import read_head
from product_importer.imports.parsing.xlsx import package
from tests.imports.parsing.reading import rows_of

NAMES = ["sku", "name", "description"]
XLSX = Format(container="xlsx")


def detected(content: bytes) -> tuple[Format, list[str]]:
    """Read the header in this process; `test_hostile` reads it as an upload does."""
    format, head, _ = read_head(io.BytesIO(content))
    return format, head.names


def saved(*rows: Sequence[Any], **formats: str) -> bytes:
    """Return a workbook saved by openpyxl; `formats` are number formats by cell."""
    book, target = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    for cell, code in formats.items():
        book.active[cell].number_format = code
    book.save(target)
    return target.getvalue()


def made(sheet_data: str, texts: str | None = None, **parts: str) -> bytes:
    """Return a workbook with this XML of cells, and with shared texts as Excel writes them."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    files = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{relations}">'
        f'<Relationship Id="r" Type="{kind}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{kind}"><sheets>'
        '<sheet name="Wörter" sheetId="1" r:id="s"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}">'
        f'<Relationship Id="s" Type="{kind}/worksheet" Target="worksheets/a.xml"/>'
        + (f'<Relationship Id="t" Type="{kind}/sharedStrings" Target="/xl/t.xml"/>' if texts is not None else "")
        + "</Relationships>",
        "xl/worksheets/a.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet_data}</sheetData></worksheet>',
        **({} if texts is None else {"xl/t.xml": f'<sst xmlns="{main}">{texts}</sst>'}),
        **parts,
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def row_of(number: int, *values: str) -> str:
    cells = "".join(f'<c t="inlineStr"><is><t>{value}</t></is></c>' for value in values)
    return f'<row r="{number}">{cells}</row>'


def shared_row(number: int, *texts: int) -> str:
    return f'<row r="{number}">' + "".join(f'<c t="s"><v>{text}</v></c>' for text in texts) + "</row>"


HEADER = row_of(1, *NAMES)


def test_the_first_sheet_gives_rows_with_their_numbers():
    content = saved((), NAMES, ("a", "Größe", "x\ny"), (), (None, None), ("b", None, "c"), (None,), ())
    format, names = detected(content)
    assert (format, names) == (Format(container="xlsx", part="Sheet"), NAMES)
    assert rows_of(content, format) == ([(3, ["a", "Größe", "x\ny"]), (6, ["b", "", "c"])], [])


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (7, "General", "7"),
        (7.0, "0.00", "7"),
        (4006381333931, "General", "4006381333931"),
        (19.989999999999998, "0.00", "19.99"),
        (-0.5, "General", "-0.5"),
        (1e300, "General", "1e+300"),
        (True, "General", "true"),
        (False, "General", "false"),
        (date(2024, 2, 29), "dd.mm.yyyy", "2024-02-29"),
        (datetime(2024, 2, 29, 13, 5, 7), "yyyy-mm-dd hh:mm", "2024-02-29T13:05:07"),
        (time(13, 5), "hh:mm", "13:05:00"),
        (timedelta(hours=26, minutes=30), "[h]:mm", "1 day, 2:30:00"),
        (45351, "d. mmm yy", "2024-02-29"),
        (1e300, "dd.mm.yyyy", "1e+300"),
        ("#N/A", "General", "#N/A"),
        ("007", "@", "007"),
        (" x ", "General", " x "),
    ],
)
def test_a_cell_value_becomes_text(value, code, text):
    content = saved((*NAMES, "value"), ("a", "b", "c", value, "end"), D2=code)
    assert rows_of(content, XLSX)[0][0][1][3] == text


@pytest.mark.parametrize(
    ("stored", "may_be_shortened"),
    [
        ("19.989999999999998", False),
        ("0.30000000000000004", False),
        ("999999999999999", False),
        ("-9.99999999999999E+14", False),
        ("123456789012345.67", False),
        ("1E-20", False),
        ("1000000000000000", True),
        ("1.2345678901234568E+18", True),
        ("-1234567890123456789", True),
        ("1234567890123456.5", True),
    ],
)
def test_digits_before_the_point_beyond_the_15th_may_be_lost(stored, may_be_shortened):
    data = HEADER + row_of(2, "a") + f'<row r="4"><c><v>{stored}</v></c><c t="str"><v>{stored}</v></c></row>'
    records = open_records(CountingReader(io.BytesIO(made(data))), XLSX)
    records.header()
    [chunk] = records.chunks()
    assert list(chunk.shortened) == [4] * may_be_shortened


def test_a_formula_gives_its_stored_result():
    data = (
        HEADER
        + '<row r="2"><c t="str"><f>A1</f><v>sku</v></c><c><f>1+2</f><v>3</v></c><c t="e"><v>#REF!</v></c></row>'
    )
    assert rows_of(made(data), XLSX)[0] == [(2, ["sku", "3", "#REF!"])]


def test_shared_texts_are_read_without_formatting_and_phonetic_text():
    texts = (
        "<si><t>sku</t></si><si><t>name</t></si><si><t>description</t></si>"
        '<si><r><rPr><b/></rPr><t>Ham</t></r><r><t xml:space="preserve">mer </t></r>'
        '<rPh sb="0" eb="1"><t>no</t></rPh></si>'
        "<si/><si><t>a_x000D_\nb_x005F_x0041_ _xD83D__xDE00_ _xD800_</t></si>"
    )
    content = made(shared_row(1, 0, 1, 2) + shared_row(3, 5, 3, 4), texts)
    format, names = detected(content)
    assert (format.part, names) == ("Wörter", NAMES)
    assert rows_of(content, format)[0] == [(3, ["a\r\nb_x0041_ 😀 �", "Hammer ", ""])]


def test_dates_of_a_workbook_with_the_1904_epoch_are_right():
    book, target = openpyxl.Workbook(), io.BytesIO()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(NAMES)
    book.active.append(("a", "b", date(2024, 2, 29)))
    book.save(target)
    assert rows_of(target.getvalue(), XLSX)[0] == [(2, ["a", "b", "2024-02-29"])]


def test_a_value_beside_the_table_is_one_surplus_cell():
    data = HEADER + '<row r="2"><c r="A2"><v>1</v></c><c r="XFD2"><v>2</v></c></row>'
    assert rows_of(made(data), XLSX)[0] == [(2, ["1", "", "", "2"])]


def test_a_wrong_dimension_hides_no_cells():
    content = saved(NAMES, ("a", "b", "c"))
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'ref="A1:C2"', b'ref="A1"'))
    assert rows_of(target.getvalue(), XLSX)[0] == [(2, ["a", "b", "c"])]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (made(HEADER, **{"xl/workbook.xml": "<no/>"}), "damaged"),
        (made(HEADER, **{"xl/workbook.xml": "<broken"}), "damaged"),
        (made(HEADER, **{"_rels/.rels": "<no/>"}), "damaged"),
        (made(HEADER, **{"xl/worksheets/a.xml": ""}), "damaged"),
        (made('<row r="1"><c t="s"><v>5</v></c></row>', "<si/>"), "damaged"),
        (made('<row r="1"><c t="s"><v>-1</v></c></row>', "<si><t>a</t></si>"), "damaged"),
        (made('<row r="1"><c t="s"><v>0</v></c></row>'), "damaged"),
        (made('<row r="x"><c><v>0</v></c></row>'), "damaged"),
        (made('<row r="1"><c><v>zero</v></c></row>'), "damaged"),
        (made('<row r="999999999999"><c><v>0</v></c></row>'), "Row 999,999,999,999"),
        (made('<row r="0"><c><v>0</v></c></row>'), "Row 0"),
        (made('<!DOCTYPE a [<!ENTITY b "b">]>' + HEADER), "document type"),
        (made(HEADER, '<!DOCTYPE a [<!ENTITY b "b">]>'), "document type"),
        (made(HEADER, **{"xl/workbook.xml": "<!DOCTYPE a><workbook/>"}), "document type"),
        (made(row_of(1, "x" * 5_000_000)), "larger than 4 MiB"),
        (made(HEADER, **{"xl/workbook.xml": "<a/>" * 5_000_000}), "damaged"),
    ],
)
def test_a_damaged_or_malicious_workbook_gets_a_clear_error(content, words):
    with pytest.raises(Invalid) as raised:
        detected(content)
    assert raised.value.kind == "not-csv"
    assert words in raised.value.detail


def test_an_empty_sheet_is_reported_as_empty():
    with pytest.raises(Invalid) as raised:
        detected(saved())
    assert raised.value.kind == "empty-file"


def test_rows_out_of_order_end_the_reading_with_the_last_good_row():
    with pytest.raises(Unreadable) as ended:
        rows_of(made(HEADER + row_of(3, "a") + row_of(2, "b")), XLSX)
    assert (ended.value.code, ended.value.line) == ("bad_workbook", 3)


def test_a_sheet_that_unpacks_to_more_than_the_limit_is_too_large(monkeypatch):
    monkeypatch.setattr(settings(), "max_upload_mb", 1)
    with pytest.raises(TooLarge, match="The sheet"):
        detected(made(HEADER + "".join(row_of(number, "a" * 90) for number in range(2, 10_000))))


def test_shared_texts_over_the_limit_are_too_large(monkeypatch):
    monkeypatch.setattr(package, "MAX_TEXTS_BYTES", 1_000)
    with pytest.raises(TooLarge, match="The text in the workbook"):
        detected(made(HEADER, "<si><t>a</t></si>" * 100))


def test_a_long_text_counts_for_each_cell_that_shares_it(monkeypatch):
    monkeypatch.setattr(settings(), "max_upload_mb", 1)
    shared = "".join(shared_row(number, 0) for number in range(2, 100))
    with pytest.raises(Unreadable) as ended:
        rows_of(made(HEADER + shared, f"<si><t>{'x' * 30_000}</t></si>"), XLSX)
    assert ended.value.code == "too_large"


def test_a_chunk_has_a_limited_number_of_characters(monkeypatch):
    from product_importer.imports.parsing.xlsx.reader import Sheet

    monkeypatch.setattr(sheet_rows, "MAX_CHUNK_CHARACTERS", 1_000)
    opened = Sheet(io.BytesIO(made(HEADER + "".join(row_of(number, "a" * 400) for number in range(2, 12)))))
    opened.header()
    assert [len(chunk) for chunk in opened.chunks()] == [3, 3, 3, 1]


def test_the_sample_of_a_wide_sheet_is_limited_in_size():
    """The web process parses the sample. One of 64 MB was once taken for a damaged workbook."""
    rows = (row_of(number, *["ж" * 100] * 50) for number in range(2, 302))
    names = [*NAMES, *map(str, range(47))]
    _, head, _ = read_head(io.BytesIO(made(row_of(1, *names) + "".join(rows))))
    assert len(head.names) == 50
    assert 200 < len(head.sample) < 300
    assert sum(len(cell) + 1 for row in head.sample for cell in row) <= 1024 * 1024


def test_a_row_that_is_too_long_is_rejected_and_the_next_is_read(monkeypatch):
    monkeypatch.setattr(sheet_rows, "MAX_RECORD_CHARACTERS", 100)
    rows, errors = rows_of(made(HEADER + row_of(2, "a" * 200) + row_of(3, "b")), XLSX)
    assert [(error.line, error.code) for error in errors] == [(2, "too_long")]
    assert rows == [(3, ["b", "", ""])]


def test_a_part_with_a_false_size_is_not_unpacked_at_once():
    """The zip states a small size: more than that is never unpacked at once."""
    import struct
    import tracemalloc

    content = bytearray(made(HEADER, **{"xl/workbook.xml": " " * 100_000_000}))
    at = content.index(b"xl/workbook.xml", content.index(b"PK\x01\x02")) - 46
    struct.pack_into("<L", content, at + 24, 100)
    tracemalloc.start()
    with pytest.raises(Invalid):
        detected(bytes(content))
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


texts = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]) | st.sampled_from("\t\n"), max_size=9
)
tables = st.lists(st.lists(texts.filter(lambda text: not text.startswith("=")), max_size=3), max_size=12)


@given(tables)
def test_a_saved_workbook_is_read_back(table):
    content = saved(NAMES, *map(tuple, table))
    rows, errors = rows_of(content, detected(content)[0])
    padded = [(line, [*row, "", "", ""][:3]) for line, row in enumerate(table, 2)]
    assert (rows, errors) == ([(line, row) for line, row in padded if any(map(str.strip, row))], [])


def test_a_workbook_becomes_products(run_import, products):
    job = run_import(saved(NAMES, (7, "Hammer", 2.5), ("x", None, "y"), ("b", "Saw", None)))
    assert (job.status, job.created, job.rejected, job.percent) == ("completed", 2, 1, 100.0)
    assert (job.format.container, job.format.part) == ("xlsx", "Sheet")
    assert products() == {"7": ("Hammer", "2.5"), "b": ("Saw", "")}


@given(st.binary(max_size=40), st.integers(0, 5_000), st.integers(0, 60))
def test_a_workbook_with_any_broken_bytes_is_read_or_rejected(noise, at, gap):
    content = saved(NAMES, ("a", 1, date(2024, 2, 29)))
    at %= len(content)
    broken = content[:at] + noise + content[at + gap :]
    with contextlib.suppress(Invalid, Unreadable, TooLarge):
        rows_of(broken, detected(broken)[0])
