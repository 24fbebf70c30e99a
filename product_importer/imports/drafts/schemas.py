"""Schemas of a draft: a chosen file before its import starts, its columns, and the options chosen for it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from product_importer.imports.options import ImportOptions

SAMPLES = 3


class DraftStatus(StrEnum):
    """How much of a draft's file is there; a `broken` upload can be started again."""

    RECEIVING = "receiving"
    BROKEN = "broken"
    RECEIVED = "received"


class Found(StrEnum):
    """How it was found what a column becomes."""

    EXACT = "exact"
    GUESSED = "guessed"
    REMEMBERED = "remembered"
    CHOSEN = "chosen"
    # By default: an attribute with the column's name.
    KEPT = "kept"
    # Nothing was found for a column that may be a missing field.
    OPEN = "open"


class DraftError(BaseModel):
    """Why a draft's file cannot be imported as it is; `extra` is what the problem details of REST have besides."""

    type: str
    title: str
    detail: str
    extra: dict[str, Any] = {}


class DraftRead(BaseModel):
    """A draft; its import takes over its id.

    `size_bytes` have arrived of `expected_bytes`, which are None if unknown. `will_start` is "import" or "dry_run" if
    that was asked for before the upload ended. `error` says why no option makes the file readable, or why the import
    that was to start at the upload's end did not.
    """

    id: UUID
    filename: str
    status: DraftStatus
    size_bytes: int
    expected_bytes: int | None
    options: ImportOptions
    will_start: str | None
    error: DraftError | None
    created_at: datetime


class DraftColumn(BaseModel):
    """A column of the file, the beginnings of its first cells that are not blank, and what it becomes.

    `position` counts from 0. `name` is the key in `ImportOptions.columns`; it is empty for a column without a name,
    and columns of one name become the same. `target` is as in `ImportOptions.columns`: a product field, `attribute`,
    `attribute:NAME` or `ignore`.
    """

    position: int
    name: str
    samples: list[str]
    target: str
    found: Found


class DraftPreview(BaseModel):
    """How a draft's file is read with its options: its columns, or why they cannot be shown.

    Without columns and without an error, too little of the file has arrived. Where a sheet cannot be read, `sheets`
    are those to choose from.
    `is_whole` if the whole file was seen, and not only its beginning. `missing` are the required fields without a
    column; `problem` says in words why it cannot be imported with these columns, and is empty if it can.
    `continuations` counts the rows of the sample that continue the product above, `variants` those of them that have
    an SKU of their own.
    """

    columns: list[DraftColumn] = []
    missing: list[str] = []
    problem: str = ""
    kind: str = ""
    encoding: str = ""
    delimiter: str = ""
    header_line: int | None = None
    sheet: str = ""
    sheets: list[str] = []
    continuations: int = 0
    variants: int = 0
    sample_rows: int = 0
    warnings: list[str] = []
    is_whole: bool = False
    error: DraftError | None = None
