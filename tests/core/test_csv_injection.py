"""Escape cells that a spreadsheet would take for formulas, and undo it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.core.csv_injection import escape, unescape, unescape_column

# Mostly characters that are escaped.
cells = st.text(
    st.one_of(st.sampled_from("'=+-@\t\r\n＝ a\"'"), st.characters(exclude_categories=["Cs"])), max_size=6
)


@given(cells)
@example("'")
@example("''=")
def test_unescape_is_the_inverse_of_escape_and_no_escaped_cell_is_a_formula(value):
    escaped = escape(value)
    assert unescape(escaped) == value
    assert escaped[:1] not in set("=+-@\t\r\n＝＋－＠")


@given(st.lists(cells))
def test_a_column_is_unescaped_like_each_of_its_cells(values):
    assert list(unescape_column(values)) == [unescape(value) for value in values]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("", ""),
        ("a=b", "a=b"),
        (" =1", " =1"),
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("'=1", "''=1"),
        ("''-", "'''-"),
        ("'tis", "'tis"),
        ("''", "''"),
        ("'", "'"),
    ],
)
def test_examples_of_escaped_values(value, cell):
    assert (escape(value), unescape(cell)) == (cell, value)
