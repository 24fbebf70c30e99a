"""Which records can become products, and why the others cannot."""

import csv
import io

from product_importer.catalog.csv_injection import unescape
from product_importer.catalog.schemas import MAX_DESCRIPTION, MAX_NAME, MAX_SKU
from product_importer.imports.columns.header import Header
from product_importer.imports.columns.synonyms import is_active_word
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.parsing.records import Chunk, RowError, height
from product_importer.imports.pipeline.variant_rows import Groups

# So much of what stands behind the last column is told, in characters.
MAX_SURPLUS = 500


class RowValidator:
    """The checks of one file, in its order: the header says where each field stands.

    With `keep_blank` a row may have no name: whether there is a product to keep it for, the merge finds out.
    """

    def __init__(self, header: Header, keep_blank: bool = False):
        self._width = len(header.names)
        self._sku = header.fields.index("sku")
        self._name = header.fields.index("name")
        self._active = header.position("active")
        self._limits = [MAX_DESCRIPTION] * self._width
        self._limits[self._sku] = MAX_SKU
        self._limits[self._name] = MAX_NAME
        self._labels = header.names
        self._keep_blank = keep_blank
        self._groups = Groups(header, keep_blank)

    def validate(self, chunk: Chunk) -> Chunk:
        """Return the chunk with rows that cannot become products moved to the errors, and empty lines gone."""
        if self._all_good(chunk):
            self._groups.accept_all(chunk.lines, chunk.rows)
            return chunk
        lines: list[int] = []
        rows: list[list[str]] = []
        errors = list(chunk.errors)
        for line, row in zip(chunk.lines, chunk.rows, strict=True):
            if not row:
                continue
            if fault := self._fault(line, row):
                # Thousands of cells behind the last column are told in the reason, not kept.
                errors.append(RowError(line, *fault, row[: self._width]))
            else:
                self._groups.accept(line, row)
                lines.append(line)
                rows.append(row)
        return Chunk(lines, rows, errors)

    def _all_good(self, chunk: Chunk) -> bool:
        """Whether every row passes, told by a look at whole columns, which is ten times as fast as `_fault`."""
        if not chunk.rows or chunk.width() != self._width:
            return False
        return (
            not chunk.has_blank(self._sku)
            and (not chunk.has_blank(self._name) or (self._keep_blank and not self._groups.go_on(chunk.column(0))))
            and all(chunk.longest(position) <= most for position, most in enumerate(self._limits))
            and not chunk.has_nul()
            and (self._active is None or all(map(is_active_word, chunk.distinct(self._active))))
        )

    def _fault(self, line: int, row: list[str]) -> tuple[RowErrorCode, str] | None:
        """Return the code and the reason why a row cannot become a product, or None."""
        if len(row) != self._width:
            return RowErrorCode.RAGGED, self._raggedness(line, row)
        if any("\0" in value for value in row):
            return RowErrorCode.NUL, "The row holds a NUL character, which cannot be stored."
        if main := self._groups.continued(row):
            return RowErrorCode.CONTINUATION, (
                f"The row goes on with “{main.group[:100]}” of line {main.line}: another variant or image without "
                "a name of its own. Nothing of it was imported."
            )
        if not row[self._sku].strip():
            return RowErrorCode.NO_SKU, "The SKU is empty."
        if not row[self._name].strip() and not self._keep_blank:
            return RowErrorCode.NO_NAME, "The name is empty."
        for label, value, most in zip(self._labels, row, self._limits, strict=True):
            if len(value) > most and len(unescape(value)) > most:
                return RowErrorCode.TOO_LONG, f"“{label}” has {len(value):,} characters; at most {most:,} fit."
        if self._active is not None and not is_active_word(row[self._active]):
            return RowErrorCode.BAD_ACTIVE, f"“{row[self._active][:40]}” is neither true nor false."
        return None

    def _raggedness(self, line: int, row: list[str]) -> str:
        """Return what is wrong with a row's width; the fields that have no column are told, as CSV."""
        lines = height(row)
        where = f"The row in lines {line} to {line + lines - 1}" if lines > 1 else "The row"
        reason = f"{where} has {len(row)} fields, the header has {self._width}."
        if len(row) < self._width:
            return reason
        # NUL can be stored nowhere, in a reason neither.
        surplus = _csv(row[self._width :]).replace("\0", "\N{SYMBOL FOR NULL}")
        more = f" and {len(surplus) - MAX_SURPLUS:,} characters more" if len(surplus) > MAX_SURPLUS else ""
        return f"{reason} Beyond the last column: {surplus[:MAX_SURPLUS]}{more}"


def _csv(values: list[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(values)
    return text.getvalue().removesuffix("\r\n")
