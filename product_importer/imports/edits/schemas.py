"""Schemas of the edits of rows."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from product_importer.catalog.schemas import MAX_DESCRIPTION, NO_NUL, is_storable
from product_importer.core.enums import InlineEnum
from product_importer.imports.columns.header import MAX_COLUMNS
from product_importer.imports.error_codes import RowErrorCode

# Of one request.
MAX_EDITED_ROWS = 1_000
# Rows edited by reason that an answer shows.
MAX_SHOWN_ROWS = 100
MAX_LINE = 2**31 - 1


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("Text cannot hold a NUL character or half of a surrogate pair")
    return text


Cell = Annotated[str, Field(max_length=MAX_DESCRIPTION, json_schema_extra=NO_NUL), AfterValidator(_storable)]
Cells = Annotated[
    dict[str, Cell | None],
    Field(
        max_length=MAX_COLUMNS,
        description="New values by the names of the file's columns; null takes an edit back.",
        examples=[{"name": "Kettle"}],
    ),
]
Skip = Annotated[StrictBool, Field(description="Whether to leave the row out; as before if absent.")]


class RowChange(BaseModel):
    """What to change in a row; a row that nothing is changed in is only judged."""

    model_config = ConfigDict(extra="forbid")

    cells: Cells = Field(default_factory=dict)
    # The default only makes the field optional.
    skip: Skip = Field(default_factory=bool)

    @property
    def given_skip(self) -> bool | None:
        """Whether to leave the row out; None if the request does not say."""
        return self.skip if "skip" in self.model_fields_set else None


class RowEdit(RowChange):
    """The edit of one row."""

    line: Annotated[int, Field(ge=1, le=MAX_LINE, description="The line of the file where the row begins.")]


class ReasonEdit(RowChange):
    """The edit of all rows that are rejected for one reason, as they are judged now."""

    code: InlineEnum[RowErrorCode]


class RowsEdit(BaseModel):
    """Edits of rows by line, then by the reason of their rejection."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"rows": [{"line": 7, "cells": {"name": "Kettle"}}, {"line": 9, "skip": True}]},
                {"reasons": [{"code": "no_name", "cells": {"name": "Unnamed"}}]},
            ]
        },
    )

    rows: Annotated[list[RowEdit], Field(max_length=MAX_EDITED_ROWS)] = Field(default_factory=list)
    reasons: Annotated[list[ReasonEdit], Field(max_length=len(RowErrorCode))] = Field(default_factory=list)


class EditedRow(BaseModel):
    """A row with its edits, and how it is judged by itself; `code` and `reason` are null for a good row.

    `cells` has the values that would be imported, by column. A row that is `skipped` is in no count.
    """

    line: int
    cells: dict[str, str]
    skipped: bool
    code: InlineEnum[RowErrorCode] | None
    reason: str | None


class EditedRows(BaseModel):
    """The edited rows: `total` in all, of which `rejected` are still wrong.

    `items` has those edited by line, and the first of those edited by reason.
    """

    items: list[EditedRow]
    total: int
    rejected: int
