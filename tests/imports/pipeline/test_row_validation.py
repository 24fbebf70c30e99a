"""Check rows and give errors to bad ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.catalog.schemas import MAX_DESCRIPTION, MAX_NAME, MAX_SKU
from product_importer.imports.columns.header import match
from product_importer.imports.parsing.records import Chunk
from product_importer.imports.pipeline.row_validation import RowValidator

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
    kept = RowValidator(HEADER, keep_blank=True)
    for rows in ([["s", " ", "", "", ""]], [["t", "n", "", "no", ""], ["s", "", "", " ", ""], ["", "", "", "", ""]]):
        validated = kept.validate(Chunk(list(range(2, len(rows) + 2)), rows))
        assert validated.rows == [row for row in rows if row[0]]
        assert [error.code for error in validated.errors] == ["no_sku"] * (len(rows) - len(validated.rows))


def test_an_empty_line_is_no_row():
    validated = validate([], ["s", "n", "d", "", ""])
    assert (validated.lines, len(validated)) == ([3], 1)


@pytest.mark.parametrize("word", ["", "true", "FALSE", " yes ", "0", "On"])
def test_accepted_words_for_active(word):
    assert not validate(["s", "n", "d", word, ""]).errors


cells = st.sampled_from(["", " ", "x", "no", "\0", "y" * 300, "z" * 1_001])
rows = st.lists(st.lists(cells, min_size=4, max_size=6), max_size=6)


@given(rows)
def test_checks_by_column_and_by_row_agree(table):
    """A chunk of good rows is checked by column, one with a bad row is checked row by row."""
    alone = [not validate(row).errors for row in table]
    bad = ["", "", "", "", ""]
    together = validate(*table, bad)
    assert [row for row, good in zip(table, alone, strict=True) if good] == together.rows
