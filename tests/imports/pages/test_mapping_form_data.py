"""The data of the mapping form."""

import pytest

from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType
from product_importer.imports.columns.header import match
from product_importer.imports.pages.mapping_form_data import ColumnMapping
from product_importer.imports.parsing.sheet_choice import naming_sheet


def header_error(*names: str, sample: tuple[list[str], ...] = ()) -> Invalid:
    with pytest.raises(Invalid) as error:
        match(list(names), sample=sample)
    return error.value


def test_a_header_error_is_mapped_by_names_and_by_suggestions():
    error = header_error("Variant SKU", "Name", "qqq")
    mapping = ColumnMapping.of(error)
    assert (mapping.sku, mapping.name, mapping.description) == ("Variant SKU", "Name", "")
    assert mapping.question(error).startswith("Missing columns: sku, description.")
    assert mapping.error() == "Still missing: description."


def test_the_form_is_shown_for_a_workbook_and_names_its_sheets():
    with pytest.raises(Invalid) as raised, naming_sheet("Info", lambda: ["Data", "Old"]):
        match(["Handle", "Title", "Text"])
    mapping = ColumnMapping.of(raised.value)
    assert mapping.columns == ["Handle", "Title", "Text"]
    assert mapping.question(raised.value) == (
        "In the sheet “Info” (others can be chosen by their names: “Data”, “Old”): "
        "Missing columns: sku, name, description. Choose the columns below."
    )


def test_each_field_needs_a_column_of_its_own():
    mapping = ColumnMapping(["a", "b", "c"], sku="a", name="b", description="b")
    assert mapping.error() == "“b” is chosen for name and description. Choose a different column for each field."
    settled = mapping.choose("description", "c")
    assert (settled.error(), settled.targets()) == ("", {"a": "sku", "b": "name", "c": "description"})
    assert settled.choose("version", "c") == settled


def test_only_columns_with_unique_names_are_offered():
    assert ColumnMapping.of(header_error("code", "Text", "text", "", "_line")).columns == ["code"]


def test_the_form_says_how_many_rows_continue_the_product_above():
    rows = (["a", "A", "x", "1"], ["a", "", "", "2"], ["a", "", "y", ""], ["b", "B", "", "3"])
    mapping = ColumnMapping.of(header_error("Handle", "Title", "Text", "Variant SKU", sample=rows))
    note = "Of the first 4 rows, 2 have no name and continue the product above, as variants and images do. Such rows "
    assert (
        mapping.continuation_note("reject")
        == f"{note}are rejected; the options above can fill them or leave them out."
    )
    assert mapping.continuation_note("skip") == f"{note}are left out."
    assert mapping.continuation_note("fill").startswith(f"{note}take the product's name")
    assert mapping.continuation_note("a word from the browser") == mapping.continuation_note("reject")
    assert "1 has no name and continues" in mapping.choose("name", "Text").continuation_note("skip")
    assert mapping.choose("name", "").continuation_note("skip") == ""
    # A first column that is used as such a field tells no products apart.
    assert mapping.choose("active", "Handle").continuation_note("skip") == ""
    assert ColumnMapping().continuation_note("skip") == ""


def test_no_mapping_is_offered_if_it_cannot_help():
    assert ColumnMapping.of(header_error("sku", "SKU", "name", "description")).columns == []
    assert ColumnMapping.of(Invalid("No.", kind=ProblemType.NOT_TEXT)).columns == []
