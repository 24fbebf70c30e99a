"""List the rows of a dry run, or the rejected ones of an import, as they are now, and count them.

Services never commit: the caller owns the transaction.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from uuid import UUID

from sqlmodel import Session

from product_importer.core.errors import Conflict
from product_importer.core.problem_types import ProblemType
from product_importer.imports import jobs, row_errors
from product_importer.imports.edits import service
from product_importer.imports.edits.check_schemas import (
    CheckedRow,
    CheckPage,
    CheckQuery,
    CheckSummary,
    RowsMoved,
    RowState,
)
from product_importer.imports.edits.checked_rows import Checker, edits_of, original_state
from product_importer.imports.edits.schemas import RowsEdit
from product_importer.imports.edits.stored_rows import ROWS_AT_ONCE, StoredRow, StoredRows
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.models import ImportJob, ImportStatus

# One value for all rows makes sense for these fields only: a SKU is another one in each row.
FIELDS_TO_SET = ("name", "active")


def list_rows(session: Session, job_id: UUID, query: CheckQuery) -> CheckPage:
    """Return one page of rows in the order of their lines.

    Raises:
        NotFound: there is no such import.
        Conflict: it is neither a finished dry run nor a completed import.
    """
    check = _Check(session, _checkable(session, job_id))
    return CheckPage(
        items=check.rows(check.lines(query)), total=check.total(query), page=query.page, page_size=query.page_size
    )


def summarize(session: Session, job_id: UUID) -> CheckSummary:
    """Return how many rows are in each state, and which problems they have.

    Raises: as `list_rows` does.
    """
    return _Check(session, _checkable(session, job_id)).summary()


def edit_and_list(session: Session, job_id: UUID, edit: RowsEdit, lines: Sequence[int]) -> RowsMoved:
    """Edit rows, and return those of some lines, before and after.

    Raises: as `service.edit_rows` and `list_rows` do.
    """
    jobs.lock(session, job_id)
    job = _checkable(session, job_id)
    before = _Check(session, job).rows(lines)
    service.edit_rows(session, job_id, edit)
    return RowsMoved(before, _Check(session, job).rows(lines))


def _checkable(session: Session, job_id: UUID) -> ImportJob:
    job = jobs.find(session, job_id)
    is_shown = job.status == ImportStatus.PREVIEWED and job.preview_table is not None
    if not is_shown and job.status != ImportStatus.COMPLETED:
        raise Conflict(f"The import is {jobs.state(job)}: it has no rows to check.", kind=ProblemType.NOT_EDITABLE)
    return job


class _Check:
    """The rows of one import, and its edits."""

    def __init__(self, session: Session, job: ImportJob):
        self._session, self._job = session, job
        self._stored, self._checker = StoredRows(session, job), Checker(session, job)

    @cached_property
    def _edited(self) -> dict[int, tuple[StoredRow, CheckedRow]]:
        """All edited rows by line, as they were stored and as they are now."""
        return dict(self._edited_rows())

    def lines(self, query: CheckQuery) -> list[int]:
        """Return the lines of a page."""
        if query.edited:
            return sorted(self._edited)[query.offset : query.offset + query.page_size]
        states = list(RowState) if query.state is None else [query.state]
        matching = [line for line, (_, row) in self._edited.items() if row.state in states]
        return self._stored.lines(states, list(self._edited), matching, query.page_size, query.offset)

    def rows(self, lines: Sequence[int]) -> list[CheckedRow]:
        """Return rows by their lines."""
        found = self._stored.read(lines)
        edits = edits_of(self._session, self._job.id, lines)
        return self._checker.check([found[line] for line in lines if line in found], edits)

    def total(self, query: CheckQuery) -> int:
        """Return how many rows a query finds."""
        if query.edited:
            return len(self._edited)
        states = self._states()
        return sum(states.values()) if query.state is None else states[query.state]

    def summary(self) -> CheckSummary:
        """Return the counts."""
        return CheckSummary(
            states=self._states(),
            edited=len(self._edited),
            reasons=self._reasons(),
            settable={
                code: self._checker.column_of(field)
                for code, field in row_errors.WRONG_FIELDS.items()
                if field in FIELDS_TO_SET and field in self._job.fields
            },
        )

    def _edited_rows(self) -> Iterator[tuple[int, tuple[StoredRow, CheckedRow]]]:
        edits = edits_of(self._session, self._job.id)
        lines = sorted(edits)
        for start in range(0, len(lines), ROWS_AT_ONCE):
            stored = self._stored.read(lines[start : start + ROWS_AT_ONCE])
            for row in self._checker.check(stored.values(), edits):
                yield row.line, (stored[row.line], row)

    def _states(self) -> dict[RowState, int]:
        states = dict.fromkeys(RowState, 0) | self._first_states()
        for before, now in self._edited.values():
            states[original_state(before)] -= 1
            states[now.state] += 1
        return states

    def _first_states(self) -> dict[RowState, int]:
        job = self._job
        if job.preview_table is None:
            return {RowState.PROBLEM: job.rejected}
        return {
            RowState.CREATE: job.created,
            RowState.UPDATE: job.updated,
            RowState.UNCHANGED: job.unchanged,
            RowState.DUPLICATE: job.duplicates,
            RowState.PROBLEM: job.rejected,
        }

    def _reasons(self) -> Counter[RowErrorCode]:
        counted = row_errors.count_rejections(self._session, self._job.id)
        reasons = Counter({reason.code: reason.count for reason in counted.items})
        for before, now in self._edited.values():
            if before.code is not None:
                reasons[before.code] -= 1
            if now.code is not None:
                reasons[now.code] += 1
        del reasons[RowErrorCode.DUPLICATE]
        return reasons
