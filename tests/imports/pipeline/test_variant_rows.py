"""Continuation rows, as shops export variants and images of the product above."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.catalog.schemas import sku_key
from product_importer.imports.columns.header import match
from product_importer.imports.parsing.csv import arrow
from product_importer.imports.parsing.records import Chunk
from product_importer.imports.pipeline.row_validation import RowValidator
from product_importer.imports.read_warnings import ReadWarnings
from product_importer.imports.schemas import ImportChoices

SHOPIFY = match(["Handle", "Title", "Body", "Variant SKU"], {"Handle": "sku", "Title": "name", "Body": "description"})
PLAIN = match(
    ["Handle", "Title", "Body", "Variant SKU"], {"Title": "name", "Body": "description", "Variant SKU": "sku"}
)
VARIANTS = match(["Handle", "Title", "description", "SKU"], {"Title": "name"})


def choices_of(keep_blank=False, continuation="reject") -> ImportChoices:
    return ImportChoices(blank="keep" if keep_blank else "clear", continuation=continuation)


def codes(header, rows, keep_blank=False, chunk=100) -> list[str]:
    """Validate rows in chunks, and return the error code of each, or ""."""
    validator, found = RowValidator(header, choices_of(keep_blank)), [""] * len(rows)
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


def validated(header, rows, continuation, *, keep_blank=False, chunk=100, as_arrow=False) -> tuple[list, list, dict]:
    """Validate rows in chunks; return the rows, the lines and codes of errors, and the warnings' counts."""
    warnings = ReadWarnings()
    validator = RowValidator(header, choices_of(keep_blank, continuation), warnings)
    kept: list[tuple[int, list[str]]] = []
    errors: list[tuple[int, str]] = []
    for start in range(0, len(rows), chunk):
        part, lines = rows[start : start + chunk], range(start, min(start + chunk, len(rows)))
        given = arrow.parse(csv_text(part), ",", start) if as_arrow else Chunk(lines, part)
        assert given is not None
        found = validator.validate(given)
        kept += zip(found.lines, found.rows, strict=True)
        errors += [(error.line, error.code) for error in found.errors]
    return kept, errors, {code.value: one["count"] for code, one in warnings.by_code.items()}


def csv_text(rows) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return text.getvalue()


FILLED = match(["Handle", "Title", "Body", "Variant SKU", "Published", "Size"],
               {"Title": "name", "Body": "description", "Variant SKU": "sku", "Published": "active"})  # fmt: skip
EXPORT = [
    ["shirt", "Shirt", "soft", "S-1", "no", "S"],
    ["shirt", "", "", "S-2", "", "M"],
    ["shirt", " ", "own", "S-3", "yes", "L"],
    ["shirt", "", "", "", "", ""],
    ["shirt", "\u200b", "", "s-1", "", "again"],
    ["mug", "Mug", "", "M-1", "", ""],
    ["shirt", "", "", "S-4", "", "XL"],
]


@pytest.mark.parametrize("keep_blank", [False, True])
@pytest.mark.parametrize("as_arrow", [False, True])
@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_filled_rows_take_what_they_lack_from_the_product_above(chunk, as_arrow, keep_blank):
    options = {"chunk": chunk, "as_arrow": as_arrow, "keep_blank": keep_blank}
    kept, errors, warnings = validated(FILLED, EXPORT, "fill", **options)
    # Another product came between: the last row has no product above.
    last = [(6, EXPORT[6])] if keep_blank else []
    assert kept == [
        (0, EXPORT[0]),
        (1, ["shirt", "Shirt", "soft", "S-2", "no", "M"]),
        (2, ["shirt", "Shirt", "own", "S-3", "yes", "L"]),
        (5, EXPORT[5]),
        *last,
    ]
    assert errors == ([] if keep_blank else [(6, "no_name")])
    assert warnings == {"filled_down": 2, "skipped_continuation": 2}


def test_a_rejected_row_of_another_group_does_not_come_between():
    rows = [["a", "A", "", "1", "", ""], ["b", "", "", "", "", ""], ["a", "", "", "2", "", ""]]
    kept, errors, _ = validated(FILLED, rows, "fill")
    assert kept == [(0, rows[0]), (2, ["a", "A", "", "2", "", ""])]
    assert errors == [(1, "no_sku")]


@pytest.mark.parametrize("as_arrow", [False, True])
@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_skipped_rows_are_left_out(chunk, as_arrow):
    kept, errors, warnings = validated(FILLED, EXPORT, "skip", chunk=chunk, as_arrow=as_arrow)
    assert kept == [(0, EXPORT[0]), (5, EXPORT[5])]
    assert (errors, warnings) == ([(6, "no_name")], {"skipped_continuation": 4})


def test_with_kept_blanks_a_row_with_an_sku_of_its_own_is_an_update_and_not_left_out():
    kept, errors, warnings = validated(FILLED, EXPORT, "skip", keep_blank=True)
    assert [line for line, _ in kept] == [0, 1, 2, 5, 6]
    assert kept[1] == (1, EXPORT[1])
    assert (errors, warnings) == ([], {"skipped_continuation": 2})


def test_a_product_without_an_sku_is_rejected_and_still_fills_its_variants():
    rows = [["a", "A", "d", "", "", ""], ["a", "", "", "1", "", ""], ["a", "", "", "", "", ""]]
    kept, errors, warnings = validated(FILLED, rows, "fill")
    assert kept == [(1, ["a", "A", "d", "1", "", ""])]
    assert (errors, warnings) == ([(0, "no_sku")], {"filled_down": 1, "skipped_continuation": 1})


def test_a_filled_row_can_be_rejected_and_is_reported_as_it_was_filled():
    rows = [["a", "A", "d", "1", "", ""], ["a", "", "", "2", "perhaps", ""], ["a", "", "", "3", "", "\0"]]
    found = RowValidator(FILLED, choices_of(continuation="fill")).validate(Chunk(range(3), rows))
    assert [(error.code, error.row) for error in found.errors] == [
        ("bad_active", ["a", "A", "d", "2", "perhaps", ""]),
        ("nul", rows[2]),
    ]


def test_the_first_line_of_each_warning_is_named():
    warnings = ReadWarnings()
    RowValidator(FILLED, choices_of(continuation="fill"), warnings).validate(Chunk(range(7), EXPORT))
    assert {one["code"]: one["first_line"] for one in warnings.stored()} == {
        "filled_down": 1,
        "skipped_continuation": 3,
    }


def plainly_filled(rows) -> list[tuple[int, list[str]]]:
    """Fill rows by a plain loop over the whole file; return those that become products."""
    kept: list[tuple[int, list[str]]] = []
    parent: tuple[str, str, str, str] | None = None
    is_shared = False
    for line, (group, name, body, sku) in enumerate(rows):
        above = parent if parent is not None and parent[0].strip() == group.strip() else None
        if name.strip():
            is_shared = above is not None and (is_shared or above[1].strip() != name.strip())
            parent = (group, name, body, sku) if group.strip() else None
            if sku.strip():
                kept.append((line, [group, name, body, sku]))
        elif above and not is_shared and sku.strip() and sku_key(sku) != sku_key(above[3]):
            kept.append((line, [group, above[1], body if body.strip() else above[2], sku]))
    return kept


plain_cells = [["a", "a ", "b", ""], ["", "", " ", "A", "A ", "B"], ["", "d", "e"], ["", "1", "2", "3"]]


@given(st.lists(st.tuples(*map(st.sampled_from, plain_cells)).map(list), max_size=14), st.data())
def test_filling_over_any_cuts_is_a_plain_loop(rows, data):
    validator, start = RowValidator(PLAIN, choices_of(continuation="fill")), 0
    kept: list[tuple[int, list[str]]] = []
    while start < len(rows):
        size = data.draw(st.integers(1, len(rows) - start))
        part, lines = rows[start : start + size], range(start, start + size)
        by_arrow = data.draw(st.booleans())
        given = arrow.parse(csv_text(part), ",", start) if by_arrow else Chunk(lines, part)
        assert given is not None
        found = validator.validate(given)
        kept += zip(found.lines, found.rows, strict=True)
        start += size
    assert kept == plainly_filled(rows)


texts = st.sampled_from(["", " ", "a", "a ", "b"])
tables = st.lists(st.tuples(texts, texts, st.sampled_from(["", "\0"]), texts).map(list), max_size=12)


@given(tables, st.booleans(), st.sampled_from([SHOPIFY, VARIANTS]), st.integers(1, 5))
@example([["a", "a", "", "a"], ["b", "b", "", "a"], ["a", "b", "", "a"], ["a", "", "", ""]], False, VARIANTS, 3)
def test_chunk_boundaries_make_no_difference(rows, keep_blank, header, chunk):
    assert codes(header, rows, keep_blank, chunk) == codes(header, rows, keep_blank, 1)
