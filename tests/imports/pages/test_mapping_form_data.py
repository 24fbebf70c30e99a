"""Which of a file's columns a person takes for which field."""

import pytest

from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType
from product_importer.imports.columns.header import match
from product_importer.imports.pages.mapping_form_data import Pairing


def refused(*names: str) -> Invalid:
    with pytest.raises(Invalid) as refusal:
        match(list(names))
    return refusal.value


def test_a_refused_header_is_paired_by_its_own_names_and_by_what_is_near():
    error = refused("Variant SKU", "Name", "qqq")
    paired = Pairing.of(error)
    assert (paired.sku, paired.name, paired.description) == ("Variant SKU", "Name", "")
    assert paired.question(error).startswith("Its first line has no column sku and description.")
    assert paired.problem() == "Still missing: description."


def test_each_field_needs_a_column_of_its_own():
    paired = Pairing(["a", "b", "c"], sku="a", name="b", description="b")
    assert paired.problem() == "“b” cannot be both name and description."
    settled = paired.choose("description", "c")
    assert (settled.problem(), settled.targets()) == ("", {"a": "sku", "b": "name", "c": "description"})
    assert settled.choose("version", "c") == settled


def test_only_columns_that_can_be_told_apart_are_offered():
    assert Pairing.of(refused("code", "Text", "text", "", "_line")).columns == ["code"]


def test_nothing_is_asked_about_what_no_choice_of_columns_could_mend():
    assert Pairing.of(refused("sku", "SKU", "name", "description")).columns == []
    assert Pairing.of(Invalid("No.", kind=ProblemType.NOT_TEXT)).columns == []
