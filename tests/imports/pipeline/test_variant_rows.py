"""Rows that continue the product above, as shops export variants and images."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.imports.columns.header import match
from product_importer.imports.parsing.records import Chunk
from product_importer.imports.pipeline.row_validation import RowValidator

SHOPIFY = match(["Handle", "Title", "Body", "Variant SKU"], {"Handle": "sku", "Title": "name", "Body": "description"})
VARIANTS = match(["Handle", "Title", "description", "SKU"], {"Title": "name"})


def codes(header, rows, keep_blank=False, chunk=100) -> list[str]:
    """Return what becomes of each row, validated in chunks: the code of its error, or ""."""
    validator, found = RowValidator(header, keep_blank), [""] * len(rows)
    for start in range(0, len(rows), chunk):
        part = rows[start : start + chunk]
        for error in validator.validate(Chunk(list(range(start, start + len(part))), part)).errors:
            found[error.line] = error.code
    return found


def test_a_row_that_goes_on_says_with_what_and_where_it_began():
    validator = RowValidator(SHOPIFY)
    validator.validate(Chunk([11, 12], [["mug", "Mug", "", ""], ["ocean-blue-shirt", "Shirt", "x\ny", ""]]))
    validated = validator.validate(
        Chunk([14, 15], [["ocean-blue-shirt", "", "", "b"], [" ocean-blue-shirt", " ", "", ""]])
    )
    assert [(error.line, error.code) for error in validated.errors] == [(14, "continuation"), (15, "continuation")]
    assert {error.reason for error in validated.errors} == {
        "The row has no name and continues “ocean-blue-shirt” of line 12 (another variant or image). "
        "It was not imported."
    }


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        # Nothing to go on with: nothing above, another group, no group.
        (SHOPIFY, [["a", "", "", ""], ["b", "B", "", ""], ["a", "", "", ""]], ["no_name", "", "no_name"]),
        (SHOPIFY, [["a", "A", "", ""], ["", "", "", ""]], ["", "no_sku"]),
        # A product that was rejected itself is not gone on with.
        (SHOPIFY, [["a", "A\0", "", ""], ["a", "", "", ""]], ["nul", "no_name"]),
        # What lies between was rejected too.
        (SHOPIFY, [["a", "A", "", ""], ["b", "B"], ["a", "", "", ""]], ["", "ragged", "continuation"]),
        # Variants with SKUs, and images without.
        (VARIANTS, [["a", "A", "", "1"], ["a", "", "", "2"], ["a", "", "", ""]], ["", *["continuation"] * 2]),
        # Variants that repeat the name are products; an image below them still goes on.
        (VARIANTS, [["a", "A", "", "1"], ["a", "A", "", "2"], ["a", "", "", ""]], ["", "", "continuation"]),
        # A first column that products of several names share is a category: here a name is missing.
        (VARIANTS, [["c", "A", "", "1"], ["c", "B", "", "2"], ["c", "", "", "3"]], ["", "", "no_name"]),
        (VARIANTS, [*(["c", name, "", "1"] for name in "ABBB"), ["c", "", "", "3"]], [*[""] * 4, "no_name"]),
        # After another group it is judged anew.
        (VARIANTS, [["a", "A", "", "1"], ["b", "B", "", "2"], ["a", "C", "", "3"], ["a", "", "", ""]],
         ["", "", "", "continuation"]),
    ],
)  # fmt: skip
def test_what_goes_on(header, rows, expected, chunk):
    assert codes(header, rows, chunk=chunk) == expected


@pytest.mark.parametrize(
    ("first", "code"), [("Category", "continuation"), ("description", "no_name"), ("active", "no_name")]
)
def test_a_first_column_that_says_something_else_is_no_group(first, code):
    names = [first, "sku", "name", *({"description"} - {first})]
    rows = [["yes", "1", "A", "", ""][: len(names)], ["yes", "2", "", "", ""][: len(names)]]
    assert codes(match(names), rows) == ["", code]


@pytest.mark.parametrize("chunk", [1, 100])
def test_where_blanks_are_kept_only_a_row_without_an_sku_of_its_own_goes_on(chunk):
    rows = [
        ["a", "A", "", "K-1"],
        ["a", "", "", "K-2"],
        ["a", "", "", "k-1"],
        ["a", "", "", ""],
        ["b", "", "", "K-3"],
    ]
    expected = ["", "", "continuation", "continuation", ""]
    assert codes(VARIANTS, rows, keep_blank=True, chunk=chunk) == expected


texts = st.sampled_from(["", " ", "a", "a ", "b"])
tables = st.lists(st.tuples(texts, texts, st.sampled_from(["", "\0"]), texts).map(list), max_size=12)


@given(tables, st.booleans(), st.sampled_from([SHOPIFY, VARIANTS]), st.integers(1, 5))
@example([["a", "a", "", "a"], ["b", "b", "", "a"], ["a", "b", "", "a"], ["a", "", "", ""]], False, VARIANTS, 3)
def test_where_chunks_end_makes_no_difference(rows, keep_blank, header, chunk):
    assert codes(header, rows, keep_blank, chunk) == codes(header, rows, keep_blank, 1)
