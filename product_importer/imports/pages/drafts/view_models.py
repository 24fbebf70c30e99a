"""View models of a draft: its file, its columns, and how it is read."""

from dataclasses import dataclass, field
from typing import Self

from product_importer.core.problem_types import ProblemType
from product_importer.imports.columns.header import FIELDS
from product_importer.imports.drafts.schemas import DraftColumn, DraftError, DraftPreview, DraftRead, Found
from product_importer.imports.options import IGNORE
from product_importer.imports.pages import labels
from product_importer.ui.formatting import size

# What a select shows for an attribute with a name of one's choice.
NAMED = "named"
NAMED_PREFIX = "attribute:"
TEXT_KINDS = ("csv",)
# What becomes of rows that continue the product above.
OUTCOMES = {
    "reject": "Such rows are rejected; you can fill or skip them instead.",
    "fill": "Such rows take the product's name and description; those without an SKU of their own are skipped.",
    "skip": "Such rows are skipped.",
}


@dataclass(frozen=True)
class DraftView:
    """A draft as the pages show it; `percent` is what has arrived of its file."""

    id: str = ""
    filename: str = ""
    status: str = ""
    size: str = ""
    percent: int = 0
    will_start: str = ""
    created_at: str = ""
    # Whether sending the file again does not help.
    is_refused: bool = False

    @classmethod
    def of(cls, draft: DraftRead) -> Self:
        """Return `draft` as the pages show it."""
        whole = draft.expected_bytes or draft.size_bytes
        return cls(
            str(draft.id),
            draft.filename,
            draft.status,
            size(whole),
            percent=min(100, draft.size_bytes * 100 // whole) if whole else 0,
            will_start=draft.will_start or "",
            created_at=draft.created_at.isoformat(),
            is_refused=draft.error is not None,
        )


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be imported as it is, and the address of the running import of the same file."""

    title: str = ""
    detail: str = ""
    tone: str = "bad"
    import_address: str = ""

    @classmethod
    def of(cls, error: DraftError) -> Self:
        """Return `error` as the page shows it."""
        job_id = error.extra.get("job_id")
        # The likely encodings are shown to choose from.
        asks = bool(error.extra.get("encodings"))
        hint = HINTS.get(error.type, "")
        return cls(
            error.title,
            ASK_ENCODING if asks else f"{error.detail} {hint}".strip(),
            "warning" if asks or job_id else "bad",
            f"/imports/{job_id}" if job_id else "",
        )


# Where on the page an error can be fixed, by the error's kind: its own text is for REST clients, too.
HINTS = {ProblemType.NOT_TEXT: "If it is one, choose its encoding under “How the file is read”."}
ASK_ENCODING = "It is not UTF-8, and nothing in it says how its text is encoded. Choose how it reads right."


def problem_of(error: DraftError | None, preview: DraftPreview) -> Problem:
    """Return why a file cannot be imported; without a title if it can. `error` is what its draft met before."""
    if preview.missing and (error is None or error.type == ProblemType.INVALID_CSV_HEADER):
        sheet = ", or another sheet of the workbook" if len(preview.sheets) > 1 else ""
        names = ", ".join(preview.missing)
        missing = f"Missing columns: {names}. Choose below which columns of the file they are{sheet}."
        return Problem("Which columns are these?", missing, "warning")
    if found := error or preview.error:
        return Problem.of(found)
    return Problem("The columns do not fit", preview.problem, "warning") if preview.problem else Problem()


@dataclass(frozen=True)
class ColumnView:
    """A column of the file, and what it becomes; `target` is a value of the select of its row."""

    position: int = 0
    name: str = ""
    samples: list[str] = field(default_factory=list)
    target: str = ""
    attribute: str = ""
    found: str = ""

    @classmethod
    def of(cls, column: DraftColumn) -> Self:
        """Return `column` as the page shows it."""
        is_named = column.target.startswith(NAMED_PREFIX)
        return cls(
            column.position,
            column.name,
            column.samples,
            NAMED if is_named else column.target,
            column.target.removeprefix(NAMED_PREFIX) if is_named else "",
            column.found,
        )


@dataclass(frozen=True)
class EncodingView:
    """An encoding's option and label, and the first lines that it makes a difference to."""

    name: str = ""
    label: str = ""
    lines: list[str] = field(default_factory=list)

    @classmethod
    def all_of(cls, error: DraftError | None) -> list[Self]:
        """Return the likely encodings that an error names; empty where it names none."""
        found = error.extra.get("encodings") or [] if error else []
        return [cls(one["encoding"], labels.ENCODINGS[one["encoding"]], list(one["preview"])) for one in found]


@dataclass(frozen=True)
class ReadingView:
    """How a file is read: what was found is the text of the options that detect it."""

    is_text: bool = True
    encoding: str = "Detect automatically"
    delimiter: str = "Detect automatically"
    header_line: str = ""
    header_note: str = ""
    sheet: str = "The first visible one"
    sheets: list[str] = field(default_factory=list)
    has_header_line: bool = True
    continuations: str = ""
    warnings: list[str] = field(default_factory=list)
    is_whole: bool = True
    rows: int = 0

    @classmethod
    def of(cls, preview: DraftPreview, continuation: str) -> Self:
        """Return how the file of `preview` is read, with rows that continue the product above as `continuation`."""
        line = preview.header_line
        separator = labels.SEPARATORS.get(preview.delimiter, preview.delimiter)
        return cls(
            is_text=preview.kind in ("", *TEXT_KINDS),
            encoding=f"Detected: {labels.encoding(preview.encoding)}" if preview.encoding else cls.encoding,
            delimiter=f"Detected: {separator}" if separator else cls.delimiter,
            header_line="" if line is None else str(line),
            header_note=_header_note(line),
            sheet=f"First visible: {preview.sheet}" if preview.sheet else cls.sheet,
            sheets=preview.sheets,
            has_header_line=preview.kind not in ("json", "jsonl", "parquet"),
            continuations=_continuations(preview, continuation),
            warnings=preview.warnings,
            is_whole=preview.is_whole,
            rows=preview.sample_rows,
        )


def targets(columns: list[DraftColumn], position: int, target: str) -> dict[str, str]:
    """Return the targets of all columns, as in `ImportOptions.columns`, once the one at `position` has another.

    A product field has one column: the one that had it is an attribute then.
    """
    chosen: dict[str, str] = {}
    for column in columns:
        if column.position == position:
            chosen[column.name] = target
        elif column.target == target and target in FIELDS:
            chosen[column.name] = "attribute"
        elif column.target in FIELDS or column.target == IGNORE or column.found in (Found.CHOSEN, Found.REMEMBERED):
            chosen[column.name] = column.target
    return {name: value for name, value in chosen.items() if name}


def with_targets(columns: list[DraftColumn], chosen: dict[str, str]) -> list[DraftColumn]:
    """Return the columns as they are after a choice."""

    def changed(column: DraftColumn) -> DraftColumn:
        target = chosen.get(column.name, column.target)
        return (
            column if target == column.target else column.model_copy(update={"target": target, "found": Found.CHOSEN})
        )

    return [changed(column) for column in columns]


def _header_note(line: int | None) -> str:
    if line is None or line == 1:
        return ""
    if line == 0:
        return "The file has no line with column names: its columns are numbered."
    return f"The column names are in line {line:,}. The lines above it are not imported."


def _continuations(preview: DraftPreview, continuation: str) -> str:
    count = preview.continuations
    if not count:
        return ""
    some = "1 has no name and continues" if count == 1 else f"{count} have no name and continue"
    outcome = OUTCOMES.get(continuation, OUTCOMES["reject"])
    return f"Of the first {preview.sample_rows} rows, {some} the product above, as variants and images do. {outcome}"
