"""What an import looks like from outside."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, computed_field

from product_importer.core.pagination import Page, PageQuery
from product_importer.core.settings import settings
from product_importer.imports.columns.header import IGNORED
from product_importer.imports.models import ImportJob
from product_importer.imports.options import ATTRIBUTE, IGNORE, Blank, Duplicates, Mode
from product_importer.imports.parsing.file_format import Format

Status = Literal["pending", "processing", "completed", "failed", "cancelled", "previewed"]
Phase = Literal["waiting", "reading", "indexing", "previewing", "merging", "finished"]
UndoStatus = Literal["possible", "pending", "undone", "expired"]

# What becomes of a row: every row of a file ends in exactly one of these.
COUNTS = ("created", "updated", "unchanged", "duplicates", "rejected")

# What the fields of a header that are no product's fields are called outside.
COLUMN_WORDS = {"": ATTRIBUTE, IGNORED: IGNORE}

FINAL: frozenset[str] = frozenset({"completed", "failed", "cancelled", "previewed"})


class ImportFailure(BaseModel):
    """Why an import failed; `line` is the physical line of the file, where one is to blame."""

    code: str
    message: str
    line: int | None = None


class ImportChoices(BaseModel):
    """What was chosen for an import."""

    mode: Mode = "upsert"
    duplicates: Duplicates = "last"
    blank: Blank = "clear"
    dry_run: bool = False


class ImportUndo(BaseModel):
    """Whether an import can be taken back until when, and what became of it: counts of products."""

    status: UndoStatus
    until: datetime
    undone_at: datetime | None = None
    removed: int = 0
    restored: int = 0
    kept: int = 0


class ImportRead(BaseModel):
    """An import as the API answers it. `percent` never goes back; `total_rows` is null until it is known.

    `columns` says what each column of the file is: a product's field, "attribute" or "ignore". `undo` is null
    where there is nothing to take back; `file_available` says whether the uploaded file is still kept.
    """

    id: UUID
    filename: str
    size_bytes: int
    sha256: str
    status: Status
    phase: Phase
    percent: Annotated[float, Field(ge=0, le=100)]
    eta_seconds: float | None = None
    rows_per_second: int | None = None
    rows_read: int
    total_rows: int | None
    created: int
    updated: int
    unchanged: int
    duplicates: int
    rejected: int
    error: ImportFailure | None
    choices: ImportChoices
    format: Format
    columns: dict[str, str]
    file_available: bool
    undo: ImportUndo | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    applied_at: datetime | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def processed_rows(self) -> int:
        """Rows whose outcome is decided and stored: the sum of the five counts."""
        return self.created + self.updated + self.unchanged + self.duplicates + self.rejected

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more, unless somebody asks for it."""
        return self.status in FINAL and not (self.undo and self.undo.status == "pending")

    @classmethod
    def of(cls, job: ImportJob) -> Self:
        """Return the job's row as it is seen from outside."""
        names = cls.model_fields.keys() & ImportJob.model_fields.keys() - {"choices", "format"}
        failure = None
        if job.error_code is not None:
            failure = ImportFailure(code=job.error_code, message=job.error_message or "", line=job.error_line)
        return cls(
            **{name: getattr(job, name) for name in names},
            error=failure,
            choices=ImportChoices.model_validate(job.choices),
            format=Format.model_validate(job.format),
            columns=dict(zip(job.header, (COLUMN_WORDS.get(field, field) for field in job.fields), strict=True)),
            file_available=job.file_deleted_at is None,
            undo=_undo(job),
            rows_per_second=_speed(job) if job.status in FINAL else None,
        )


def _undo(job: ImportJob) -> ImportUndo | None:
    if job.status not in FINAL or job.finished_at is None or not (job.created or job.updated) or _is_dry_run(job):
        return None
    until = job.finished_at + timedelta(days=settings().undo_days)
    return ImportUndo(
        status=_undo_status(job, until),
        until=until,
        undone_at=job.undone_at,
        removed=job.undo_removed,
        restored=job.undo_restored,
        kept=job.undo_kept,
    )


def _undo_status(job: ImportJob, until: datetime) -> UndoStatus:
    if job.undo_status is not None:
        return "pending" if job.undo_status == "pending" else "undone"
    return "possible" if until > datetime.now(UTC) and job.undo_table is not None else "expired"


def _is_dry_run(job: ImportJob) -> bool:
    return bool(job.choices.get("dry_run")) and job.applied_at is None


def _speed(job: ImportJob) -> int | None:
    if job.started_at is None or job.total_rows is None:
        return None
    seconds = ((job.finished_at or datetime.now(UTC)) - job.started_at).total_seconds()
    return round(job.total_rows / seconds) if seconds > 0 else None


class ImportQuery(PageQuery):
    """Which imports to list, newest first."""

    status: Status | None = None
    q: Annotated[
        str,
        # PostgreSQL holds no NUL, and would refuse the whole question over one.
        Field(
            max_length=255, pattern=r"^[^\x00]*$", description="Only files whose name holds this text, in any case."
        ),
    ] = ""


class ChangesQuery(PageQuery):
    """Which of a trial's outcomes to list, in the order of the file's lines."""

    outcome: Literal["created", "updated"] | None = None


class FieldChange(BaseModel):
    """One field, before and after; `before` is null where there was none. Attributes bear their own names."""

    field: str
    before: str | bool | None
    after: str | bool | None


class ImportChange(BaseModel):
    """What a trial would do with one product. `is_outdated`: somebody has changed the product since."""

    line: int
    sku: str
    outcome: Literal["created", "updated"]
    product_id: UUID | None
    is_outdated: bool
    changes: list[FieldChange]


class UndoKept(BaseModel):
    """A product that an undo left as it was, and why."""

    product_id: UUID
    sku: str
    reason: str


class ImportAccepted(BaseModel):
    """The answer to an accepted upload."""

    job_id: UUID
    status: Literal["pending"] = "pending"


ImportPage = Page[ImportRead]
ChangesPage = Page[ImportChange]
UndoKeptPage = Page[UndoKept]
