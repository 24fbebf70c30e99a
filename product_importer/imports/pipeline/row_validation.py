"""Validate rows: which records can become products, and why the others cannot."""

import csv
import io

from product_importer.catalog.csv_injection import unescape
from product_importer.catalog.schemas import MAX_DESCRIPTION, MAX_NAME, MAX_SKU
from product_importer.imports.columns.header import Header
from product_importer.imports.columns.synonyms import is_active_word
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.parsing.records import Chunk, RowError, height
from product_importer.imports.pipeline.variant_rows import VariantGroups

# How many characters after the last column a reason shows.
MAX_SURPLUS = 500


class RowValidator:
    """Validates the rows of one file, in its order.

    With `keep_blank` a row may have no name; the merge finds out whether there is a product whose name it keeps.
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
        self._groups = VariantGroups(header, keep_blank)

    def validate(self, chunk: Chunk) -> Chunk:
        """Return the chunk with invalid rows moved to the errors, and without empty lines."""
        if self._are_all_valid(chunk):
            self._groups.accept_all(chunk.lines, chunk.rows)
            return chunk
        lines: list[int] = []
        rows: list[list[str]] = []
        errors = list(chunk.errors)
        for line, row in zip(chunk.lines, chunk.rows, strict=True):
            if not row:
                continue
            if error := self._error(line, row):
                # Cells after the last column can be thousands: they are in the reason, not kept.
                errors.append(RowError(line, *error, row[: self._width]))
            else:
                self._groups.accept(line, row)
                lines.append(line)
                rows.append(row)
        return Chunk(lines, rows, errors)

    def _are_all_valid(self, chunk: Chunk) -> bool:
        """Whether every row is valid; checks whole columns, which is ten times as fast as `_error`."""
        if not chunk.rows or chunk.width() != self._width:
            return False
        return (
            not chunk.has_blank(self._sku)
            and (
                not chunk.has_blank(self._name)
                or (self._keep_blank and not self._groups.may_continue(chunk.column(0)))
            )
            and all(chunk.longest(position) <= limit for position, limit in enumerate(self._limits))
            and not chunk.has_nul()
            and (self._active is None or all(map(is_active_word, chunk.distinct(self._active))))
        )

    def _error(self, line: int, row: list[str]) -> tuple[RowErrorCode, str] | None:
        """Return the code and the reason why a row is invalid, or None."""
        if len(row) != self._width:
            return RowErrorCode.RAGGED, self._width_error(line, row)
        if any("\0" in value for value in row):
            return RowErrorCode.NUL, "The row holds a NUL character, which cannot be stored."
        if parent := self._groups.parent_of(row):
            return RowErrorCode.CONTINUATION, (
                f"The row goes on with “{parent.group[:100]}” of line {parent.line}: another variant or image "
                "without a name of its own. Nothing of it was imported."
            )
        if not row[self._sku].strip():
            return RowErrorCode.NO_SKU, "The SKU is empty."
        if not row[self._name].strip() and not self._keep_blank:
            return RowErrorCode.NO_NAME, "The name is empty."
        for label, value, limit in zip(self._labels, row, self._limits, strict=True):
            if len(value) > limit and len(unescape(value)) > limit:
                return RowErrorCode.TOO_LONG, f"“{label}” has {len(value):,} characters; at most {limit:,} fit."
        if self._active is not None and not is_active_word(row[self._active]):
            return RowErrorCode.BAD_ACTIVE, f"“{row[self._active][:40]}” is neither true nor false."
        return None

    def _width_error(self, line: int, row: list[str]) -> str:
        """Return what is wrong with the number of fields of a row, with the surplus fields as CSV."""
        lines = height(row)
        where = f"The row in lines {line} to {line + lines - 1}" if lines > 1 else "The row"
        reason = f"{where} has {len(row)} fields, the header has {self._width}."
        if len(row) < self._width:
            return reason
        # PostgreSQL cannot store NUL, not even in a reason.
        surplus = _csv(row[self._width :]).replace("\0", "\N{SYMBOL FOR NULL}")
        more = f" and {len(surplus) - MAX_SURPLUS:,} characters more" if len(surplus) > MAX_SURPLUS else ""
        return f"{reason} Beyond the last column: {surplus[:MAX_SURPLUS]}{more}"


def _csv(values: list[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(values)
    return text.getvalue().removesuffix("\r\n")
