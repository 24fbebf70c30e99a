"""A formula without a stored value rejects its row, and clears nothing."""

import pytest

from product_importer.core.errors import Invalid
from product_importer.imports.parsing.file_format import Format
from tests.imports.conftest import row_errors
from tests.imports.parsing.reading import rows_of
from tests.imports.parsing.xlsx.test_reader import HEADER, NAMES, detected, made, row_of, saved

XLSX = Format(container="xlsx")


def with_cell(cell: str) -> bytes:
    return made(HEADER + f'<row r="2"><c t="inlineStr"><is><t>a</t></is></c>{cell}</row>' + row_of(3, "b", "c", "d"))


@pytest.mark.parametrize(
    "cell",
    [
        "<c><f>1+1</f></c>",
        "<c><f>1+1</f><v></v></c>",
        "<c><f>1+1</f><v/></c>",
        '<c t="str"><f>A2</f></c>',
        '<c t="s"><f>A2</f></c>',
        '<c t="e"><f>1/0</f></c>',
        '<c t="b"><f>TRUE</f></c>',
        '<c><f t="shared" si="0"/></c>',
    ],
)
def test_a_formula_without_a_value_rejects_its_row(cell):
    rows, [error] = rows_of(with_cell(cell), XLSX)
    assert rows == [(3, ["b", "c", "d"])]
    assert (error.line, error.code, error.row) == (2, "formula_without_value", ["a", "", ""])
    assert "B2 (“name”)" in error.reason and "sheet “Wörter”" in error.reason


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c t="str"><f>""</f><v></v></c>', ""),
        ('<c t="str"><f>A2</f><v>x</v></c>', "x"),
        ("<c><f>0</f><v>0</v></c>", "0"),
        ('<c t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ("<c></c>", ""),
        ("<c><v></v></c>", ""),
    ],
)
def test_a_value_of_a_formula_is_read(cell, text):
    assert rows_of(with_cell(cell), XLSX)[0][0] == (2, ["a", text, ""])


def test_a_row_of_nothing_but_a_formula_without_a_value_is_rejected():
    _, errors = rows_of(made(HEADER + '<row r="2"><c r="D2"><f>1</f></c></row>'), XLSX)
    assert [(error.line, error.code) for error in errors] == [(2, "formula_without_value")]


def test_a_column_name_without_a_value_is_an_error():
    with pytest.raises(Invalid, match="A1"):
        detected(made("<row r='1'><c><f>1</f></c></row>"))


def test_many_formulas_of_a_row_are_named_in_a_short_reason():
    _, [error] = rows_of(made(HEADER + f"<row r='2'>{'<c><f>1</f></c>' * 9_000}</row>"), XLSX)
    assert "and 8,995 more" in error.reason and len(error.reason) < 500


def test_rows_of_white_space_are_no_rows():
    content = saved((" ",), NAMES, (" ", "\t", None), ("a", "b", " "), ("\u00a0 ", None, "  "), (None, "x"))
    assert rows_of(content, XLSX) == ([(4, ["a", "b", " "]), (6, ["", "x", ""])], [])


def test_an_import_rejects_the_row_and_keeps_the_product(run_import, products):
    run_import(saved(NAMES, ("a", "Hammer", "red"), ("b", "Saw", "blue")))
    job = run_import(saved(NAMES, ("a", "Hammer", '="dark "&"red"'), ("b", "Saw", "green")))
    assert (job.status, job.updated, job.rejected) == ("completed", 1, 1)
    assert row_errors(job.id) == [(2, "formula_without_value")]
    assert products() == {"a": ("Hammer", "red"), "b": ("Saw", "green")}
