"""View models of imports: the texts and numbers that the pages show."""

from dataclasses import dataclass, field
from typing import Self

from product_importer.imports.columns.attribute_names import chosen_name
from product_importer.imports.columns.header import FIELDS
from product_importer.imports.models import FINAL, RETRYABLE, ImportPhase, ImportStatus, UndoStatus
from product_importer.imports.options import ATTRIBUTE, IGNORE
from product_importer.imports.pages import action_words, labels, result_words
from product_importer.imports.pages.bar_view import BarView
from product_importer.imports.pages.result_words import counted, is_dry_run, is_undone
from product_importer.imports.pages.warning_view import WarningView
from product_importer.imports.schemas import ImportRead, ImportUndo
from product_importer.ui import routes
from product_importer.ui.formatting import DASH, duration, number, size

STEPS = {
    ImportPhase.WAITING: "Waiting for a worker",
    ImportPhase.INDEXING: "Looking for duplicates",
    ImportPhase.PREVIEWING: "Comparing with the catalogue",
    ImportPhase.MERGING: "Writing products",
    ImportPhase.FINISHED: "Finishing",
}
MAX_COLUMN_NAMES = 12


@dataclass(frozen=True)
class Fact:
    """A label and its value."""

    label: str = ""
    value: str = ""


@dataclass(frozen=True)
class UndoView:
    """Whether an import can be undone, or the undo's result; `status` is empty where there is nothing to undo."""

    status: str = ""
    until: str = ""
    result: str = ""
    has_kept: bool = False

    @classmethod
    def of(cls, undo: ImportUndo | None, *, is_of_action: bool = False) -> Self:
        """Return `undo` as the page shows it."""
        if undo is None:
            return cls()
        return cls(
            undo.status,
            undo.until.isoformat(),
            _undone(undo, is_of_action),
            undo.status == UndoStatus.UNDONE and undo.kept > 0,
        )


@dataclass(frozen=True)
class ImportView:
    """An import as the pages show it."""

    id: str = ""
    # The import whose rejected rows it imports again, and how many forebears stand above it in the history.
    parent: str = ""
    depth: int = 0
    filename: str = ""
    # What an action on products does (`ActionKind`), with which of them; empty for an import.
    action: str = ""
    action_products: str = ""
    action_values: list[Fact] = field(default_factory=list)
    size: str = ""
    status: str = ""
    # The step of the five that it is at.
    step: str = ""
    tone: str = "neutral"
    # What it has done, in words, once it has ended.
    result: str = ""
    # The two parts of it: what was done, and how many rows need somebody.
    done: str = ""
    needs: str = ""
    doing: str = ""
    percent: int = 0
    bar: BarView = field(default_factory=BarView)
    processed: str = DASH
    total: str = DASH
    created: str = DASH
    updated: str = DASH
    unchanged: str = DASH
    duplicates: str = DASH
    rejected: str = DASH
    deleted: str = "0"
    has_rejects: bool = False
    # The address of the products that it created; empty where there are none.
    created_address: str = ""
    sha256: str = ""
    has_duplicates: bool = False
    error: str = ""
    warnings: list[WarningView] = field(default_factory=list)
    stopped: str = ""
    created_at: str = ""
    # The person or token that started it; empty where nobody is known.
    started_by: str = ""
    applied_at: str = ""
    took: str = ""
    speed: str = ""
    is_running: bool = False
    # A dry run that was not applied.
    is_dry_run: bool = False
    can_retry: bool = False
    can_apply: bool = False
    file_gone: bool = False
    changed_options: list[str] = field(default_factory=list)
    options: list[Fact] = field(default_factory=list)
    format: str = ""
    is_format_guessed: bool = False
    columns: list[Fact] = field(default_factory=list)
    other_columns: list[str] = field(default_factory=list)
    undo: UndoView = UndoView()

    @classmethod
    def of(cls, job: ImportRead) -> Self:
        """Return `job` as the page shows it."""
        is_over, has_stopped = job.status in FINAL, job.status in (ImportStatus.FAILED, ImportStatus.CANCELLED)
        return cls(
            id=str(job.id),
            parent=str(job.parent_id or ""),
            filename=job.filename,
            action="" if job.action is None else job.action.kind,
            action_products="" if job.action is None else action_words.products(job.action),
            action_values=[] if job.action is None else [Fact(*pair) for pair in action_words.values(job.action)],
            size=size(job.size_bytes),
            status=job.status,
            step=_step(job),
            tone=result_words.tone(job),
            result=result_words.result(job),
            done=result_words.done(job),
            needs=result_words.needs(job),
            doing=_doing(job),
            percent=int(job.percent),
            bar=BarView.of(job, is_dry_run=is_dry_run(job)),
            processed=number(job.processed_rows),
            total=number(job.total_rows),
            created=number(job.created),
            updated=number(job.updated),
            unchanged=number(job.unchanged),
            duplicates=number(job.duplicates),
            rejected=number(job.rejected),
            deleted=number(job.deleted),
            created_address=_created_address(job),
            sha256=job.sha256,
            has_rejects=is_over and job.rejected > 0,
            has_duplicates=is_over and job.duplicates > 0,
            error=_error(job),
            warnings=list(map(WarningView.of, job.warnings)),
            stopped=_stopped(job) if has_stopped and not is_undone(job) else "",
            created_at=job.created_at.isoformat(),
            started_by=job.started_by or "",
            applied_at=job.applied_at.isoformat() if job.applied_at else "",
            took=_took(job),
            speed=_speed(job).replace(" per second", "/s") if is_over else "",
            is_running=not is_over,
            is_dry_run=is_dry_run(job),
            can_retry=_can_retry(job),
            can_apply=job.status == ImportStatus.PREVIEWED,
            file_gone=has_stopped and not job.file_available and job.action is None,
            changed_options=_changed_options(job),
            options=[Fact(*pair) for pair in labels.all_options(job.choices)],
            format=labels.read_as(job.format),
            is_format_guessed=job.format.is_guessed,
            columns=_columns(job.columns),
            other_columns=_other_columns(job.columns),
            undo=UndoView.of(job.undo, is_of_action=job.action is not None),
        )


def _created_address(job: ImportRead) -> str:
    is_shown = job.created and job.status in FINAL and not is_dry_run(job) and not is_undone(job)
    return f"{routes.PRODUCTS}?import={job.id}" if is_shown else ""


def _step(job: ImportRead) -> str:
    """Return the step that an import is at, a key of `steps.STEPS`."""
    if job.status not in FINAL:
        return "check" if is_dry_run(job) else "import"
    return "check" if job.status == ImportStatus.PREVIEWED else "result"


def _doing(job: ImportRead) -> str:
    """Return the current step, the speed and the time left; of an ended import, how long it took."""
    if job.status in FINAL:
        parts = [f"Took {_took(job)}" if _took(job) else "", _speed(job)]
    else:
        reading = f"Reading the file, {job.rows_read:,} rows so far" if job.action is None else "Finding the products"
        step = reading if job.phase == ImportPhase.READING else STEPS.get(job.phase, "Working")
        left = "" if job.eta_seconds is None else f"about {duration(job.eta_seconds)} left"
        parts = [step, _speed(job), left]
    return " · ".join(filter(None, parts))


def _took(job: ImportRead) -> str:
    if job.started_at is None or job.finished_at is None:
        return ""
    return duration((job.finished_at - job.started_at).total_seconds())


def _speed(job: ImportRead) -> str:
    unit = "rows" if job.action is None else "products"
    return f"{job.rows_per_second:,} {unit} per second" if job.rows_per_second else ""


def _error(job: ImportRead) -> str:
    if job.error is None:
        return ""
    return job.error.message if job.error.line is None else f"Line {job.error.line:,}: {job.error.message}"


def _can_retry(job: ImportRead) -> bool:
    """Whether an import can be continued, or a dry run repeated."""
    has_what_it_needs = job.file_available or job.action is not None
    return job.status in RETRYABLE and has_what_it_needs and not is_undone(job)


def _stopped(job: ImportRead) -> str:
    """Say what a failed or cancelled import has left in the catalogue."""
    if job.action is not None:
        return action_words.stopped(job, job.action)
    merged = job.created + job.updated + job.unchanged
    if is_dry_run(job):
        return "Stopped: it was a dry run, and the catalogue was not changed."
    if merged == 0:
        return "Stopped: no rows of the file are in the catalogue."
    of_all = "" if job.total_rows is None else f" of {job.total_rows:,}"
    return f"Stopped: {merged:,}{of_all} rows are in the catalogue."


def _changed_options(job: ImportRead) -> list[str]:
    kind = [] if not job.choices.dry_run else ["dry run" if job.applied_at is None else "dry run, applied"]
    return kind + labels.changed_options(job.choices.model_dump())


def _columns(columns: dict[str, str]) -> list[Fact]:
    """Return each field that the file has, with its column where that has another name."""
    fields = [(target, name) for name, target in columns.items() if target in FIELDS]
    return [Fact(field, "" if name.casefold() == field else name) for field, name in fields]


def _other_columns(columns: dict[str, str]) -> list[str]:
    """Describe the columns that became attributes, and those that were ignored."""
    lines = []
    for target, result in ((ATTRIBUTE, "kept as attributes"), (IGNORE, "ignored")):
        names = [
            (name or "(no name)") + (f" as {chosen}" if (chosen := chosen_name(given)) else "")
            for name, given in columns.items()
            if given.partition(":")[0] == target
        ]
        if names:
            shown = ", ".join(names[:MAX_COLUMN_NAMES]) + (", …" if len(names) > MAX_COLUMN_NAMES else "")
            lines.append(f"{counted(len(names), 'column')} {result}: {shown}")
    return lines


def _undone(undo: ImportUndo, is_of_action: bool) -> str:
    kept = f", {undo.kept:,} kept because changed since" if undo.kept else ""
    by = f" · by {undo.requested_by}" if undo.requested_by else ""
    # An action creates nothing.
    removed = "" if is_of_action else f"{undo.removed:,} removed, "
    return f"{removed}{undo.restored:,} restored{kept}{by}"
