"""The view model of the bar in two parts."""

import pytest

from product_importer.imports.pages.bar_view import BarView
from product_importer.imports.schemas import ImportChoices
from tests.imports.pages.test_view_models import seen


@pytest.mark.parametrize(
    ("phase", "percent", "bar"),
    [
        ("waiting", 0, BarView(0, 0, "Writing", "")),
        ("reading", 12.5, BarView(50, 0, "Writing", "Reading")),
        ("indexing", 25, BarView(100, 0, "Writing", "Writing")),
        ("merging", 62.5, BarView(100, 50, "Writing", "Writing")),
        ("finished", 100, BarView(100, 100, "Writing", "")),
    ],
)
def test_reading_fills_the_first_part_and_writing_the_second(phase: str, percent: float, bar: BarView):
    assert seen(status="processing", phase=phase, percent=percent).bar == bar


def test_a_dry_run_compares_instead_of_writing():
    shown = seen(status="processing", phase="previewing", percent=40, choices=ImportChoices(dry_run=True))
    assert (shown.bar.rest, shown.bar.follows, shown.bar.part) == (20, "Comparing", "Comparing")
