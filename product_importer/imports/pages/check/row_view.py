"""View models of the grid of rows: its columns, and each row with what is to be said about it."""

from collections.abc import Sequence

from product_importer.imports.edits.check_schemas import CheckedRow, RowState
from product_importer.imports.pages.check.words import TITLES
from product_importer.ui.grid.values import GridColumn, GridRow, RowAction
from product_importer.ui.grid.values import RowState as Shown

LINE, STATE, ACTION = "#line", "#state", "#action"
SHOWN = {
    RowState.UPDATE: ("change", "busy", "update"),
    RowState.CREATE: ("add", "good", "new"),
    RowState.PROBLEM: ("problem", "bad", "problem"),
    RowState.UNCHANGED: ("equal", "neutral", "unchanged"),
    RowState.DUPLICATE: ("copy", "neutral", "duplicate"),
    RowState.SKIPPED: ("skip", "neutral", "skipped"),
}
UNDO, SKIP, TAKE = RowAction("undo", "Undo"), RowAction("skip", "Skip"), RowAction("take", "Take in")
OUTDATED = "The product was changed since: repeat the dry run"


def grid_columns(names: Sequence[str]) -> list[GridColumn]:
    """Return the columns: the line, the state, the row's button, and those of the file with their position as key."""
    return [
        GridColumn(LINE, "Line", width=88, frozen=True),
        GridColumn(STATE, "What happens", kind="state", width=176),
        GridColumn(ACTION, "Action", kind="action", width=84),
        *(GridColumn(str(at), name, width="minmax(150px, 1fr)", editable=True) for at, name in enumerate(names)),
    ]


def grid_row(row: CheckedRow, names: Sequence[str], stamp: int) -> GridRow:
    """Return a row of the grid; `names` are the columns of the file."""
    keys = {name: str(at) for at, name in enumerate(names)}
    return GridRow(
        id=str(row.line),
        name=f"line {row.line:,}",
        cells={LINE: f"{row.line:,}", **{keys[name]: value for name, value in row.cells.items()}},
        before={keys[name]: value for name, value in row.before.items()},
        problems={keys[name]: row.reason or "" for name in row.wrong},
        edited=[keys[name] for name in row.edited],
        cut=[keys[name] for name in row.cut],
        state=_state(row),
        action=_action(row),
        locked=not row.is_known,
        stamp=stamp,
    )


def _state(row: CheckedRow) -> Shown:
    icon, tone, text = SHOWN[row.state]
    if row.is_outdated:
        return Shown(row.state, "problem", "warning", "changed since", OUTDATED)
    if row.state == RowState.PROBLEM and row.code is not None:
        text = TITLES[row.code]
    note = (row.reason or "") if not row.wrong else ""
    edited = " · edited" if row.edited and row.state != RowState.SKIPPED else ""
    return Shown(row.state, icon, tone, f"{text}{edited}", note)


def _action(row: CheckedRow) -> RowAction:
    if row.state == RowState.SKIPPED:
        return TAKE
    if row.edited:
        return UNDO
    return SKIP if row.state == RowState.PROBLEM else RowAction()
