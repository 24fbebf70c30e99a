"""The result of an import in words, and its tone."""

from typing import Any

import pytest

from product_importer.imports.schemas import ImportChoices
from tests.imports.pages.test_view_models import NOW, UNDO, seen

DRY_RUN = ImportChoices(dry_run=True)


@pytest.mark.parametrize(
    ("counts", "words", "tone"),
    [
        ({"created": 18, "updated": 1, "rejected": 1}, "19 products imported, 1 row needs you", "warning"),
        ({"created": 1, "duplicates": 3}, "1 product imported", "good"),
        (
            {"updated": 1_200, "unchanged": 5, "rejected": 2_000},
            "1,200 products imported, 2,000 rows need you",
            "warning",
        ),
        ({"unchanged": 20}, "20 products up to date already", "good"),
        ({"unchanged": 1, "rejected": 2}, "1 product up to date already, 2 rows need you", "warning"),
        ({"rejected": 3}, "Nothing was imported, 3 rows need you", "bad"),
        ({}, "Nothing was imported: the file has no rows", "bad"),
    ],
)
def test_a_completed_import_is_green_only_when_all_is_well(counts: dict[str, int], words: str, tone: str):
    shown = seen(**counts, total_rows=sum(counts.values()))
    assert (shown.result, shown.tone, shown.status) == (words, tone, "completed")


@pytest.mark.parametrize(
    ("counts", "words", "tone"),
    [
        ({"created": 6, "updated": 14}, "Would create 6 and update 14", "good"),
        ({"updated": 1_400, "rejected": 1}, "Would update 1,400, 1 row needs you", "warning"),
        ({"unchanged": 3}, "Would change nothing", "good"),
        ({"rejected": 3}, "Would change nothing, 3 rows need you", "bad"),
    ],
)
def test_a_dry_run_says_what_it_would_do(counts: dict[str, int], words: str, tone: str):
    shown = seen(status="previewed", choices=DRY_RUN, total_rows=sum(counts.values()), **counts)
    assert (shown.result, shown.tone) == (words, tone)


@pytest.mark.parametrize(
    ("fields", "words", "tone"),
    [
        ({"status": "failed"}, "Failed: nothing was imported", "bad"),
        ({"status": "failed", "created": 12}, "Failed: 12 products imported before", "bad"),
        ({"status": "cancelled", "updated": 1}, "Cancelled: 1 product imported before", "neutral"),
        ({"status": "cancelled", "created": 1, "choices": DRY_RUN}, "Cancelled: it was a dry run", "neutral"),
        ({"status": "processing", "created": 1}, "", "busy"),
        ({"created": 1, "undo": UNDO}, "", "neutral"),
        ({"created": 1, "choices": DRY_RUN, "applied_at": NOW}, "1 product imported", "good"),
    ],
)
def test_an_import_that_did_not_end_well_says_what_it_has_left(fields: dict[str, Any], words: str, tone: str):
    shown = seen(**fields)
    assert (shown.result, shown.tone) == (words, tone)


def test_new_products_are_offered_where_there_are_some():
    assert seen(created=1).created_address.startswith("/products?import=")
    for fields in (
        {"updated": 1},
        {"created": 1, "undo": UNDO},
        {"created": 1, "status": "previewed", "choices": DRY_RUN},
    ):
        assert seen(**fields).created_address == ""
