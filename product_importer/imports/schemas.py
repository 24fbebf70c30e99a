"""Schemas of imports as the REST API shows them, and the queries that list them."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, computed_field

from product_importer.access.principal import Principal
from product_importer.core.pagination import Page, PageQuery
from product_importer.core.settings import settings
from product_importer.imports.action_schemas import StoredAction
from product_importer.imports.columns.header import IGNORED
from product_importer.imports.error_codes import ChangeOutcome, RowOutcome
from product_importer.imports.models import FINAL, ImportJob, ImportPhase, ImportStatus, UndoStatus
from product_importer.imports.options import ATTRIBUTE, IGNORE, Blank, Continuation, Duplicates, Mode, Scientific
from product_importer.imports.parsing.file_format import Format

# The types of fields that hold an enum. OpenAPI lists the values in place; FastAPI would give an enum its own schema.
if TYPE_CHECKING:
    AnyStatus = ImportStatus
    AnyPhase = ImportPhase
    AnyUndoStatus = UndoStatus
    AnyChange = ChangeOutcome
else:

    def _value_of(values: type[StrEnum]) -> Any:
        return Annotated[Literal[tuple(value.value for value in values)], AfterValidator(values)]

    AnyStatus = _value_of(ImportStatus)
    AnyPhase = _value_of(ImportPhase)
    AnyUndoStatus = _value_of(UndoStatus)
    AnyChange = _value_of(ChangeOutcome)

COUNTS = tuple(outcome.value for outcome in RowOutcome)
# The outcomes of rows, and what only an action on products does. They add up to the total of a completed job.
ALL_COUNTS = (*COUNTS, "deleted")

# The columns of a job's row that the API shows in another form.
CONVERTED = {"action", "choices", "format", "warnings", "started_by"}

# How the API names the columns that fill no product field.
COLUMN_WORDS = {"": ATTRIBUTE, IGNORED: IGNORE}


class ImportFailure(BaseModel):
    """Why an import failed; `line` is the physical line of the file where the error is, if it is in one."""

    code: str
    message: str
    line: int | None = None


class ImportWarning(BaseModel):
    """What the file was read with an assumption for; `count` is null for a warning about the file as a whole."""

    code: str
    count: int | None
    first_line: int | None
    message: str


class ImportChoices(BaseModel):
    """The options of an import that change its result."""

    mode: Mode = "upsert"
    duplicates: Duplicates = "last"
    blank: Blank = "clear"
    dry_run: bool = False
    continuation: Continuation = "reject"
    scientific: Scientific = "reject"


class ImportUndo(BaseModel):
    """Whether and until when an import can be undone, and the undo's counts of products.

    `requested_by` names the person or token that asked for the undo; null where nobody is known.
    """

    status: AnyUndoStatus
    requested_by: str | None = None
    until: datetime
    undone_at: datetime | None = None
    removed: int = 0
    restored: int = 0
    kept: int = 0


class ImportRead(BaseModel):
    """An import, or an action on products, which has `action` and no file: `filename` says what it does.

    `percent` never goes back; `total_rows` is null until it is known, `eta_seconds` until it is steady. The rows of
    an action are the products that it found; those that it left as they were are `unchanged`.

    `columns` maps each column of the file to a product field, "attribute", "attribute:NAME" or "ignore". `undo` is
    null where there is nothing to undo; `file_available` says whether the uploaded file is still stored.
    `started_by` names the person or token that uploaded the file, or that retried or applied the import last; null
    where nobody is known. `parent_id` is the import whose rejected rows this one imports again.
    """

    id: UUID
    parent_id: UUID | None = None
    action: StoredAction | None = None
    filename: str
    size_bytes: int
    sha256: str
    status: AnyStatus
    phase: AnyPhase
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
    deleted: int = 0
    error: ImportFailure | None
    warnings: list[ImportWarning]
    choices: ImportChoices
    format: Format
    columns: dict[str, str]
    file_available: bool
    undo: ImportUndo | None
    created_at: datetime
    started_by: str | None
    started_at: datetime | None
    finished_at: datetime | None
    applied_at: datetime | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def processed_rows(self) -> int:
        """Rows whose outcome is decided and stored: the sum of the six counts."""
        return sum(getattr(self, count) for count in ALL_COUNTS)

    @property
    def is_final(self) -> bool:
        """Whether nothing changes any more without a new request."""
        return self.status in FINAL and not (self.undo and self.undo.status == UndoStatus.PENDING)

    @classmethod
    def of(cls, job: ImportJob) -> Self:
        """Return the import of a job's row."""
        names = cls.model_fields.keys() & ImportJob.model_fields.keys() - CONVERTED
        failure = None
        if job.error_code is not None:
            failure = ImportFailure(code=job.error_code, message=job.error_message or "", line=job.error_line)
        return cls(
            **{name: getattr(job, name) for name in names},
            error=failure,
            warnings=[ImportWarning.model_validate(warning) for warning in job.warnings],
            choices=ImportChoices.model_validate(job.choices),
            format=Format.model_validate(job.format),
            columns=dict(zip(job.header, (COLUMN_WORDS.get(field, field) for field in job.fields), strict=True)),
            action=None if job.action is None else StoredAction.model_validate(job.action),
            file_available=job.file_deleted_at is None and job.action is None,
            started_by=Principal.of_stored(job.started_by).known_name,
            undo=_undo(job),
            rows_per_second=_speed(job) if job.status in FINAL else None,
        )


def _undo(job: ImportJob) -> ImportUndo | None:
    has_changed = job.created or job.updated or job.deleted
    if job.status not in FINAL or job.finished_at is None or not has_changed or _is_dry_run(job):
        return None
    until = job.finished_at + timedelta(days=settings().undo_days)
    return ImportUndo(
        status=_undo_status(job, until),
        requested_by=Principal.of_stored(job.undo_by).known_name,
        until=until,
        undone_at=job.undone_at,
        removed=job.undo_removed,
        restored=job.undo_restored,
        kept=job.undo_kept,
    )


def _undo_status(job: ImportJob, until: datetime) -> UndoStatus:
    if job.undo_status is not None:
        return UndoStatus(job.undo_status)
    is_possible = until > datetime.now(UTC) and job.undo_table is not None
    return UndoStatus.POSSIBLE if is_possible else UndoStatus.EXPIRED


def _is_dry_run(job: ImportJob) -> bool:
    return bool(job.choices.get("dry_run")) and job.applied_at is None


def _speed(job: ImportJob) -> int | None:
    if job.started_at is None or job.total_rows is None:
        return None
    seconds = ((job.finished_at or datetime.now(UTC)) - job.started_at).total_seconds()
    return round(job.total_rows / seconds) if seconds > 0 else None


class ImportQuery(PageQuery):
    """Which imports to list, newest first."""

    status: AnyStatus | None = None
    q: Annotated[
        str,
        # PostgreSQL texts hold no NUL: it would fail the whole query.
        Field(
            max_length=255,
            pattern=r"^[^\x00]*$",
            description="Only files whose name contains this text, in any case.",
        ),
    ] = ""


class ChangesQuery(PageQuery):
    """Which changes of a dry run to list, in the order of the file's lines."""

    outcome: AnyChange | None = None


class FieldChange(BaseModel):
    """One field or attribute before and after the change; null where it has no value."""

    field: str
    before: str | bool | None
    after: str | bool | None


class ImportChange(BaseModel):
    """What a dry run would change in one product. `is_outdated`: the product was changed since the dry run."""

    line: int
    sku: str
    outcome: AnyChange
    product_id: UUID | None
    is_outdated: bool
    changes: list[FieldChange]


class UndoKept(BaseModel):
    """A product that an undo did not change, and why."""

    product_id: UUID
    sku: str
    reason: str


class ImportAccepted(BaseModel):
    """The response to an accepted upload or action."""

    job_id: UUID
    status: Literal[ImportStatus.PENDING] = ImportStatus.PENDING


ImportPage = Page[ImportRead]
ChangesPage = Page[ImportChange]
UndoKeptPage = Page[UndoKept]
