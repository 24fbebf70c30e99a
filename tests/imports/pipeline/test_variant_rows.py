"""Continuation rows, as shops export variants and images of the product above."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.imports.columns.header import match
from product_importer.imports.parsing.records import Chunk
from product_importer.imports.pipeline.row_validation import RowValidator

SHOPIFY = match(["Handle", "Title", "Body", "Variant SKU"], {"Handle": "sku", "Title": "name", "Body": "description"})
VARIANTS = match(["Handle", "Title", "description", "SKU"], {"Title": "name"})


def codes(header, rows, keep_blank=False, chunk=100) -> list[str]:
    """Validate rows in chunks, and return the error code of each, or ""."""
    validator, found = RowValidator(header, keep_blank), [""] * len(rows)
    for start in range(0, len(rows), chunk):
        part = rows[start : start + chunk]
        for error in validator.validate(Chunk(list(range(start, start + len(part))), part)).errors:
            found[error.line] = error.code
    return found


def test_the_reason_of_a_continuation_names_the_product_and_its_line():
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
        # There is no product to continue: no row above, another group, no group.
        (SHOPIFY, [["a", "", "", ""], ["b", "B", "", ""], ["a", "", "", ""]], ["no_name", "", "no_name"]),
        (SHOPIFY, [["a", "A", "", ""], ["", "", "x", ""]], ["", "no_sku"]),
        # A rejected product is not continued.
        (SHOPIFY, [["a", "A\0", "", ""], ["a", "", "", ""]], ["nul", "no_name"]),
        # The row between was rejected, too.
        (SHOPIFY, [["a", "A", "", ""], ["b", "B"], ["a", "", "", ""]], ["", "ragged", "continuation"]),
        # Variants with SKUs, and images without.
        (VARIANTS, [["a", "A", "", "1"], ["a", "", "", "2"], ["a", "", "", ""]], ["", *["continuation"] * 2]),
        # Variants that repeat the name are products; an image below them is a continuation.
        (VARIANTS, [["a", "A", "", "1"], ["a", "A", "", "2"], ["a", "", "", ""]], ["", "", "continuation"]),
        # A first column shared by products of several names is a category, so the row lacks a name.
        (VARIANTS, [["c", "A", "", "1"], ["c", "B", "", "2"], ["c", "", "", "3"]], ["", "", "no_name"]),
        (VARIANTS, [*(["c", name, "", "1"] for name in "ABBB"), ["c", "", "", "3"]], [*[""] * 4, "no_name"]),
        # After another group the first column is judged again.
        (VARIANTS, [["a", "A", "", "1"], ["b", "B", "", "2"], ["a", "C", "", "3"], ["a", "", "", ""]],
         ["", "", "", "continuation"]),
    ],
)  # fmt: skip
def test_which_rows_are_continuations(header, rows, expected, chunk):
    assert codes(header, rows, chunk=chunk) == expected


@pytest.mark.parametrize(
    ("first", "code"), [("Category", "continuation"), ("description", "no_name"), ("active", "no_name")]
)
def test_a_first_column_that_is_used_as_a_field_is_no_group(first, code):
    names = [first, "sku", "name", *({"description"} - {first})]
    rows = [["yes", "1", "A", "", ""][: len(names)], ["yes", "2", "", "", ""][: len(names)]]
    assert codes(match(names), rows) == ["", code]


@pytest.mark.parametrize("chunk", [1, 100])
def test_with_kept_blanks_only_a_row_without_a_new_sku_is_a_continuation(chunk):
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
def test_chunk_boundaries_make_no_difference(rows, keep_blank, header, chunk):
    assert codes(header, rows, keep_blank, chunk) == codes(header, rows, keep_blank, 1)
