"""What the grid of rows counts when edits are shown while the rows are counted, and what is imported before that."""

from functools import partial
from types import SimpleNamespace
from typing import Any, Self
from uuid import uuid4

import pytest

from product_importer.imports.edits import checking, fixing
from product_importer.imports.edits.check_schemas import CheckPage, CheckSummary, RowState
from product_importer.imports.pages.check import check_state
from product_importer.imports.pages.check.check_state import NOTHING_FIXED, CheckState
from tests.waiting import finish

NO_ROWS = CheckSummary(states=dict.fromkeys(RowState, 0), edited=0, reasons={}, settable={})


class Tab(SimpleNamespace):
    """The state of one tab, with what the handlers of the grid use of it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def _show_summary(self, summary: object) -> None:
        self.shown.append(summary)


@pytest.fixture
def tab() -> Tab:
    """A tab that shows the rows of an import."""
    return Tab(_import_id=str(uuid4()), _edits=0, _counts=0, _summary=None, is_busy=False, shown=[])


def test_a_count_from_before_an_edit_is_not_shown(tab, monkeypatch):
    counts = iter(("before the edit", "after it"))

    async def ask(service: object, *_: object) -> object:
        if service is checking.summarize:
            # The first count ends after an edit has been shown.
            tab._edits = 1
            return next(counts)
        return None

    monkeypatch.setattr(check_state, "ask", ask)
    finish(CheckState.event_handlers["load_summary"].fn(tab))
    assert (tab.shown, tab._counts) == (["after it"], 1)


@pytest.mark.parametrize("first", ["rows", "summary"])
def test_rows_are_shown_with_what_stands_above_them(first):
    state: Any = CheckState
    tab = SimpleNamespace(_stamp=0, _names=[], chosen="", loaded=False, _has_rows=False, _summary=None)
    # The other one could not be read before.
    tab.error = "gone"
    tab._show_once_complete = partial(state._show_once_complete, tab)
    shows = {
        "rows": lambda: state._show_rows(tab, CheckPage(items=[], total=0, page=1, pages=1, page_size=100)),
        "summary": lambda: state._show_summary(tab, NO_ROWS),
    }
    shows.pop(first)()
    assert (tab.loaded, tab.error) == (False, "gone"), "Try again reads both"
    shows.popitem()[1]()
    assert (tab.loaded, tab.error) == (True, "")


def test_nothing_is_imported_again_before_the_rows_are_counted(tab, monkeypatch):
    async def ask(service: object, *_: object) -> object:
        assert service is not fixing.fix_import
        return SimpleNamespace(good=0)

    monkeypatch.setattr(check_state, "ask", ask)
    assert finish(CheckState.event_handlers["fix_import"].fn(tab)) is None
    assert (tab.refusal, tab.is_busy) == (NOTHING_FIXED, False)
