"""Schemas of the rows that are checked before an import, or corrected after it."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Self

from pydantic import BaseModel

from product_importer.core.pagination import Page, PageQuery
from product_importer.imports.error_codes import RowErrorCode


class RowState(StrEnum):
    """What becomes of a row as it is now, with its edits."""

    UPDATE = "update"
    CREATE = "create"
    PROBLEM = "problem"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"


class CheckQuery(PageQuery):
    """Which rows to list: those of one state or those that were edited; all if neither is given."""

    state: RowState | None = None
    edited: bool = False


class CheckedRow(BaseModel):
    """A row as it would be imported, and what becomes of it.

    `cells` are by column, cut after `MAX_CELL` characters where `cut` names the column; `before` has the product's
    values where they would change. `wrong` and `edited` name columns; a row that is wrong as a whole has no `wrong`.
    `is_outdated`: the product that the row was compared with was changed since; `is_known` is false if the row
    cannot be edited therefore.
    """

    line: int
    state: RowState
    sku: str
    cells: dict[str, str]
    before: dict[str, str]
    cut: list[str]
    code: RowErrorCode | None
    reason: str | None
    wrong: list[str]
    edited: list[str]
    is_outdated: bool
    is_known: bool

    @property
    def is_edited(self) -> bool:
        """Whether a cell was edited, or the row is left out."""
        return bool(self.edited) or self.state == RowState.SKIPPED


class CheckSummary(BaseModel):
    """How many rows are in each state now, how many were edited, and how many have each problem.

    `settable` names by problem the column that can be set for all its rows.
    """

    states: dict[RowState, int]
    edited: int
    reasons: dict[RowErrorCode, int]
    settable: dict[RowErrorCode, str]

    @property
    def changes(self) -> int:
        """How many products an import would create or change."""
        return self.states[RowState.CREATE] + self.states[RowState.UPDATE]

    @property
    def good(self) -> int:
        """How many rows can be imported as they are."""
        return self.changes + self.states[RowState.UNCHANGED]

    def after(self, before: Iterable[CheckedRow], now: Iterable[CheckedRow]) -> Self:
        """Return the summary once rows have become what they are now."""
        states, reasons, edited = Counter(self.states), Counter(self.reasons), self.edited
        for rows, sign in ((before, -1), (now, 1)):
            for row in rows:
                states[row.state] += sign
                edited += sign * row.is_edited
                if row.state == RowState.PROBLEM and row.code is not None:
                    reasons[row.code] += sign
        return self.model_copy(update={"states": dict(states), "reasons": dict(reasons), "edited": edited})


class RowsMoved(NamedTuple):
    """Rows before an edit, and the same ones after it."""

    before: list[CheckedRow]
    now: list[CheckedRow]


CheckPage = Page[CheckedRow]
