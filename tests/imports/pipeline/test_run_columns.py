"""Rows become the columns of a run; formula escapes, as exports write them, are removed from cells."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.catalog.schemas import MAX_SKU, sku_key
from product_importer.core import db
from product_importer.core.csv_injection import unescape
from product_importer.core.edges import trim, trim_name
from product_importer.imports.columns.header import match
from product_importer.imports.parsing.csv import arrow
from product_importer.imports.parsing.records import Chunk
from product_importer.imports.pipeline.run_columns import RunColumns

HEADER = ["sku", "name", "description", "'=price", "note"]
FIELDS = ["key", "sku", "name", "description", "a0", "a1"]
cells = st.text(st.sampled_from("'=- \taB❤\u200b\ufeff\ufe0f"), max_size=5)


def columns(*rows: list[str]) -> list[dict]:
    """Return the columns of rows, whether Arrow has read them or the strict reader."""
    chunk = Chunk(list(range(1, len(rows) + 1)), list(rows))
    return RunColumns(match(HEADER)).batch(chunk).select(FIELDS).to_pylist()


@given(st.lists(st.tuples(cells.filter(trim), cells.filter(trim), cells), min_size=1))
@example([("'\t", "' =", "'\t")])
def test_a_column_is_read_as_its_cells_are(rows):
    for (sku, name, description), row in zip(rows, columns(*([*row, "", ""] for row in rows)), strict=True):
        fields = [row["sku"], row["name"], row["description"]]
        assert fields == [trim(unescape(trim(sku))), trim_name(unescape(trim_name(name))), unescape(description)]
        assert row["key"] == sku_key(fields[0]) and fields[0] and fields[1]
        assert (row["a0"], row["a1"]) == (None, None)


@given(
    st.lists(
        st.tuples(*[st.text(st.sampled_from("'=- aBäſİ😀\u200b\u200e\ufeff\u00a0\ufe0f\U000e0067"), max_size=5)] * 5),
        min_size=1,
    )
)
def test_columns_of_arrow_and_of_the_strict_reader_are_the_same(rows):
    text = "".join(f"x{','.join(row)}\n" for row in rows)
    by_arrow = arrow.parse(text, ",", 1)
    assert by_arrow is not None
    by_hand = Chunk(list(range(1, len(rows) + 1)), [["x" + row[0], *row[1:]] for row in rows])
    run_columns = RunColumns(match(HEADER))
    assert run_columns.batch(by_arrow).equals(run_columns.batch(by_hand))


def test_the_key_is_that_of_the_value_and_not_of_the_cell():
    [row] = columns(["'=SKU", "'@n", "'+1", "'-5", "'tis"])
    assert list(row.values()) == ["=sku", "=SKU", "@n", "+1", "-5", "'tis"]


@pytest.mark.parametrize(("keep_blank", "flags"), [(False, [True, False, True]), (True, [True, False, None])])
def test_a_blank_cell_of_active_is_active_or_keeps_the_value(keep_blank, flags):
    chunk = Chunk([2, 3, 4], [["a", "n", "d", "Yes"], ["b", "n", "d", " off "], ["c", "n", "d", " "]])
    batch = RunColumns(match(["sku", "name", "description", "active"]), keep_blank).batch(chunk)
    assert batch["active"].to_pylist() == flags


def test_a_guard_in_the_header_is_undone_and_a_name_is_there_once():
    assert match(["sku", "name", "description", "'=a", "=a", "''=a"]).attributes == {3: "=a", 4: "=a (2)", 5: "'=a"}


@pytest.mark.parametrize(("sku", "outcome"), [("'" + "=" * MAX_SKU, (1, 0)), ("'" + "x" * MAX_SKU, (0, 1))])
def test_a_guard_does_not_count_against_the_length(run_import, sku, outcome):
    job = run_import(f"sku,name,description\n{sku},n,d\n")
    assert (job.created, job.rejected) == outcome


def test_a_guarded_attribute_replaces_and_removes_the_one_it_names(run_import):
    for price, expected in (("'-5", {"=price": "-5"}), ("7", {"=price": "7"}), ("", {})):
        text = io.StringIO()
        csv.writer(text).writerows([HEADER, ["a", "n", "d", price, ""]])
        run_import(text.getvalue())
        with db.engine().connect() as connection:
            assert connection.exec_driver_sql("SELECT attributes FROM product").scalar() == expected
