"""Turn what was done in the grid into edits of rows, and say what they have done."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from product_importer.core.errors import Unprocessable
from product_importer.imports.edits.schemas import RowsEdit
from product_importer.imports.pages.check.row_view import SKIP, TAKE, UNDO
from product_importer.imports.pages.result_words import counted
from product_importer.ui.formatting import field_error
from product_importer.ui.grid.component import CellEdit
from product_importer.ui.grid.values import GridRow


def cells_edit(edits: Sequence[CellEdit], names: Sequence[str]) -> RowsEdit:
    """Return the edit of cells; `names` are the columns of the file by their keys.

    Raises:
        Unprocessable: an edit is of no cell of the grid, or its value cannot be stored.
    """
    columns = {str(at): name for at, name in enumerate(names)}
    rows: dict[str, dict[str, str | None]] = {}
    for edit in edits:
        rows.setdefault(edit["row"], {})[columns.get(edit["column"], edit["column"])] = edit["value"]
    return _edit(rows=[{"line": row, "cells": cells} for row, cells in rows.items()])


def action_edit(row: GridRow, action: str, names: Sequence[str]) -> RowsEdit:
    """Return the edit that a row's button stands for.

    Raises:
        Unprocessable: there is no such button.
    """
    if action == UNDO.name:
        return _edit(rows=[{"line": row.id, "cells": {names[int(key)]: None for key in row.edited}}])
    if action in (SKIP.name, TAKE.name):
        return _edit(rows=[{"line": row.id, "skip": action == SKIP.name}])
    raise Unprocessable("This row has no such button.")


def reason_edit(code: str, columns: Mapping[str, str], value: str | None) -> RowsEdit:
    """Return the edit of all rows with a problem: a value for its column in `columns`, or None to leave them out.

    Raises:
        Unprocessable: there is no such problem, or it has no column to set.
    """
    if value is None:
        return _edit(reasons=[{"code": code, "skip": True}])
    return _edit(reasons=[{"code": code, "cells": {columns.get(code, ""): value}}])


def said(rows: Sequence[GridRow]) -> str:
    """Return what rows are after an edit, for screen readers."""
    if len(rows) == 1:
        return f"{rows[0].name}: {rows[0].state.text}. {' '.join(rows[0].problems.values())}".strip()
    return f"{counted(len(rows), 'row')} judged again" if rows else ""


def _edit(**given: Any) -> RowsEdit:
    try:
        return RowsEdit.model_validate(given)
    except ValidationError as error:
        raise Unprocessable(field_error(error.errors()[0])) from None
