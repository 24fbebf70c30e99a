"""What the columns of a draft become, and how that was found; the import then has just these columns."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from product_importer.core.errors import DomainError
from product_importer.imports.columns.header import REQUIRED, fold, match
from product_importer.imports.drafts.columns import columns_of, missing_fields, told
from product_importer.imports.parsing.header_sample import HeaderSample
from product_importer.imports.schemas import COLUMN_WORDS

NAMES = ["sku", "Name", "description", "active", "title", "Body (HTML)", "Vendor", "vendor", "", "status", "_line"]
TARGETS = ["sku", "name", "description", "active", "attribute", "attribute:maker", "attribute:Vendor", "ignore"]
mappings = st.none() | st.dictionaries(st.sampled_from([*NAMES, "gone"]), st.sampled_from(TARGETS), max_size=6)


def found(
    names: list[str],
    chosen: dict[str, str] | None = None,
    saved: dict[str, str] | None = None,
    sample: Sequence[list[str]] = (),
) -> list[tuple[str, str]]:
    columns = columns_of(HeaderSample(names, [list(row) for row in sample]), chosen, saved)
    return [(column.target, column.found.value) for column in columns]


def test_columns_are_found_by_their_names():
    assert found(["SKU", " name ", "description", "Active", "colour"]) == [
        ("sku", "exact"),
        ("name", "exact"),
        ("description", "exact"),
        ("active", "exact"),
        ("attribute", "kept"),
    ]


def test_fields_without_a_column_are_guessed_by_similar_names():
    assert found(["Variant SKU", "Title", "Body (HTML)", "Published", "Vendor"]) == [
        ("sku", "guessed"),
        ("name", "guessed"),
        ("description", "guessed"),
        ("active", "guessed"),
        ("attribute", "kept"),
    ]


def test_nothing_is_guessed_for_a_file_that_suffices():
    """As an upload by REST reads it."""
    assert found(["sku", "name", "description", "published"])[3] == ("attribute", "kept")


def test_columns_that_may_be_a_missing_field_are_open():
    shown = found(["sku", "name", "x", "y"], sample=[["a", "b", "c", ""]])
    assert shown[2:] == [("attribute", "open"), ("attribute", "kept")]


def test_a_saved_mapping_is_remembered_and_a_choice_comes_before_it():
    names, saved = ["a", "b", "c", "d"], {"A": "sku", "b": "name", "c": "description", "d": "ignore"}
    assert found(names, None, saved) == [
        ("sku", "remembered"),
        ("name", "remembered"),
        ("description", "remembered"),
        ("ignore", "remembered"),
    ]
    assert found(names, {"d": "description"}, saved)[2:] == [("attribute", "kept"), ("description", "chosen")]


def test_a_choice_of_what_was_found_anyway_is_no_choice():
    names = ["sku", "title", "description", "colour", "size"]
    chosen = {"sku": "sku", "title": "name", "colour": "attribute", "size": "attribute:Größe"}
    assert [how for _, how in found(names, chosen)] == ["exact", "guessed", "exact", "kept", "chosen"]


def test_a_chosen_column_frees_the_one_of_that_name():
    assert found(["sku", "code", "name", "description"], {"code": "sku"})[:2] == [
        ("attribute", "kept"),
        ("sku", "chosen"),
    ]


def test_columns_of_one_name_are_not_guessed_and_those_of_rejects_are_ignored():
    names = ["sku", "title", "Title", "description", "_line", "_code", "_reason"]
    assert found(names)[1:] == [
        ("attribute", "kept"),
        ("attribute", "kept"),
        ("description", "exact"),
        *[("ignore", "exact")] * 3,
    ]


def test_samples_are_the_first_cells_that_are_not_blank():
    head = HeaderSample(["a", "b"], [["", "1"], ["x", " "], ["y"], ["z", "2"], ["w", "3"]])
    assert [column.samples for column in columns_of(head, None, None)] == [["x", "y", "z"], ["1", "2", "3"]]


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8), mappings, mappings)
def test_an_import_has_the_columns_that_were_shown(names, chosen, saved):
    columns = columns_of(HeaderSample(names, []), chosen, saved)
    try:
        header = match(names, told(columns))
    except DomainError:
        # Then the preview says so, as it asks the same.
        return
    assert not missing_fields(columns)
    assert [COLUMN_WORDS.get(field, field) for field in header.fields] == [column.target for column in columns]


@given(st.permutations([*REQUIRED, "vendor"]), mappings)
def test_each_shown_target_can_be_sent_back_as_a_choice(names, chosen):
    columns = columns_of(HeaderSample(names, []), chosen, None)
    again = columns_of(HeaderSample(names, []), {column.name: column.target for column in columns}, None)
    assert [column.target for column in again] == [column.target for column in columns]
    assert {fold(column.name) for column in again} == set(names)
