"""Tell what becomes of rows as they are now: judged with their edits, and compared with the catalogue."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from product_importer.catalog.models import Product
from product_importer.catalog.schemas import sku_key
from product_importer.imports import row_errors
from product_importer.imports.columns.header import Header
from product_importer.imports.columns.synonyms import active_flag
from product_importer.imports.edits import patches
from product_importer.imports.edits.check_schemas import CheckedRow, RowState
from product_importer.imports.edits.judging import Judge
from product_importer.imports.edits.schemas import EditedRow
from product_importer.imports.edits.stored_rows import StoredRow
from product_importer.imports.error_codes import RowErrorCode, RowOutcome
from product_importer.imports.models import ImportJob
from product_importer.imports.pipeline.decide import REASONS
from product_importer.imports.pipeline.row_edits import RowPatch
from product_importer.imports.schemas import ImportChoices

# A longer cell is cut, and cannot be edited here.
MAX_CELL = 5_000
STATES = {
    RowOutcome.CREATED: RowState.CREATE,
    RowOutcome.UPDATED: RowState.UPDATE,
    RowOutcome.UNCHANGED: RowState.UNCHANGED,
}
TEXT_FIELDS = ("sku", "name", "description")


class Checker:
    """Checks rows of one import."""

    def __init__(self, session: Session, job: ImportJob):
        self._session, self._job = session, job
        self._judge = Judge(job)
        self._header = Header(tuple(job.header), tuple(job.fields))
        self._sku_column = self.column_of("sku")
        self._choices = ImportChoices.model_validate(job.choices)

    @property
    def columns(self) -> list[str]:
        """The names of the columns that are imported, in their order."""
        return sorted(self._judge.columns, key=self._judge.columns.__getitem__)

    def column_of(self, field: str) -> str:
        """Return the name of the column of a product field."""
        return next(name for name, at in self._judge.columns.items() if self._header.fields[at] == field)

    def check(self, rows: Iterable[StoredRow], edits: Mapping[int, RowPatch]) -> list[CheckedRow]:
        """Return rows as they are now."""
        given = [(row, edits.get(row.line, patches.NO_PATCH)) for row in rows]
        judged = [self._judge.judge(row, patch) for row, patch in given]
        held = self._held(judged)
        return [
            self._checked(row, self._compared(now, held) if patch.cells else now, patch, held)
            for (row, patch), now in zip(given, judged, strict=True)
        ]

    def _compared(self, now: EditedRow, held: Mapping[str, Product]) -> EditedRow:
        """Return an edited row with what the catalogue decides: the dry run has compared it as it was before."""
        if now.skipped or now.code is not None:
            return now
        code = self._refusal(now, sku_key(self._sku(now)) in held)
        return now if code is None else now.model_copy(update={"code": code, "reason": REASONS[code]})

    def _refusal(self, now: EditedRow, is_held: bool) -> RowErrorCode | None:
        if self._choices.mode == "create" and is_held:
            return RowErrorCode.EXISTS
        if self._choices.mode == "update" and not is_held:
            return RowErrorCode.NOT_FOUND
        has_no_name = not now.cells[self.column_of("name")].strip()
        return RowErrorCode.NO_NAME_TO_KEEP if has_no_name and not is_held else None

    def _held(self, rows: Iterable[EditedRow]) -> dict[str, Product]:
        """Return the products that the catalogue has for rows, by their keys."""
        keys = {sku_key(self._sku(row)) for row in rows if row.code is None}
        found = self._session.scalars(select(Product).where(col(Product.sku_key).in_(keys)))
        return {product.sku_key: product for product in found}

    def _checked(self, row: StoredRow, now: EditedRow, patch: RowPatch, held: Mapping[str, Product]) -> CheckedRow:
        sku = self._sku(now)
        before = self._before(now, held.get(sku_key(sku))) if now.code is None and not now.skipped else {}
        state = self._state(row, now, patch, is_held=sku_key(sku) in held, differs=bool(before))
        cells = {name: value.replace("\0", row_errors.STORED_NUL) for name, value in now.cells.items()}
        return CheckedRow(
            line=row.line,
            state=state,
            sku=sku[:200],
            cells={name: cells[name][:MAX_CELL] for name in self.columns},
            before=before if state == RowState.UPDATE else {},
            cut=[name for name, value in cells.items() if len(value) > MAX_CELL],
            code=now.code,
            reason=now.reason,
            wrong=list(self._wrong(now, cells)),
            edited=[name for name in patch.cells if name in cells],
            is_outdated=row.is_outdated,
            is_known=row.is_known,
        )

    def _state(self, row: StoredRow, now: EditedRow, patch: RowPatch, *, is_held: bool, differs: bool) -> RowState:
        if now.skipped:
            return RowState.SKIPPED
        if now.code is not None:
            return RowState.DUPLICATE if now.code == RowErrorCode.DUPLICATE else RowState.PROBLEM
        if row.outcome is not None and not patch.cells:
            return STATES[RowOutcome(row.outcome)]
        if not is_held:
            return RowState.CREATE
        return RowState.UPDATE if differs else RowState.UNCHANGED

    def _before(self, now: EditedRow, held: Product | None) -> dict[str, str]:
        """Return the values of the product that differ from those of the row, by column."""
        pairs = ((name, value, self._held_value(held, name, value)) for name, value in now.cells.items() if held)
        return {
            name: before[:MAX_CELL]
            for name, after, before in pairs
            # A blank cell that keeps the value changes nothing.
            if before is not None and before != after and not (self._choices.blank == "keep" and not after)
        }

    def _held_value(self, held: Product, name: str, value: str) -> str | None:
        """Return a product's value as the file would write it; None where it cannot change."""
        position = self._judge.columns[name]
        field = self._header.fields[position]
        if field == "sku":
            # An import keeps the spelling of a SKU.
            return None
        if field == "active":
            return value if (active_flag(value) == "t") == held.active else str(held.active).lower()
        if field in TEXT_FIELDS:
            return str(getattr(held, field))
        return _text(held.attributes.get(self._header.attributes[position]))

    def _wrong(self, now: EditedRow, cells: Mapping[str, str]) -> Iterator[str]:
        if now.code is None:
            return
        by_position = {at: name for name, at in self._judge.columns.items()}
        row = [cells.get(by_position.get(at, ""), "") for at in range(len(self._job.header))]
        for position in row_errors.wrong_cells(self._job, now.code, now.reason or "", row):
            if position in by_position:
                yield by_position[position]

    def _sku(self, row: EditedRow) -> str:
        return row.cells[self._sku_column]


def original_state(row: StoredRow) -> RowState:
    """Return the state that a row had before any edit."""
    if row.code is not None:
        return RowState.DUPLICATE if row.code == RowErrorCode.DUPLICATE else RowState.PROBLEM
    return STATES[RowOutcome(row.outcome or RowOutcome.UNCHANGED)]


def edits_of(session: Session, job_id: UUID, lines: Sequence[int] | None = None) -> dict[int, RowPatch]:
    """Return the edits of an import by line that change anything: of these lines, or all."""
    found = patches.find(session, job_id, lines)
    return {line: patch for line, patch in found.items() if patch != patches.NO_PATCH}


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
