"""Tables of imports and actions: jobs, their ranges and batches, rejected and edited rows, mappings, and undos."""

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
# Of an import's row: whether it has ended, and what it wrote is in the catalogue. A dry run has written nothing.
HAS_WRITTEN = (
    "finished_at IS NOT NULL AND undo_status IS DISTINCT FROM 'undone'"
    " AND ((choices ->> 'dry_run') IS DISTINCT FROM 'true' OR applied_at IS NOT NULL)"
)
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
    """One import: its file, its state, its counts, and what a worker needs to continue where another stopped.

    A job with `action` has no file: it changes products that are there.

    `fence` is the fencing token: the worker that raised it last owns the import until `lease_until`, and a worker
    with an older token writes nothing. `ImportRange` has the ranges of keys that are merged one by one.
    """

    __tablename__ = "import_job"
    __table_args__ = (
        Index("ix_import_job_created_at", "created_at"),
        Index("ix_import_job_filename", "filename", "created_at"),
        Index("ix_import_job_parent_id", "parent_id"),
        Index("ix_import_job_storage_key", "storage_key"),
        Index("ix_import_job_undo_table", "created_at", postgresql_where=text("undo_table IS NOT NULL")),
        Index(
            "ix_import_job_unfinished",
            "lease_until",
            postgresql_where=text(f"status IN ('{ImportStatus.PENDING}', '{ImportStatus.PROCESSING}')"),
        ),
        # Holds all that the overview adds up, so that it need not read the rows.
        Index(
            "ix_import_job_written",
            "finished_at",
            postgresql_include=["status", "created", "updated", "rejected"],
            postgresql_where=text(HAS_WRITTEN),
        ),
        Index("ix_import_job_being_undone", "id", postgresql_where=text("undo_status = 'pending'")),
        Index("ix_import_job_failed", "finished_at", postgresql_where=text(f"status = '{ImportStatus.FAILED}'")),
        Index(
            "ix_import_job_to_correct",
            "finished_at",
            postgresql_where=text(f"status = '{ImportStatus.COMPLETED}' AND rejected > 0"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    # The import whose rejected rows this one imports again, of the same stored file.
    parent_id: UUID | None = Field(default=None, sa_column=Column(Uuid, nullable=True))
    # What an action does with which products, as `action_schemas.StoredAction`; its name stands for a file's.
    action: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    filename: str = Field(sa_column=_text())
    storage_key: str = Field(sa_column=_text())
    size_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    # Whether the file is large (`accepting.LARGE_BYTES`); whether the import holds one of the shared workers.
    is_large: bool = Field(default=False, sa_column=_flag())
    holds_worker: bool = Field(default=False, sa_column=_flag())
    sha256: str = Field(sa_column=_text())
    # How the bytes are read, as `file_format.Format`; the options, as `schemas.ImportChoices`.
    format: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    choices: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    # The file's header, and the field of each column, as `columns.header.Header` has them.
    header: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    fields: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    # The client's `Idempotency-Key`: the same upload, sent again, is not imported again.
    idempotency_key: str | None = Field(default=None, sa_column=Column(Text, nullable=True, unique=True))

    # Who uploaded the file, or let the import go on last, and who asked for its undo, as `Principal.stored`.
    started_by: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    undo_by: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))

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
    deleted: int = Field(default=0, sa_column=_count())
    error_code: str | None = Field(default=None, sa_column=_text(nullable=True))
    error_message: str | None = Field(default=None, sa_column=_text(nullable=True))
    error_line: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    # What the file was read with an assumption for, as `read_warnings.ReadWarnings` stores it.
    warnings: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'::jsonb"))
    )

    fence: int = Field(default=0, sa_column=_count())
    lease_until: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    attempts: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    cancel_requested_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    # How many rows the reader accepted; `schemas.KEY_RULES`, by which the keys of the ranges were made.
    good_rows: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    unidata: str | None = Field(default=None, sa_column=_text(nullable=True))
    # A dry run's table of outcomes, until it is applied or expires; when it was applied.
    preview_table: str | None = Field(default=None, sa_column=_text(nullable=True))
    applied_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    # Names the sorted rows in the storage of uploads, while the import shares them with other workers.
    spool_id: UUID | None = Field(default=None, sa_column=Column(Uuid, nullable=True))
    # The table of the values that this import overwrote, until it expires; the result of an undo.
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


class ImportRange(SQLModel, table=True):
    """A range of keys that an import merges in one transaction: those behind the range before, up to `last_key`.

    `number` ascends with the keys. The last range has no `last_key`: it goes to the end. The ids of new products are
    numbered from `first_number` on; if it is null, as in imports begun before an upgrade, by their lines.
    `holder` writes it until `lease_until`: the job's id stands for the import's own worker. `fence` rises with each
    claim. Without a foreign key: ranges are deleted with the import's end or its file, and no import is ever deleted.
    """

    __tablename__ = "import_range"

    job_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    last_key: str | None = Field(default=None, sa_column=Column(Text(collation="C"), nullable=True))
    first_number: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    done_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    holder: UUID | None = Field(default=None, sa_column=Column(Uuid, nullable=True))
    fence: int = Field(default=0, sa_column=_count())
    lease_until: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


class ImportActionBatch(SQLModel, table=True):
    """Products that an action takes in one transaction: their ids, and how many they are.

    The ids of their events are numbered from `first_number` on. Without a foreign key, as `ImportRange`.
    """

    __tablename__ = "import_action_batch"

    job_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    product_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    products: int = Field(sa_column=Column(Integer, nullable=False))
    first_number: int = Field(sa_column=Column(BigInteger, nullable=False))
    done_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


class ImportRowError(SQLModel, table=True):
    """A row of a file that was not imported: its line, the reason, and its cells.

    Without a foreign key: PostgreSQL would check it for each of up to a million rows, and no import is ever deleted.
    """

    __tablename__ = "import_row_error"

    job_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    line: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    code: str = Field(sa_column=_text())
    reason: str = Field(sa_column=_text())
    # json, not jsonb: stored as it is, never searched.
    row: list[str] = Field(sa_column=Column(JSON, nullable=False))


class ImportRejectCount(SQLModel, table=True):
    """How many rows of an ended import were rejected with one code. Without a foreign key, as `ImportRowError`."""

    __tablename__ = "import_reject_count"
    __table_args__ = (
        Index("ix_import_reject_count_ended_at", "ended_at", postgresql_include=["code", "number", "job_id"]),
    )

    job_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    code: str = Field(sa_column=Column(Text, primary_key=True))
    number: int = Field(sa_column=Column(Integer, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=_moment(nullable=False))


class ImportRowPatch(SQLModel, table=True):
    """The edits of one row: new values by column name, and whether the row is left out. The file stays as it is.

    `characters` is how many the cells hold. Without a foreign key, as `ImportRowError`.
    """

    __tablename__ = "import_row_patch"

    job_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    line: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    cells: dict[str, str] = Field(default_factory=dict, sa_column=_json())
    characters: int = Field(default=0, sa_column=_count())
    is_skipped: bool = Field(default=False, sa_column=_flag())


class ImportMapping(SQLModel, table=True):
    """A saved column mapping: what each column becomes, for files with these columns."""

    __tablename__ = "import_mapping"

    header_key: str = Field(sa_column=Column(Text, primary_key=True))
    columns: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    accepted_at: datetime | None = Field(default=None, sa_column=_moment(nullable=False, server_default=func.now()))


class NamedMapping(SQLModel, table=True):
    """A column mapping that was saved under a name, for any file. `name_key` is the name without case."""

    __tablename__ = "import_named_mapping"

    name_key: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    name: str = Field(sa_column=_text())
    columns: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    updated_at: datetime | None = Field(default=None, sa_column=_moment(nullable=False, server_default=func.now()))


class ImportUndoKept(SQLModel, table=True):
    """A product that an undo did not change, because it was changed since the import."""

    __tablename__ = "import_undo_kept"

    job_id: UUID = Field(sa_column=Column(ForeignKey("import_job.id", ondelete="CASCADE"), primary_key=True))
    product_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    sku: str = Field(sa_column=_text())
    reason: str = Field(sa_column=_text())


class ImportUndoRestored(SQLModel, table=True):
    """After an undo, a product's `version` has the values of `as_version`, so an earlier import can be undone too.

    `job_id` is what was undone; null of undos before this was kept. `overwritten` has the values that the undo
    replaced, of the fields that differ. It is in the row of the greatest `as_version`: that which this undo restored.
    """

    __tablename__ = "import_undo_restored"

    product_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    as_version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    job_id: UUID | None = Field(default=None, sa_column=Column(Uuid, nullable=True))
    overwritten: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    restored_at: datetime | None = Field(default=None, sa_column=_moment(nullable=False, server_default=func.now()))
