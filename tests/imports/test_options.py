"""The options of an import: mode, duplicates, blank cells, encoding and delimiter."""

from typing import get_args

import pytest

from product_importer.core.errors import Unprocessable
from product_importer.imports.options import Encoding, ImportOptions, parse
from tests.imports.conftest import row_errors
from tests.imports.pipeline.test_runner import counts, csv_of, fetch

CATALOGUE = csv_of("a,Apple,red,yes,10", "b,Bread,brown,no,20", header="sku,name,description,active,price")


def catalogue() -> dict[str, tuple]:
    rows = fetch("SELECT sku, name, description, active, attributes FROM product")
    return {sku: tuple(rest) for sku, *rest in rows}


def reasons(job) -> list[tuple[int, str, str]]:
    return [
        tuple(row)
        for row in fetch(f"SELECT line, code, reason FROM import_row_error WHERE job_id = '{job.id}' ORDER BY line")
    ]


def test_mode_create_rejects_rows_of_existing_products(run_import):
    run_import(CATALOGUE)
    job = run_import(csv_of("A,Changed,x", "c,Cake,sweet", "b,Bread,brown"), mode="create")
    assert (job.status, counts(job)) == ("completed", (1, 0, 0, 0, 2))
    assert row_errors(job.id) == [(2, "exists"), (4, "exists")]
    assert catalogue()["a"] == ("Apple", "red", True, {"price": "10"})
    assert fetch("SELECT row FROM import_row_error WHERE line = 2") == [(["A", "Changed", "x"],)]


def test_mode_update_rejects_rows_of_new_products(run_import):
    run_import(CATALOGUE)
    job = run_import(csv_of("A,Changed,x", "c,Cake,sweet", "b,Bread,brown"), mode="update")
    assert (job.status, counts(job)) == ("completed", (0, 1, 1, 0, 1))
    assert row_errors(job.id) == [(3, "not_found")]
    assert catalogue() == {
        "a": ("Changed", "x", True, {"price": "10"}),
        "b": ("Bread", "brown", False, {"price": "20"}),
    }


@pytest.mark.parametrize(
    ("policy", "name", "counted", "reported"),
    [
        ("last", "third", (2, 0, 0, 2, 0), [(2, "duplicate", "Line 5 "), (4, "duplicate", "Line 5 ")]),
        ("first", "first", (2, 0, 0, 2, 0), [(4, "duplicate", "Line 2 "), (5, "duplicate", "Line 2 ")]),
        (
            "reject",
            None,
            (1, 0, 0, 0, 3),
            [(2, "duplicate_sku", "Line 5 "), (4, "duplicate_sku", "Line 2 "), (5, "duplicate_sku", "Line 2 ")],
        ),
    ],
)
def test_the_duplicates_option_chooses_the_row_and_both_lines_are_reported(
    run_import, products, policy, name, counted, reported
):
    job = run_import(csv_of("a,first,1", "b,only,2", "A,second,3", "a,third,4"), duplicates=policy)
    assert counts(job) == counted
    assert products().get("a", products().get("A", (None,)))[0] == name
    assert [(line, code) for line, code, _ in reasons(job)] == [(line, code) for line, code, _ in reported]
    for (_, _, reason), (_, _, beginning) in zip(reasons(job), reported, strict=True):
        assert reason.startswith(beginning)


def test_blank_cells_clear_values_but_never_a_name(run_import):
    run_import(CATALOGUE)
    job = run_import(csv_of("b,Bread,,,", "a,,,,", header="sku,name,description,active,price"))
    assert counts(job) == (0, 1, 0, 0, 1)
    assert catalogue() == {"a": ("Apple", "red", True, {"price": "10"}), "b": ("Bread", "", True, {})}


def test_an_absent_column_never_changes_data(run_import):
    run_import(CATALOGUE)
    job = run_import(csv_of("a,Apple,green", "b,Bread,brown"))
    assert counts(job) == (0, 1, 1, 0, 0)
    assert catalogue() == {
        "a": ("Apple", "green", True, {"price": "10"}),
        "b": ("Bread", "brown", False, {"price": "20"}),
    }


@pytest.mark.parametrize("encoding", get_args(Encoding))
def test_an_encoding_is_accepted_in_any_case_by_form_and_by_program(encoding):
    for written in (encoding.upper(), encoding.title(), encoding.replace("-", "_"), encoding.replace("_", "-")):
        assert parse({"encoding": written}).encoding == ImportOptions(encoding=written).encoding == encoding


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("utf8", "utf-8"),
        ("CP1252", "windows-1252"),
        ("latin-1", "iso-8859-1"),
        ("sjis", "shift_jis"),
        ("L9", "iso-8859-15"),
        ("ms_kanji", "shift_jis"),
        ("windows-31j", "shift_jis"),
        ("cp932", "shift_jis"),
        ("GBK", "gb18030"),
        ("gb2312", "gb18030"),
        ("ks_c_5601-1987", "euc-kr"),
        ("cp949", "euc-kr"),
        ("latin1", "iso-8859-1"),
        ("iso-8859-9", "windows-1254"),
        ("iso_8859-1:1987", "iso-8859-1"),
        ("macintosh", "mac-roman"),
        ("utf-16le", "utf-16"),
        ("tis-620", "windows-874"),
    ],
)
def test_common_spellings_are_accepted(written, meant):
    assert parse({"encoding": written}).encoding == meant


@pytest.mark.parametrize(
    "written",
    [
        "hex",
        "rot13",
        "idna",
        "utf-7",
        "os.path",
        "../utf-8",
        "utf 8",
        "ü",
        "a\0b",
        "x" * 99,
        "replacement",
        "iso-2022-kr",
        "utf-16be",
    ],
)
def test_other_encodings_are_rejected(written):
    with pytest.raises(Unprocessable, match="encoding: "):
        parse({"encoding": written})


def test_a_tab_may_be_written_as_backslash_t():
    assert parse({"delimiter": r"\t"}).delimiter == parse({"delimiter": "\t"}).delimiter == "\t"


def test_an_unknown_option_is_rejected_by_form_and_by_program():
    with pytest.raises(Unprocessable, match="Did you mean “duplicates”"):
        parse({"duplicate": "first"})
    with pytest.raises(ValueError, match="dryrun"):
        ImportOptions(**{"dryrun": True})
