"""What the import pages show, in the words and numbers that they show."""

from dataclasses import dataclass, field
from typing import Self

from product_importer.core.errors import DomainError
from product_importer.core.problem_types import ProblemType
from product_importer.imports.columns.header import FIELDS
from product_importer.imports.options import ATTRIBUTE, IGNORE
from product_importer.imports.pages import labels
from product_importer.imports.schemas import FINAL, ImportRead, ImportUndo
from product_importer.ui.formatting import DASH, duration, number, size

TONES = {
    "completed": "good",
    "previewed": "good",
    "failed": "bad",
    "cancelled": "neutral",
    "pending": "neutral",
    "processing": "busy",
}
STEPS = {
    "waiting": "Waiting for a worker",
    "indexing": "Looking for duplicates",
    "previewing": "Comparing with the catalogue",
    "merging": "Writing products",
    "finished": "Finishing",
}
HINTS = {ProblemType.NOT_TEXT: "On this page: choose its encoding under Choices, then import it again."}
# So many names of columns are told before the rest is only counted.
NAMES_TOLD = 12


@dataclass(frozen=True)
class Fact:
    """Something to know about an import, with its name."""

    label: str = ""
    value: str = ""


@dataclass(frozen=True)
class UndoView:
    """Whether an import can be taken back, or what became of that; `status` is empty where there is nothing to."""

    status: str = ""
    until: str = ""
    result: str = ""
    has_kept: bool = False

    @classmethod
    def of(cls, undo: ImportUndo | None) -> Self:
        """Return `undo` as the page shows it."""
        if undo is None:
            return cls()
        return cls(undo.status, undo.until.isoformat(), _undone(undo), undo.status == "undone" and undo.kept > 0)


@dataclass(frozen=True)
class ImportView:
    """An import in the words and numbers that the page shows."""

    id: str = ""
    filename: str = ""
    size: str = ""
    status: str = ""
    tone: str = "neutral"
    doing: str = ""
    percent: int = 0
    processed: str = DASH
    total: str = DASH
    created: str = DASH
    updated: str = DASH
    unchanged: str = DASH
    duplicates: str = DASH
    rejected: str = DASH
    has_rejects: bool = False
    has_duplicates: bool = False
    error: str = ""
    stopped: str = ""
    created_at: str = ""
    applied_at: str = ""
    took: str = ""
    speed: str = ""
    is_running: bool = False
    # A trial changes nothing, until it is applied.
    is_dry_run: bool = False
    can_retry: bool = False
    can_apply: bool = False
    file_gone: bool = False
    unusual: list[str] = field(default_factory=list)
    choices: list[Fact] = field(default_factory=list)
    format: str = ""
    is_format_guessed: bool = False
    columns: list[Fact] = field(default_factory=list)
    other_columns: list[str] = field(default_factory=list)
    undo: UndoView = UndoView()

    @classmethod
    def of(cls, job: ImportRead) -> Self:
        """Return `job` as the page shows it."""
        is_over, has_stopped = job.status in FINAL, job.status in ("failed", "cancelled")
        is_dry_run = job.choices.dry_run and job.applied_at is None
        return cls(
            id=str(job.id),
            filename=job.filename,
            size=size(job.size_bytes),
            status=job.status,
            tone=TONES[job.status],
            doing=_doing(job),
            percent=int(job.percent),
            processed=number(job.processed_rows),
            total=number(job.total_rows),
            created=number(job.created),
            updated=number(job.updated),
            unchanged=number(job.unchanged),
            duplicates=number(job.duplicates),
            rejected=number(job.rejected),
            has_rejects=is_over and job.rejected > 0,
            has_duplicates=is_over and job.duplicates > 0,
            error=_error(job),
            stopped=_stopped(job, is_dry_run) if has_stopped and not _is_undone(job) else "",
            created_at=job.created_at.isoformat(),
            applied_at=job.applied_at.isoformat() if job.applied_at else "",
            took=_took(job),
            speed=_speed(job).replace("rows per second", "rows/s") if is_over else "",
            is_running=not is_over,
            is_dry_run=is_dry_run,
            can_retry=_can_retry(job),
            can_apply=job.status == "previewed",
            file_gone=has_stopped and not job.file_available,
            unusual=_unusual(job),
            choices=[Fact(*pair) for pair in labels.chosen(job.choices)],
            format=labels.read_as(job.format),
            is_format_guessed=job.format.is_guessed,
            columns=_columns(job.columns),
            other_columns=_other_columns(job.columns),
            undo=UndoView.of(job.undo),
        )


@dataclass(frozen=True)
class Refusal:
    """Why something was not done, what it is about, and where to look instead."""

    title: str = ""
    detail: str = ""
    points: list[str] = field(default_factory=list)
    running: str = ""
    tone: str = "bad"
    # Where on the page help is; the refusal's own words are for programs, too.
    hint: str = ""

    @classmethod
    def of(cls, error: DomainError) -> Self:
        """Put a domain error into words."""
        examples = [str(example) for example in error.extra.get("examples") or ()]
        job_id = error.extra.get("job_id")
        return cls(
            error.title,
            error.detail,
            examples,
            f"/imports/{job_id}" if job_id else "",
            hint=HINTS.get(error.kind, ""),
        )


def counted(count: int, thing: str) -> str:
    """A number of things; `thing` names one of them."""
    return f"{count:,} {thing if count == 1 else f'{thing}s'}"


def _doing(job: ImportRead) -> str:
    """What is happening now, how fast, and how long it will take; or how long it took."""
    is_over = job.status in FINAL
    if is_over:
        took = [f"Took {_took(job)}"] if _took(job) else []
    else:
        reading = f"Reading the file, {job.rows_read:,} rows so far"
        took = [reading if job.phase == "reading" else STEPS.get(job.phase, "Working")]
    left = [] if is_over or job.eta_seconds is None else [f"about {duration(job.eta_seconds)} left"]
    return " · ".join([*took, *([_speed(job)] if _speed(job) else []), *left])


def _took(job: ImportRead) -> str:
    if job.started_at is None or job.finished_at is None:
        return ""
    return duration((job.finished_at - job.started_at).total_seconds())


def _speed(job: ImportRead) -> str:
    return f"{job.rows_per_second:,} rows per second" if job.rows_per_second else ""


def _error(job: ImportRead) -> str:
    if job.error is None:
        return ""
    return job.error.message if job.error.line is None else f"Line {job.error.line:,}: {job.error.message}"


def _can_retry(job: ImportRead) -> bool:
    """Whether an import can go on where it stopped, or a trial look again."""
    return job.status in ("failed", "cancelled", "previewed") and job.file_available and not _is_undone(job)


def _is_undone(job: ImportRead) -> bool:
    """Whether it was taken back, or is just being so."""
    return job.undo is not None and job.undo.status in ("pending", "undone")


def _stopped(job: ImportRead, is_dry_run: bool) -> str:
    """What an import that did not reach its end has left in the catalogue."""
    inside = job.created + job.updated + job.unchanged
    if is_dry_run:
        return "Stopped: it was a trial, and the catalogue is as it was."
    if inside == 0:
        return "Stopped: nothing of the file is in the catalogue."
    of_all = "" if job.total_rows is None else f" of {job.total_rows:,}"
    return f"Stopped: {inside:,}{of_all} rows are in the catalogue."


def _unusual(job: ImportRead) -> list[str]:
    kind = [] if not job.choices.dry_run else ["trial" if job.applied_at is None else "trial, applied"]
    return kind + labels.unusual(job.choices.mode, job.choices.duplicates, job.choices.blank)


def _columns(columns: dict[str, str]) -> list[Fact]:
    """Return each field that the file has, and its column, unless that has the field's own name."""
    fields = [(target, name) for name, target in columns.items() if target in FIELDS]
    return [Fact(field, "" if name.casefold() == field else name) for field, name in fields]


def _other_columns(columns: dict[str, str]) -> list[str]:
    """What became of the columns that fill no field, kind by kind."""
    found = []
    for target, fate in ((ATTRIBUTE, "kept as attributes"), (IGNORE, "left out")):
        names = [name or "(no name)" for name, given in columns.items() if given == target]
        if names:
            told = ", ".join(names[:NAMES_TOLD]) + (", …" if len(names) > NAMES_TOLD else "")
            found.append(f"{counted(len(names), 'column')} {fate}: {told}")
    return found


def _undone(undo: ImportUndo) -> str:
    kept = f", {undo.kept:,} kept because changed since" if undo.kept else ""
    return f"{undo.removed:,} removed, {undo.restored:,} restored{kept}"
