"""The tables of imports, and the states that an import can be in."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlmodel import Field, SQLModel

from product_importer.core.ids import new_id


class ImportStatus(StrEnum):
    """The state of an import; `previewed` is that of a finished dry run."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PREVIEWED = "previewed"


# An active import still changes; a final one only changes when somebody asks for it.
ACTIVE = (ImportStatus.PENDING, ImportStatus.PROCESSING)
FINAL = frozenset(ImportStatus) - {*ACTIVE}
RETRYABLE = (ImportStatus.FAILED, ImportStatus.CANCELLED, ImportStatus.PREVIEWED)


class ImportPhase(StrEnum):
    """The step that an import is at, in this order; a dry run has `previewing` in place of `merging`."""

    WAITING = "waiting"
    READING = "reading"
    INDEXING = "indexing"
    PREVIEWING = "previewing"
    MERGING = "merging"
    FINISHED = "finished"


class UndoStatus(StrEnum):
    """The state of an import's undo; `import_job.undo_status` holds `pending` and `undone` only."""

    POSSIBLE = "possible"
    PENDING = "pending"
    UNDONE = "undone"
    EXPIRED = "expired"


def _text(nullable: bool = False) -> Any:
    return Column(Text, nullable=nullable)


def _moment(**options: Any) -> Any:
    return Column(DateTime(timezone=True), **options)


def _json() -> Any:
    return Column(JSONB, nullable=False, server_default=text("'{}'::jsonb"))


def _flag() -> Any:
    return Column(Boolean, nullable=False, server_default=text("false"))


def _count() -> Any:
    return Column(Integer, nullable=False, server_default=text("0"))


class ImportJob(SQLModel, table=True):
    """One import: its file, its state, its counts, and what a worker needs to go on where another one stopped.

    `fence` is the fencing token: the worker that raised it last owns the import until `lease_until`, and one with an
    older token writes nothing. `lane_ends` are the last SKU keys of the lanes that are merged in parallel,
    `lane_checkpoints` the last keys committed.
    """

    __tablename__ = "import_job"
    __table_args__ = (
        Index("ix_import_job_created_at", "created_at"),
        Index(
            "ix_import_job_unfinished",
            "lease_until",
            postgresql_where=text(f"status IN ('{ImportStatus.PENDING}', '{ImportStatus.PROCESSING}')"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    filename: str = Field(sa_column=_text())
    storage_key: str = Field(sa_column=_text())
    size_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    # Whether the import takes more than a moment; whether it holds a worker for which others wait.
    is_large: bool = Field(default=False, sa_column=_flag())
    holds_worker: bool = Field(default=False, sa_column=_flag())
    sha256: str = Field(sa_column=_text())
    # How the file is read, as `parsing.file_format.Format`; the options, as `schemas.ImportChoices`.
    format: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    choices: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    # The column names of the file, and for each column what it fills, as in `columns.header.Header`.
    header: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    fields: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    # Given by the client, so that an upload that is sent twice is imported once.
    idempotency_key: str | None = Field(default=None, sa_column=Column(Text, nullable=True, unique=True))

    status: str = Field(default=ImportStatus.PENDING, sa_column=_text())
    phase: str = Field(default=ImportPhase.WAITING, sa_column=_text())
    percent: float = Field(default=0.0, sa_column=Column(Double(), nullable=False, server_default=text("0")))
    rows_read: int = Field(default=0, sa_column=_count())
    total_rows: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    created: int = Field(default=0, sa_column=_count())
    updated: int = Field(default=0, sa_column=_count())
    unchanged: int = Field(default=0, sa_column=_count())
    duplicates: int = Field(default=0, sa_column=_count())
    rejected: int = Field(default=0, sa_column=_count())
    error_code: str | None = Field(default=None, sa_column=_text(nullable=True))
    error_message: str | None = Field(default=None, sa_column=_text(nullable=True))
    error_line: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))

    fence: int = Field(default=0, sa_column=_count())
    lease_until: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    attempts: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    cancel_requested_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    staging_table: str | None = Field(default=None, sa_column=_text(nullable=True))
    staged_rows: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    lane_ends: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    lane_checkpoints: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    # How many products each lane has created; their ids continue from there.
    lane_created: list[int] | None = Field(default=None, sa_column=Column(ARRAY(Integer), nullable=True))
    # The table of a dry run's outcomes, until it is applied or too old; when it was applied.
    preview_table: str | None = Field(default=None, sa_column=_text(nullable=True))
    applied_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    # The table of the values that this import overwrote, until it is too old; the state and the counts of an undo.
    undo_table: str | None = Field(default=None, sa_column=_text(nullable=True))
    undo_status: str | None = Field(default=None, sa_column=_text(nullable=True))
    undo_requested_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    undone_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    undo_removed: int = Field(default=0, sa_column=_count())
    undo_restored: int = Field(default=0, sa_column=_count())
    undo_kept: int = Field(default=0, sa_column=_count())
    file_deleted_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))

    created_at: datetime | None = Field(default=None, sa_column=_moment(nullable=False, server_default=func.now()))
    started_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    finished_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


class ImportRowError(SQLModel, table=True):
    """A row of a file that did not become a product: its line, the reason, its cells.

    It has no foreign key: PostgreSQL would check it for each of maybe a million rows, and no import is ever deleted.
    """

    __tablename__ = "import_row_error"

    job_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    line: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    code: str = Field(sa_column=_text())
    reason: str = Field(sa_column=_text())
    # json, not jsonb: it is stored as it is and never searched.
    row: list[str] = Field(sa_column=Column(JSON, nullable=False))


class ImportMapping(SQLModel, table=True):
    """The mapping of columns to fields that was last accepted for files with these columns."""

    __tablename__ = "import_mapping"

    header_key: str = Field(sa_column=Column(Text, primary_key=True))
    columns: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    accepted_at: datetime | None = Field(default=None, sa_column=_moment(nullable=False, server_default=func.now()))


class ImportUndoKept(SQLModel, table=True):
    """A product that an undo left as it was, because it had changed since the import."""

    __tablename__ = "import_undo_kept"

    job_id: UUID = Field(sa_column=Column(ForeignKey("import_job.id", ondelete="CASCADE"), primary_key=True))
    product_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    sku: str = Field(sa_column=_text())
    reason: str = Field(sa_column=_text())


class ImportUndoRestored(SQLModel, table=True):
    """An undo made a product's `version` equal to its `as_version`: so an earlier import can be undone, too."""

    __tablename__ = "import_undo_restored"

    product_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    as_version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    restored_at: datetime | None = Field(default=None, sa_column=_moment(nullable=False, server_default=func.now()))
