"""The view models of a draft: what its columns become, how it is read, and why it cannot be imported."""

import pytest

from product_importer.imports.drafts.schemas import DraftColumn, DraftError, DraftPreview, Found
from product_importer.imports.pages.drafts.view_models import (
    ASK_ENCODING,
    NAMED,
    ColumnView,
    EncodingView,
    Problem,
    ReadingView,
    problem_of,
    targets,
    with_targets,
)


def column(position: int, name: str, target: str, found: Found = Found.EXACT) -> DraftColumn:
    return DraftColumn(position=position, name=name, samples=[], target=target, found=found)


def error(type: str = "not-csv", **extra: object) -> DraftError:
    return DraftError(type=type, title="Title", detail="Detail.", extra=extra)


COLUMNS = [
    column(0, "Handle", "sku", Found.GUESSED),
    column(1, "Title", "name"),
    column(2, "Colour", "attribute", Found.KEPT),
    column(3, "Vendor", "attribute", Found.CHOSEN),
    column(4, "", "attribute", Found.KEPT),
]


def test_a_choice_keeps_what_the_other_columns_become():
    chosen = targets(COLUMNS, 2, "description")
    assert chosen == {"Handle": "sku", "Title": "name", "Colour": "description", "Vendor": "attribute"}


def test_a_field_has_one_column():
    assert targets(COLUMNS, 2, "name")["Title"] == "attribute"
    assert targets(COLUMNS, 2, "attribute:name")["Title"] == "name"
    assert "" not in targets(COLUMNS, 4, "name")


def test_choices_in_quick_succession_build_on_each_other():
    first = with_targets(COLUMNS, targets(COLUMNS, 2, "description"))
    assert (first[2].target, first[2].found, first[1]) == ("description", Found.CHOSEN, COLUMNS[1])
    assert targets(first, 3, "active") == {**targets(COLUMNS, 2, "description"), "Vendor": "active"}


def test_an_attribute_with_another_name_is_shown_as_such():
    shown = ColumnView.of(column(0, "Farbe", "attribute:colour: dark", Found.CHOSEN))
    assert (shown.target, shown.attribute, shown.found) == (NAMED, "colour: dark", "chosen")
    assert ColumnView.of(COLUMNS[2]).target == "attribute"


@pytest.mark.parametrize(
    ("line", "note"),
    [
        (None, ""),
        (1, ""),
        (0, "The file has no line with column names"),
        (1_003, "The column names are in line 1,003"),
    ],
)
def test_the_line_with_the_column_names_is_said_where_it_is_not_the_first(line, note):
    found = ReadingView.of(DraftPreview(header_line=line), "reject")
    assert found.header_note.startswith(note) and bool(found.header_note) == bool(note)


@pytest.mark.parametrize(
    ("continuation", "words"),
    [("reject", "are rejected"), ("fill", "take the product's name"), ("skip", "are skipped"), ("?", "are rejected")],
)
def test_rows_that_continue_the_product_above_are_counted(continuation, words):
    found = ReadingView.of(DraftPreview(sample_rows=9, continuations=1), continuation)
    assert found.continuations.startswith("Of the first 9 rows, 1 has no name and continues the product above")
    assert words in found.continuations
    assert ReadingView.of(DraftPreview(sample_rows=9), continuation).continuations == ""


def test_only_text_has_an_encoding_and_a_delimiter():
    text = ReadingView.of(DraftPreview(kind="csv", encoding="windows-1252", delimiter="\t"), "reject")
    assert (text.is_text, text.encoding, text.delimiter) == (True, "Detected: Windows-1252", "Detected: tabs")
    assert not ReadingView.of(DraftPreview(kind="xlsx", sheet="A", sheets=["A", "B"]), "reject").is_text
    assert not ReadingView.of(DraftPreview(kind="parquet"), "reject").has_header_line


def test_what_the_draft_met_comes_before_what_its_preview_says():
    preview = DraftPreview(problem="Still missing: sku.", missing=["sku"])
    assert problem_of(DraftError(type="x", title="First", detail="d"), preview).title == "First"
    assert problem_of(None, DraftPreview(error=error())).title == "Title"
    for before in (None, error("invalid-csv-header")):
        shown = problem_of(before, preview)
        assert (shown.title, shown.tone) == ("Which columns are these?", "warning")
        assert shown.detail.startswith("Missing columns: sku.")
        assert shown.detail.endswith("which columns of the file they are.")
    book = DraftPreview(missing=["sku"], sheets=["A", "B"])
    assert problem_of(None, book).detail.endswith("they are, or another sheet of the workbook.")
    assert problem_of(None, DraftPreview(problem="Twice.")).detail == "Twice."
    assert problem_of(None, DraftPreview()).title == ""


def test_likely_encodings_are_asked_for():
    found = error("not-text", encodings=[{"encoding": "windows-1251", "preview": ["a", "b"]}])
    (shown,) = EncodingView.all_of(found)
    assert (shown.name, shown.label, shown.lines) == ("windows-1251", "Windows-1251 (Cyrillic)", ["a", "b"])
    assert Problem.of(found).detail == ASK_ENCODING
    assert "How the file is read" in Problem.of(error("not-text")).detail
    assert EncodingView.all_of(None) == EncodingView.all_of(error()) == []


def test_a_running_import_of_the_same_file_is_led_to():
    assert Problem.of(error("conflict", job_id="1")).import_address == "/imports/1"
