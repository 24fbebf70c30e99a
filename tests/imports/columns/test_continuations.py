"""The mapping form tells how many rows of the sample continue the product above."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.imports.columns.continuations import count_continuations
from product_importer.imports.columns.header import match
from product_importer.imports.parsing.records import Chunk
from product_importer.imports.pipeline.row_validation import RowValidator
from tests.imports.shop_export import shop_export

NAMES = ["group", "name", "description", "sku"]


def rejected(rows: list[list[str]], header=None) -> int:
    """Return how many rows an import rejects as continuations."""
    chunk = Chunk(range(len(rows)), rows)
    return sum(error.code == "continuation" for error in RowValidator(header or match(NAMES)).validate(chunk).errors)


def test_the_rows_of_a_shop_export_are_counted():
    names, *rows = csv.reader(io.StringIO(shop_export().decode(), newline=""))
    counts = count_continuations(names, rows)
    assert counts["Title"] == counts["Body (HTML)"] == 3
    assert "Handle" not in counts and "Variant SKU" not in counts
    mapping = {"Handle": "sku", "Title": "name", "Body (HTML)": "description"}
    assert rejected(rows, match(names, mapping)) == 3


groups = st.sampled_from(["a", "b ", "b"])
named = st.sampled_from(["A", "B"])
further = st.lists(st.sampled_from(["", " ", "A", "B", "\u200b"]), max_size=4)


@given(st.lists(st.tuples(groups, named, further), max_size=5))
def test_as_many_rows_are_counted_as_an_import_rejects(tables):
    rows = [[group, name, "d", "1"] for group, first, others in tables for name in (first, *others)]
    assert count_continuations(NAMES, rows).get("name", 0) == rejected(rows)


@pytest.mark.parametrize("sample", [[], [["a"]], [["a", "A"], ["a"]], [["", "A", "", ""], ["", "", "", ""]]])
def test_small_and_ragged_samples_are_counted(sample):
    assert count_continuations(NAMES, sample).get("name", 0) == (sample == [["a", "A"], ["a"]])
