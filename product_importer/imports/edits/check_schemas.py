"""Schemas of the rows that are checked before an import, or corrected after it."""

from enum import StrEnum

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


class ReasonCount(BaseModel):
    """How many rows have a problem now; `column` is the one that can be set for all of them, if there is one."""

    code: RowErrorCode
    count: int
    column: str | None


class CheckSummary(BaseModel):
    """How many rows are in each state now, how many were edited, the problems, and the names of the columns."""

    states: dict[RowState, int]
    edited: int
    reasons: list[ReasonCount]
    columns: list[str]

    @property
    def changes(self) -> int:
        """How many products an import would create or change."""
        return self.states[RowState.CREATE] + self.states[RowState.UPDATE]

    @property
    def good(self) -> int:
        """How many rows can be imported as they are."""
        return self.changes + self.states[RowState.UNCHANGED]


CheckPage = Page[CheckedRow]
