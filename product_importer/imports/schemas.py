"""What an import looks like from outside."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, computed_field

from product_importer.core.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page
from product_importer.imports.models import ImportJob

Status = Literal["pending", "processing", "completed", "failed", "cancelled", "previewed"]
Phase = Literal["waiting", "reading", "indexing", "merging", "finished"]

# What becomes of a row: every row of a file ends in exactly one of these.
COUNTS = ("created", "updated", "unchanged", "duplicates", "rejected")

FINAL: frozenset[str] = frozenset({"completed", "failed", "cancelled", "previewed"})


class ImportFailure(BaseModel):
    """Why an import failed; `line` is the physical line of the file, where one is to blame."""

    code: str
    message: str
    line: int | None = None


class ImportRead(BaseModel):
    """An import as the API answers it. `percent` never goes back; `total_rows` is null until it is known."""

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
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def processed_rows(self) -> int:
        """Rows whose outcome is decided and stored: the sum of the five counts."""
        return self.created + self.updated + self.unchanged + self.duplicates + self.rejected

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in FINAL

    @classmethod
    def of(cls, job: ImportJob) -> Self:
        """Return the job's row as it is seen from outside."""
        names = cls.model_fields.keys() & ImportJob.model_fields.keys()
        failure = None
        if job.error_code is not None:
            failure = ImportFailure(code=job.error_code, message=job.error_message or "", line=job.error_line)
        return cls(
            **{name: getattr(job, name) for name in names},
            error=failure,
            rows_per_second=_speed(job) if job.status in FINAL else None,
        )


def _speed(job: ImportJob) -> int | None:
    if job.started_at is None or job.total_rows is None:
        return None
    seconds = ((job.finished_at or datetime.now(UTC)) - job.started_at).total_seconds()
    return round(job.total_rows / seconds) if seconds > 0 else None


class ImportQuery(BaseModel):
    """Which imports to list, newest first."""

    page: Annotated[int, Field(ge=1, le=100_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE
    status: Status | None = None


class ImportAccepted(BaseModel):
    """The answer to an accepted upload."""

    job_id: UUID
    status: Literal["pending"] = "pending"


ImportPage = Page[ImportRead]
