"""Find the columns of the fields in a header, with or without a mapping."""

import pytest

from product_importer.core.errors import Invalid, Unprocessable
from product_importer.imports.columns.header import IGNORED, match, matches_by_name


@pytest.mark.parametrize(
    "names",
    [
        ["sku", "name", "description"],
        ["Description", "colour", " SKU ", "NAME"],
        ["sku", "name", "description", "Active"],
    ],
)
def test_columns_match_in_any_case_and_order_with_others_between(names):
    header = match(names)
    for field in ("sku", "name", "description"):
        assert names[header.fields.index(field)].strip().lower() == field


def test_invisible_characters_around_a_name_do_not_count():
    header = match(
        ["sku\u00a0", "\u200bname", "description\u200e", "\ufeff colour", "\u200b"], {"\u200ename": "name"}
    )
    assert header.names == ("sku", "name", "description", "colour", "")
    assert header.attributes == {3: "colour", 4: "column 5"}
    with pytest.raises(Invalid, match="more than one column sku"):
        match(["sku", "sku\u200b", "name", "description"])


def test_missing_columns_are_named_with_suggestions():
    with pytest.raises(Invalid) as error:
        match(["Variant SKU", "Naem", "price"])
    assert error.value.kind == "invalid-csv-header"
    assert error.value.extra["missing"] == ["sku", "name", "description"]
    assert error.value.extra["found"] == ["Variant SKU", "Naem", "price"]
    assert error.value.extra["suggestions"] == {"sku": "Variant SKU", "name": "Naem"}


def test_a_repeated_required_column_is_rejected():
    with pytest.raises(Invalid, match="more than one column sku"):
        match(["sku", "SKU", "name", "description"])


def test_other_columns_become_attributes_with_unique_names():
    header = match(["sku", "name", "description", "colour", "", "colour"])
    assert header.attributes == {3: "colour", 4: "column 5", 5: "colour (2)"}


def test_columns_are_mapped_in_any_case():
    header = match(
        ["Handle", "Title", "Vendor", "Type", "Description"],
        {" handle ": "sku", "TITLE": "name", "vendor": "ignore", "type": "attribute"},
    )
    assert header.fields == ("sku", "name", IGNORED, "", "description")
    assert header.attributes == {3: "Type"}


def test_a_mapped_column_takes_precedence_over_one_named_like_the_field():
    header = match(["sku", "code", "name", "description", "Active", "SKU"], {"code": "sku", "active": "attribute"})
    assert header.fields == ("", "sku", "name", "description", "", "")
    # An attribute named like a field would fill this field when an export is imported.
    assert header.attributes == {0: "sku (2)", 4: "Active (2)", 5: "SKU (2)"}


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        ({"price": "attribute", "code": "sku"}, ["columns.price"]),
        ({"code": "sku", "other": "sku"}, ["columns.code", "columns.other"]),
        ({"code": "sku", " CODE": "name"}, ["columns.code", "columns. CODE"]),
        ({"twin": "sku"}, ["columns.twin"]),
        ({"_line": "sku"}, ["columns._line"]),
    ],
)
def test_an_impossible_mapping_is_rejected_and_its_columns_are_named(columns, wrong):
    with pytest.raises(Unprocessable) as error:
        match(["code", "other", "twin", "Twin", "name", "description", "_line"], columns)
    assert [error["field"] for error in error.value.extra["errors"]] == wrong


def test_columns_of_the_same_name_may_all_be_ignored():
    header = match(["sku", "name", "description", "twin", "Twin", "_line"], {"twin": "ignore", "_line": "ignore"})
    assert header.fields[3:] == (IGNORED, IGNORED, IGNORED)


def test_mapped_columns_are_not_suggested_for_missing_fields():
    with pytest.raises(Invalid) as error:
        match(["Title", "Label", "Text", "sku", "Published"], {"title": "description", "sku": "sku"})
    assert error.value.kind == "invalid-csv-header"
    assert error.value.extra["missing"] == ["name"]
    assert error.value.extra["suggestions"] == {"name": "Label", "active": "Published"}


def test_suggestions_depend_on_the_cells_of_the_rows():
    names = ["Handle", "Title", "Body (HTML)", "Variant SKU"]
    for sample, sku in (
        ([], "Variant SKU"),
        ([["mug", "Mug", "", " "]], "Handle"),
        ([["m", "M", "", "1"]], names[3]),
    ):
        with pytest.raises(Invalid) as error:
            match(names, sample=sample)
        assert error.value.extra["suggestions"] == {"sku": sku, "name": "Title", "description": "Body (HTML)"}


@pytest.mark.parametrize(
    ("names", "matches"),
    [
        (["SKU ", "Name", "description"], True),
        (["sku", "name", "description", "active", "x", "x"], True),
        (["sku", "name"], False),
        (["sku", "SKU", "name", "description"], False),
        (["sku", "name", "description", "active", "Active"], False),
    ],
)
def test_matches_by_name_agrees_with_match(names, matches):
    assert matches_by_name(names) == matches
    if matches:
        match(names)
    else:
        with pytest.raises(Invalid):
            match(names)
