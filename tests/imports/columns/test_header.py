import pytest

from product_importer.core.errors import Invalid, Unprocessable
from product_importer.imports.columns.header import IGNORED, match, matches_by_name, refuse_hopeless


@pytest.mark.parametrize(
    "names",
    [
        ["sku", "name", "description"],
        ["Description", "colour", " SKU ", "NAME"],
        ["sku", "name", "description", "Active"],
    ],
)
def test_any_case_any_order_any_extras(names):
    header = match(names)
    for field in ("sku", "name", "description"):
        assert names[header.fields.index(field)].strip().lower() == field


def test_missing_columns_are_named_and_what_was_probably_meant_is_suggested():
    with pytest.raises(Invalid) as refusal:
        match(["Variant SKU", "Naem", "price"])
    assert refusal.value.kind == "invalid-csv-header"
    assert refusal.value.extra["missing"] == ["sku", "name", "description"]
    assert refusal.value.extra["found"] == ["Variant SKU", "Naem", "price"]
    assert refusal.value.extra["suggestions"] == {"sku": "Variant SKU", "name": "Naem"}


def test_a_column_that_stands_there_twice_is_refused():
    with pytest.raises(Invalid, match="more than one column sku"):
        match(["sku", "SKU", "name", "description"])


def test_further_columns_become_attributes_each_under_a_name_of_its_own():
    header = match(["sku", "name", "description", "colour", "", "colour"])
    assert header.attributes == {3: "colour", 4: "column 5", 5: "colour (2)"}


def test_a_mapped_column_is_what_it_is_said_to_be_whatever_its_case():
    header = match(
        ["Handle", "Title", "Vendor", "Type", "Description"],
        {" handle ": "sku", "TITLE": "name", "vendor": "ignore", "type": "attribute"},
    )
    assert header.fields == ("sku", "name", IGNORED, "", "description")
    assert header.attributes == {3: "Type"}


def test_a_mapped_column_wins_over_one_that_has_the_name_of_the_field():
    header = match(["sku", "code", "name", "description", "Active", "SKU"], {"code": "sku", "active": "attribute"})
    assert header.fields == ("", "sku", "name", "description", "", "")
    # Under the names of fields an export of these attributes could not be imported again.
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
def test_a_mapping_that_cannot_be_is_refused_and_its_columns_are_named(columns, wrong):
    with pytest.raises(Unprocessable) as refusal:
        match(["code", "other", "twin", "Twin", "name", "description", "_line"], columns)
    assert [error["field"] for error in refusal.value.extra["errors"]] == wrong


def test_columns_of_one_name_may_all_be_ignored():
    header = match(["sku", "name", "description", "twin", "Twin", "_line"], {"twin": "ignore", "_line": "ignore"})
    assert header.fields[3:] == (IGNORED, IGNORED, IGNORED)


def test_what_a_mapping_leaves_missing_is_told_and_what_it_names_is_not_suggested():
    with pytest.raises(Invalid) as refusal:
        match(["Title", "Label", "Text", "sku", "Published"], {"title": "description", "sku": "sku"})
    assert refusal.value.kind == "invalid-csv-header"
    assert refusal.value.extra["missing"] == ["name"]
    assert refusal.value.extra["suggestions"] == {"name": "Label", "active": "Published"}


def test_a_refusal_suggests_by_what_stands_in_the_rows():
    names = ["Handle", "Title", "Body (HTML)", "Variant SKU"]
    for sample, sku in (
        ([], "Variant SKU"),
        ([["mug", "Mug", "", " "]], "Handle"),
        ([["m", "M", "", "1"]], names[3]),
    ):
        with pytest.raises(Invalid) as refusal:
            match(names, sample=sample)
        assert refusal.value.extra["suggestions"] == {"sku": sku, "name": "Title", "description": "Body (HTML)"}


@pytest.mark.parametrize(
    ("names", "does"),
    [
        (["SKU ", "Name", "description"], True),
        (["sku", "name", "description", "active", "x", "x"], True),
        (["sku", "name"], False),
        (["sku", "SKU", "name", "description"], False),
        (["sku", "name", "description", "active", "Active"], False),
    ],
)
def test_whether_columns_go_by_their_names_is_what_match_finds(names, does):
    assert matches_by_name(names) == does
    if does:
        match(names)
    else:
        with pytest.raises(Invalid):
            match(names)


def test_hopeless_is_what_no_mapping_can_help():
    refuse_hopeless(["a", "b", "c"])
    with pytest.raises(Invalid, match="no column name and description"):
        refuse_hopeless(["sku", "b", "_line", "_code", "_reason"])
