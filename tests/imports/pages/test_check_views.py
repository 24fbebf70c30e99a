"""The view models of the grid of rows, its filters, and the edits that it asks for."""

from typing import Any

import pytest

from product_importer.catalog.schemas import MAX_DESCRIPTION
from product_importer.core.errors import Unprocessable
from product_importer.imports.edits.check_schemas import CheckedRow, CheckSummary, RowState
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.pages.check.edits import action_edit, cells_edit, reason_edit, said
from product_importer.imports.pages.check.filter_view import FilterView, ReasonView, filters, reasons
from product_importer.imports.pages.check.row_view import SHOWN, grid_columns, grid_row
from product_importer.imports.pages.check.words import FILTERS, TITLES, fix_words, import_words
from product_importer.ui.grid.component import CellEdit
from product_importer.ui.grid.values import GridRow

NAMES = ["sku", "name"]


def checked(**given: Any) -> CheckedRow:
    fields = {
        "line": 1_002,
        "state": RowState.UPDATE,
        "sku": "A",
        "cells": {"sku": "A", "name": "New"},
        "before": {},
        "cut": [],
        "code": None,
        "reason": None,
        "wrong": [],
        "edited": [],
        "is_outdated": False,
        "is_known": True,
    }
    return CheckedRow.model_validate(fields | given)


def shown(**given: Any) -> GridRow:
    return grid_row(checked(**given), NAMES, 7)


def summary(edited: int = 0, reasons: dict[RowErrorCode, int] | None = None, **states: int) -> CheckSummary:
    counts = dict.fromkeys(RowState, 0) | {RowState(name): count for name, count in states.items()}
    return CheckSummary(states=counts, edited=edited, reasons=reasons or {}, settable={RowErrorCode.NO_NAME: "Title"})


def test_each_code_and_each_state_has_words():
    assert set(TITLES) == set(RowErrorCode)
    assert set(FILTERS) == set(SHOWN) == set(RowState)


def test_a_row_has_its_cells_by_the_keys_of_columns():
    row = shown(before={"name": "Old"}, edited=["name"], cut=["sku"])
    assert (row.id, row.name, row.stamp) == ("1002", "line 1,002", 7)
    assert row.cells == {"#line": "1,002", "0": "A", "1": "New"}
    assert (row.before, row.edited, row.cut) == ({"1": "Old"}, ["1"], ["0"])
    assert [column.key for column in grid_columns(NAMES)] == ["#line", "#state", "#action", "0", "1"]
    assert [column.editable for column in grid_columns(NAMES)] == [False, False, False, True, True]


def test_a_problem_stands_in_its_cell_or_else_beside_the_row():
    row = shown(state="problem", code="no_name", reason="The name is empty.", wrong=["name"])
    assert (row.problems, row.state.text, row.state.note) == ({"1": "The name is empty."}, "The name is missing", "")
    row = shown(state="problem", code="ragged", reason="The row has 5 fields.")
    assert (row.problems, row.state.note) == ({}, "The row has 5 fields.")


@pytest.mark.parametrize(
    ("given", "action", "text"),
    [
        ({}, "", "update"),
        ({"edited": ["name"]}, "undo", "update · edited"),
        ({"state": "problem", "code": "no_name"}, "skip", "The name is missing"),
        ({"state": "problem", "code": "no_name", "edited": ["name"]}, "undo", "The name is missing · edited"),
        ({"state": "skipped", "edited": ["name"]}, "take", "skipped"),
        ({"is_outdated": True, "is_known": False}, "", "changed since"),
    ],
)
def test_a_row_has_the_button_that_helps(given: dict[str, Any], action: str, text: str):
    row = shown(**given)
    assert (row.action.name, row.state.text, row.locked) == (action, text, not given.get("is_known", True))


def test_filters_have_only_what_there_is_and_what_is_chosen():
    found = filters(summary(update=1_400, create=6, problem=1), "")
    assert found == [
        FilterView("update", "1,400 to update"),
        FilterView("create", "6 to create"),
        FilterView("problem", "1 problem"),
    ]
    chosen = filters(summary(create=6, edited=2), "problem")
    assert [one.text for one in chosen] == ["6 to create", "0 problems", "2 edited"]


def test_reasons_and_buttons_have_their_counts():
    counted = {RowErrorCode.NO_SKU: 1, RowErrorCode.NO_NAME: 2, RowErrorCode.NUL: 0}
    assert reasons(summary(reasons=counted)) == [
        ReasonView("no_name", "The name is missing", "2 rows", "Title"),
        ReasonView("no_sku", "The SKU is missing", "1 row", ""),
    ]
    assert import_words(summary(create=1, update=2, problem=9)) == "Import 3 changes"
    assert import_words(summary(unchanged=3)) == "Import without changes"
    assert (fix_words(summary(unchanged=1)), fix_words(summary(problem=1))) == (
        "Import 1 fixed row",
        "Import the fixed rows",
    )


def test_what_the_grid_asks_for_becomes_edits_of_rows():
    edits = cells_edit(
        [
            {"row": "2", "column": "0", "value": "B", "stamp": 1},
            {"row": "2", "column": "1", "value": "Cup", "stamp": 1},
            {"row": "5", "column": "1", "value": "", "stamp": 1},
        ],
        NAMES,
    )
    assert [(row.line, row.cells) for row in edits.rows] == [(2, {"sku": "B", "name": "Cup"}), (5, {"name": ""})]
    [undone] = action_edit(shown(edited=["name"]), "undo", NAMES).rows
    assert (undone.line, undone.cells, undone.given_skip) == (1_002, {"name": None}, None)
    assert [action_edit(shown(), name, NAMES).rows[0].given_skip for name in ("skip", "take")] == [True, False]
    [reason] = reason_edit("no_name", {"no_name": "name"}, "Unnamed").reasons
    assert (reason.code, reason.cells, reason.given_skip) == ("no_name", {"name": "Unnamed"}, None)
    assert reason_edit("no_sku", {}, None).reasons[0].given_skip is True


def test_a_text_that_is_too_long_is_said_as_everywhere():
    edit: CellEdit = {"row": "2", "column": "1", "value": "x" * (MAX_DESCRIPTION + 1), "stamp": 1}
    with pytest.raises(Unprocessable, match=r"^At most 100,000 characters are allowed; this has 100,001\.$"):
        cells_edit([edit], NAMES)


@pytest.mark.parametrize(
    "edits",
    [
        [{"row": "x", "column": "0", "value": "B", "stamp": 1}],
        [{"row": "0", "column": "0", "value": "B", "stamp": 1}],
        [{"row": "2", "column": "0", "value": "a\0b", "stamp": 1}],
        [{"row": str(line), "column": "0", "value": "", "stamp": 1} for line in range(1, 1_002)],
    ],
)
def test_edits_that_cannot_be_are_refused(edits):
    with pytest.raises(Unprocessable):
        cells_edit(edits, NAMES)
    with pytest.raises(Unprocessable):
        reason_edit("unheard_of", {}, None)
    with pytest.raises(Unprocessable):
        action_edit(shown(), "explode", NAMES)


def test_screen_readers_hear_what_a_row_is_now():
    wrong = shown(state="problem", code="no_name", reason="The name is empty.", wrong=["name"])
    assert said([wrong]) == "line 1,002: The name is missing. The name is empty."
    assert said([wrong, shown()]) == "2 rows judged again"
