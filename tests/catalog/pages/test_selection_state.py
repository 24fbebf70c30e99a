"""How many rows of the list can be selected one by one."""

from types import SimpleNamespace
from typing import Any

from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.selection_state import MAX_SELECTED

# Its method is called with a stand-in for the state of a tab.
SELECT: Any = CatalogState.event_handlers["select_rows"].fn


def tab_with(selected: int) -> SimpleNamespace:
    """Return a tab that shows two rows, and has selected this many on other pages."""
    return SimpleNamespace(
        rows=[SimpleNamespace(id="first"), SimpleNamespace(id="second")],
        selected=[str(number) for number in range(selected)],
        all_selected=False,
        selection_refusals=0,
    )


def test_rows_are_selected_up_to_the_limit():
    tab = tab_with(MAX_SELECTED - 2)
    assert SELECT(tab, ["first", "second"], True) is None
    assert (tab.selected[-2:], tab.selection_refusals) == (["first", "second"], 0)


def test_more_rows_are_refused_and_the_grid_is_told_to_show_that():
    tab = tab_with(MAX_SELECTED - 1)
    assert "Select all that match" in str(SELECT(tab, ["first", "second"], True))
    assert (len(tab.selected), tab.selection_refusals) == (MAX_SELECTED - 1, 1)
    assert not {"first", "second"} & set(tab.selected)
