"""Edit rows of a dry run or rejected ones. Services never commit: the caller owns the transaction."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlmodel import Session

from product_importer.access.audit import AuditAction
from product_importer.core.errors import Conflict, invalid_fields, unknown_field
from product_importer.core.problem_types import ProblemType
from product_importer.imports import events, jobs
from product_importer.imports.edits import patches
from product_importer.imports.edits.judging import Judge
from product_importer.imports.edits.schemas import (
    MAX_EDITED_ROWS,
    MAX_SHOWN_ROWS,
    EditedRows,
    ReasonEdit,
    RowChange,
    RowEdit,
    RowsEdit,
)
from product_importer.imports.edits.stored_rows import StoredRow, StoredRows
from product_importer.imports.models import ImportJob, ImportStatus
from product_importer.imports.pipeline.row_edits import RowPatch


def edit_rows(session: Session, job_id: UUID, edit: RowsEdit) -> EditedRows:
    """Store edits of rows, and return how each row is judged now.

    Raises:
        NotFound: there is no such import.
        Conflict: it is neither a finished dry run nor an import with rejected rows, or its file was deleted; or
            products were changed since the dry run.
        Unprocessable: a line or a column does not exist, or there are too many edits.
    """
    job = jobs.lock(session, job_id)
    _check_editable(job)
    editor = _Editor(session, job)
    editor.edit_lines(edit.rows)
    for place, reason in enumerate(edit.reasons):
        editor.edit_reason(place, reason)
    if editor.changed:
        events.record_action(session, AuditAction.IMPORT_ROWS_EDITED, job, rows=editor.changed)
    return editor.answer


def _check_editable(job: ImportJob) -> None:
    has_rejects = job.status == ImportStatus.COMPLETED and job.rejected and job.undo_status is None
    is_shown = job.status == ImportStatus.PREVIEWED and job.preview_table is not None
    if not (has_rejects or is_shown):
        raise Conflict(
            f"The import is {jobs.state(job)}: only rows of a finished dry run, and rejected rows of a completed "
            "import, can be edited.",
            kind=ProblemType.NOT_EDITABLE,
        )
    if job.file_deleted_at is not None:
        raise Conflict("The uploaded file was deleted. Upload it again.", kind=ProblemType.NOT_EDITABLE)


class _Editor:
    """Edits rows of one import, and collects how they are judged."""

    def __init__(self, session: Session, job: ImportJob):
        self._session, self._job_id = session, job.id
        self._judge, self._stored = Judge(job), StoredRows(session, job)
        self.answer = EditedRows(items=[], total=0, rejected=0)
        self.changed = 0

    def edit_lines(self, edits: list[RowEdit]) -> None:
        """Edit rows by their lines."""
        lines = [edit.line for edit in edits]
        rows = self._stored.find(lines)
        _check_lines(lines, rows.keys())
        _check_columns(self._judge, ((f"rows.{place}.cells", edit.cells) for place, edit in enumerate(edits)))
        earlier = patches.find(self._session, self._job_id, lines)
        self._store({edit.line: self._edit(rows[edit.line], earlier, edit) for edit in edits}, earlier)

    def edit_reason(self, place: int, edit: ReasonEdit) -> None:
        """Edit the rows that are rejected for a reason now: an edited row may have got another one, or none."""
        _check_columns(self._judge, [(f"reasons.{place}.cells", edit.cells)])
        earlier = patches.find(self._session, self._job_id)
        # One more than fit is enough to refuse them.
        lines = sorted({*earlier, *self._stored.lines_of(edit.code, patches.MAX_PATCHES + 1)})
        max_items = len(self.answer.items) + MAX_SHOWN_ROWS
        edited = {
            row.line: self._edit(row, earlier, edit, max_items)
            for row in self._stored.in_pieces(lines)
            if self._judge.judge(row, earlier.get(row.line, patches.NO_PATCH)).code == edit.code
        }
        self._store(edited, earlier)

    def _edit(
        self, row: StoredRow, earlier: Mapping[int, RowPatch], edit: RowChange, max_items: int = MAX_EDITED_ROWS
    ) -> RowPatch:
        """Return the patch of a row with an edit, and add to the answer how it is judged."""
        patch = patches.merged(earlier.get(row.line, patches.NO_PATCH), edit.cells, edit.given_skip)
        judged = self._judge.judge(row, patch)
        self.answer.total += 1
        self.answer.rejected += judged.code is not None
        if len(self.answer.items) < max_items:
            self.answer.items.append(judged)
        return patch

    def _store(self, edited: Mapping[int, RowPatch], earlier: Mapping[int, RowPatch]) -> None:
        changed = {line: patch for line, patch in edited.items() if patch != earlier.get(line, patches.NO_PATCH)}
        patches.store(self._session, self._job_id, changed)
        self.changed += len(changed)


def _check_lines(lines: list[int], found: Iterable[int]) -> None:
    """Refuse lines that no row can be edited in, and those that are given twice.

    Raises:
        Unprocessable: `errors` names the first of them.
    """
    known, seen, errors = set(found), set[int](), []
    for place, line in enumerate(lines):
        if line not in known:
            errors.append((place, "No row that can be edited begins in this line"))
        elif line in seen:
            errors.append((place, "The line is given twice"))
        seen.add(line)
    _refuse([{"field": f"rows.{place}.line", "message": message} for place, message in errors])


def _check_columns(judge: Judge, edits: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Refuse columns that the file does not have, or that are not imported.

    Raises:
        Unprocessable: `errors` names the first of them.
    """
    unknown = [(place, name) for place, cells in edits for name in cells if name not in judge.columns]
    _refuse(
        [
            {**unknown_field(name, list(judge.columns)), "field": f"{place}.{name[:100]}"}
            for place, name in unknown[:20]
        ]
    )


def _refuse(errors: list[dict[str, str]]) -> None:
    if errors:
        raise invalid_fields(errors[:20])
