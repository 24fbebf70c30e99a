"""Check rows and give errors to bad ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.catalog.schemas import MAX_DESCRIPTION, MAX_NAME, MAX_SKU
from product_importer.imports.columns.header import match
from product_importer.imports.parsing.records import Chunk
from product_importer.imports.pipeline.row_validation import RowValidator
from product_importer.imports.schemas import ImportChoices

HEADER = match(["sku", "name", "description", "active", "colour"])


def validate(*rows: list[str]) -> Chunk:
    return RowValidator(HEADER).validate(Chunk(list(range(2, len(rows) + 2)), list(rows)))


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (["", "n", "d", "", ""], "no_sku"),
        ([" \t", "n", "d", "", ""], "no_sku"),
        (["t", "  ", "d", "", ""], "no_name"),
        (["s", "n", "d"], "ragged"),
        (["s", "n", "d", "", "", "x"], "ragged"),
        (["s" * (MAX_SKU + 1), "n", "d", "", ""], "too_long"),
        (["s", "n" * (MAX_NAME + 1), "d", "", ""], "too_long"),
        (["s", "n", "d" * (MAX_DESCRIPTION + 1), "", ""], "too_long"),
        (["s", "n", "d", "", "c" * (MAX_DESCRIPTION + 1)], "too_long"),
        (["s", "n", "d\0", "", ""], "nul"),
        (["s", "n", "d", "", "\0"], "nul"),
        (["s", "n", "d", "perhaps", ""], "bad_active"),
    ],
)
def test_a_bad_row_gets_an_error_with_its_line_and_good_rows_are_kept(row, code):
    good = ["s", "n", "d", "no", "red"]
    validated = validate(good, row, good)
    assert (validated.lines, validated.rows) == ([2, 4], [good, good])
    [error] = validated.errors
    assert (error.line, error.code, error.row) == (3, code, row[: len(HEADER.names)])


def test_the_reason_quotes_surplus_fields_as_csv_up_to_a_limit():
    [error] = validate(["s", "n", "d", "", "", 'a "b"', "c,\nd", "", "\0"]).errors
    quoted = 'Beyond the last column: "a ""b""","c,\nd",,␀'
    assert error.reason == f"The row in lines 2 to 3 has 9 fields, the header has 5. {quoted}"
    [error] = validate(["s", "n", "d", "", "", "x" * 400, "y" * 400]).errors
    assert error.reason.endswith(f"{'x' * 400},{'y' * 99} and 301 characters more")


def test_a_row_needs_no_name_if_blanks_are_kept():
    kept = RowValidator(HEADER, ImportChoices(blank="keep"))
    for rows in ([["s", " ", "", "", ""]], [["t", "n", "", "no", ""], ["s", "", "", " ", ""], ["", "", "", "", "x"]]):
        validated = kept.validate(Chunk(list(range(2, len(rows) + 2)), rows))
        assert validated.rows == [row for row in rows if row[0]]
        assert [error.code for error in validated.errors] == ["no_sku"] * (len(rows) - len(validated.rows))


def test_the_reason_of_a_bad_word_for_active_lists_the_words():
    [error] = validate(["s", "n", "d", "VRAI", ""]).errors
    words = "true, t, yes, y, 1, on, active, or false, f, no, n, 0, off, inactive"
    assert error.reason == f"“VRAI” is no word for active or inactive. Write {words}."


def test_a_cell_of_invisible_characters_is_blank():
    codes = [error.code for error in validate(["\u200b", "n", "d", "", ""], ["s", "\ufeff ", "d", "", ""]).errors]
    assert codes == ["no_sku", "no_name"]


def test_an_empty_line_is_no_row():
    validated = validate([], ["s", "n", "d", "", ""])
    assert (validated.lines, len(validated)) == ([3], 1)


@pytest.mark.parametrize(
    "row", [["", ""], [" "], ["\t"], [" ", "", "\u2003", "", ""], [""] * 9, ["", "", "", "", "", " "]]
)
def test_a_blank_row_is_no_row(row):
    validated = validate(row, ["s", "n", "d", "", ""], row)
    assert (validated.lines, validated.errors) == ([3], [])


def test_blank_surplus_cells_are_dropped_and_missing_cells_of_unnamed_columns_added():
    header = match(["sku", "name", "description", "", ""])
    good = [["s", "n", "d"], ["s", "n", "d", "x"], ["s", "n", "d", "", "y", " ", ""]]
    bad = [["s", "n"], ["s", "n", "d", "", "", "z"]]
    validated = RowValidator(header).validate(Chunk(list(range(2, 7)), [*good, *bad]))
    assert validated.rows == [["s", "n", "d", "", ""], ["s", "n", "d", "x", ""], ["s", "n", "d", "", "y"]]
    assert [(error.line, error.code) for error in validated.errors] == [(5, "ragged"), (6, "ragged")]
    assert validated.errors[1].reason.endswith("Beyond the last column: z")


@pytest.mark.parametrize(
    ("row", "is_header"),
    [
        (["sku", "name", "description", "active", "colour"], True),
        ([" sku", "name ", "description", "active", "colour", ""], True),
        (["sku", "name", "description", "active", "red"], False),
        (["SKU", "name", "description", "active", "colour"], False),
    ],
)
def test_a_row_that_repeats_the_header_is_rejected(row, is_header):
    errors = validate(["s", "n", "d", "", ""], row).errors
    assert [error.code for error in errors if error.code == "repeated_header"] == ["repeated_header"] * is_header


def test_a_repeated_header_is_recognised_in_a_file_of_rejected_rows():
    header = match(["sku", "name", "description", "_line", "_code", "_reason"])
    row = ["sku", "name", "description", "7", "repeated_header", "…"]
    [error] = RowValidator(header).validate(Chunk([2], [row])).errors
    assert error.code == "repeated_header"


SCIENTIFIC = ["4,00638E+12", "4.00638E+12", "1E+05", "4.0e+123", " 1,5E+10\t"]


@pytest.mark.parametrize("sku", SCIENTIFIC)
def test_a_sku_in_scientific_notation_is_rejected_or_kept(sku):
    row = [sku, "n", "d", "", ""]
    [error] = validate(["s", "n", "d", "", ""], row).errors
    assert (error.code, sku.strip() in error.reason) == ("scientific_sku", True)
    kept = RowValidator(HEADER, ImportChoices(scientific="keep")).validate(Chunk([2], [row]))
    assert (kept.rows, list(kept.errors)) == ([row], [])


@pytest.mark.parametrize(
    "sku", ["E12", "12E5X", "1E5", "1E-05", "A1E+05", "1E+05X", "12.5E10", "1E+5", "10E+05", "C++", "4.E+12"]
)
def test_other_skus_are_not_taken_for_numbers(sku):
    assert not validate([sku, "4.00638E+12", "4,00638E+12", "", "1E+05"]).errors


@pytest.mark.parametrize("word", ["", "true", "FALSE", " yes ", "0", "On", "\u200bno\ufeff"])
def test_accepted_words_for_active(word):
    assert not validate(["s", "n", "d", word, ""]).errors


cells = st.sampled_from(["", " ", "x", "no", "\0", "y" * 300, "z" * 1_001, "1E+05", *HEADER.names])
rows = st.lists(st.lists(cells, min_size=4, max_size=6), max_size=6)


@given(rows)
def test_checks_by_column_and_by_row_agree(table):
    """A chunk of good rows is checked by column, one with a bad row is checked row by row."""
    alone = [row for one in table for row in validate(one).rows]
    bad = ["", "", "", "", ""]
    together = validate(*table, bad)
    assert together.rows == alone
    assert list(validate(*alone).rows) == alone
