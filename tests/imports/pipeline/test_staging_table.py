"""Formula escapes, as exports write them, are removed from cells before these are staged."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.catalog.csv_injection import unescape
from product_importer.catalog.schemas import MAX_SKU, sku_key
from product_importer.core import db
from product_importer.imports.columns.header import match
from product_importer.imports.parsing.records import Chunk
from product_importer.imports.pipeline.copy_encoder import Encoder

HEADER = ["sku", "name", "description", "'=price", "note"]
cells = st.text(st.sampled_from("'=- \taB"), max_size=5)


def staged(*rows: list[str]) -> list[list[str]]:
    """Return key, SKU, name, description and attributes as they are given to PostgreSQL."""
    text = Encoder(match(HEADER))(Chunk(list(range(len(rows))), list(rows))).decode()
    return [line.split("\t")[1:] for line in text.splitlines()]


@given(st.lists(st.tuples(cells.filter(str.strip), cells.filter(str.strip), cells), min_size=1))
@example([("'\t", "' =", "'\t")])
def test_a_column_is_read_as_its_cells_are(rows):
    unescaped = [[part.replace("\\t", "\t") for part in row] for row in staged(*([*row, "", ""] for row in rows))]
    for (sku, name, description), (key, *fields, attributes) in zip(rows, unescaped, strict=True):
        assert fields == [unescape(sku.strip()).strip(), unescape(name.strip()).strip(), unescape(description)]
        assert key == sku_key(fields[0]) and fields[0] and fields[1]
        assert attributes == "{}"


def test_the_key_is_that_of_the_value_and_not_of_the_cell():
    [row] = staged(["'=SKU", "'@n", "'+1", "'-5", "'tis"])
    assert row == ["=sku", "=SKU", "@n", "+1", '{"=price": "-5", "note": "\'tis"}']


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
