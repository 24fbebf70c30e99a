import pytest

from product_importer.core.errors import Invalid
from product_importer.imports.header import match


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
