"""Judge edited rows by the rules by which the reader judges them."""

from collections.abc import Mapping

from product_importer.catalog.schemas import sku_key
from product_importer.core.csv_injection import unescape
from product_importer.core.edges import trim
from product_importer.imports.columns.header import Header
from product_importer.imports.edits.schemas import EditedRow
from product_importer.imports.edits.stored_rows import StoredRow
from product_importer.imports.error_codes import MERGE_CODES, RowErrorCode
from product_importer.imports.models import ImportJob
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.records import is_blank
from product_importer.imports.pipeline.row_edits import Patching, RowPatch
from product_importer.imports.pipeline.row_validation import RowValidator
from product_importer.imports.schemas import ImportChoices


class Judge:
    """Judges rows of one import, each by itself.

    What other rows and the catalogue decide is only known when the file is read again: until then a row keeps such a
    reason if the edit does not touch what it is about.
    """

    def __init__(self, job: ImportJob):
        header = Header(tuple(job.header), tuple(job.fields))
        has_own_header = Format.model_validate(job.format).header_line != 0
        self._validator = RowValidator(header, ImportChoices.model_validate(job.choices), None, has_own_header)
        self._patching = Patching(header)
        self._sku, self._name = header.fields.index("sku"), header.fields.index("name")

    @property
    def columns(self) -> Mapping[str, int]:
        """The columns that can be edited, by name."""
        return self._patching.positions

    def judge(self, row: StoredRow, patch: RowPatch) -> EditedRow:
        """Return a row with its edits, and what is wrong with it."""
        cells = self._patching.patched(row.cells, patch.cells)
        code, reason = self._judged(row, cells, patch)
        # The reader leaves out blank rows, too.
        skipped = patch.is_skipped or is_blank(cells)
        return EditedRow(
            line=row.line,
            cells={name: unescape(cells[position]) for name, position in self.columns.items()},
            skipped=skipped,
            code=None if skipped else code,
            reason=None if skipped else reason,
        )

    def _judged(self, row: StoredRow, cells: list[str], patch: RowPatch) -> tuple[RowErrorCode | None, str | None]:
        if not patch.cells or (row.code is not None and self._stays(row.code, row.cells, cells)):
            return row.code, row.reason
        error = self._validator.error_of(row.line, cells)
        return (error.code, error.reason) if error else (None, None)

    def _stays(self, code: RowErrorCode, before: list[str], after: list[str]) -> bool:
        """Whether a reason that a row alone does not show still holds after an edit."""
        has_name = bool(trim(after[self._name]))
        if code == RowErrorCode.CONTINUATION:
            return not has_name and trim(after[0]) == trim(before[0])
        if code in MERGE_CODES:
            is_same = sku_key(after[self._sku]) == sku_key(before[self._sku])
            return is_same and not (code == RowErrorCode.NO_NAME_TO_KEEP and has_name)
        return False
