"""Validate rows: which records can become products, and why the others cannot."""

import csv
import io
import re

from product_importer.catalog.schemas import MAX_DESCRIPTION, MAX_NAME, MAX_SKU
from product_importer.core.csv_injection import unescape
from product_importer.core.edges import trim
from product_importer.imports.columns.header import REJECT_COLUMNS, Header, fold
from product_importer.imports.columns.synonyms import WORDS_FOR_ACTIVE, WORDS_FOR_INACTIVE, is_active_word
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.parsing.records import (
    Chunk,
    RowError,
    filled_width,
    fitted_row,
    height,
    is_blank,
    is_padding,
)
from product_importer.imports.pipeline.variant_rows import ParentRow, VariantGroups
from product_importer.imports.read_warnings import ReadWarnings, WarningCode
from product_importer.imports.schemas import ImportChoices

# How many characters after the last column a reason shows.
MAX_SURPLUS = 500
# A number as spreadsheets write it when its digits do not fit; a real SKU has no plus sign before two digits.
SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{2,3}", re.IGNORECASE)
WIDTH_BY_HEADER = "the header has {width}."
WIDTH_BY_FIRST_ROW = (
    "the first row has {width}, which counts where there is no header. Put a row with all columns first, or add a "
    "line with column names."
)
WORDS = f"Write {', '.join(WORDS_FOR_ACTIVE)}, or {', '.join(WORDS_FOR_INACTIVE)}."


class RowValidator:
    """Validates the rows of one file, in its order.

    If blank cells keep values, a row may have no name; the merge finds out whether there is a product whose name it
    keeps. `warnings` counts rows that continue the product above and are not rejected. A file whose columns are named
    by their numbers has no header of its own.
    """

    def __init__(
        self,
        header: Header,
        choices: ImportChoices | None = None,
        warnings: ReadWarnings | None = None,
        has_own_header: bool = True,
    ):
        choices = choices or ImportChoices()
        self._width = len(header.names)
        # Unnamed columns may be missing.
        self._needed = filled_width(header.names)
        self._width_rule = WIDTH_BY_HEADER if has_own_header else WIDTH_BY_FIRST_ROW
        self._sku = header.fields.index("sku")
        self._name = header.fields.index("name")
        self._active = header.position("active")
        self._limits = [MAX_DESCRIPTION] * self._width
        self._limits[self._sku] = MAX_SKU
        self._limits[self._name] = MAX_NAME
        self._labels = header.names
        self._own = [at for at, name in enumerate(header.names) if fold(name) not in REJECT_COLUMNS]
        self._keep_blank = choices.blank == "keep"
        self._keep_scientific = choices.scientific == "keep"
        self._continuation = choices.continuation
        self._warnings = ReadWarnings() if warnings is None else warnings
        self._groups = VariantGroups(header, self._keep_blank, choices.continuation)

    def validate(self, chunk: Chunk) -> Chunk:
        """Return the chunk with invalid rows moved to the errors, each other one as wide as the header.

        It is without blank rows, and without those that are left out.
        """
        fitted = chunk.fitted(self._width, self._needed)
        if fitted is not None and self._are_all_valid(fitted):
            self._groups.accept_all(fitted.lines, fitted.rows)
            return fitted
        lines: list[int] = []
        rows: list[list[str]] = []
        errors = list(chunk.errors)
        for line, cells in zip(chunk.lines, chunk.rows, strict=True):
            if is_blank(cells) or is_padding(cells):
                continue
            judged = self._judged(line, fitted_row(cells, self._width, self._needed) or cells)
            if isinstance(judged, RowError):
                errors.append(judged)
            elif judged is not None:
                lines.append(line)
                rows.append(judged)
        return Chunk(lines, rows, errors)

    def error_of(self, line: int, row: list[str]) -> RowError | None:
        """Return why a row by itself cannot become a product, whatever stands above it; None if it can."""
        error = self._shape_error(line, row) or self._value_error(row)
        return RowError(line, *error, row) if error else None

    def _are_all_valid(self, chunk: Chunk) -> bool:
        """Whether every row is valid; checks whole columns, which is ten times as fast as `_judged`."""
        if not chunk.rows or chunk.width() != self._width:
            return False
        return (
            not chunk.has_blank(self._sku)
            and not chunk.has_value(self._sku, self._labels[self._sku])
            and (self._keep_scientific or not chunk.has_match(self._sku, "+", SCIENTIFIC))
            and (
                not chunk.has_blank(self._name)
                or (self._keep_blank and not self._groups.may_continue(chunk.column(0)))
            )
            and all(chunk.longest(position) <= limit for position, limit in enumerate(self._limits))
            and not chunk.has_nul()
            and (self._active is None or all(map(is_active_word, chunk.distinct(self._active))))
        )

    def _judged(self, line: int, row: list[str]) -> list[str] | RowError | None:
        """Return the row as it becomes a product, or why it cannot; None for one that is left out."""
        if error := self._shape_error(line, row):
            # Cells after the last column can be thousands: they are in the reason, not kept.
            return RowError(line, *error, row[: self._width])
        if parent := self._groups.parent_of(row):
            return self._continued(line, row, parent)
        if error := self._value_error(row):
            if error[0] == RowErrorCode.NO_SKU and self._continuation == "fill" and trim(row[self._name]):
                # The rows below may have SKUs.
                self._groups.accept(line, row)
            return RowError(line, *error, row)
        self._groups.accept(line, row)
        return row

    def _continued(self, line: int, row: list[str], parent: ParentRow) -> list[str] | RowError | None:
        """Return what becomes of a row that continues the product above, as `_judged` does."""
        if self._continuation == "reject":
            reason = (
                f"The row has no name and continues “{parent.group[:100]}” of line {parent.line} (another variant or "
                "image). It was not imported."
            )
            return RowError(line, RowErrorCode.CONTINUATION, reason, row)
        filled = self._groups.filled(row, parent) if self._continuation == "fill" else None
        if filled is None:
            self._warnings.add(WarningCode.SKIPPED_CONTINUATION, line)
            return None
        if error := self._value_error(filled):
            return RowError(line, *error, filled)
        self._warnings.add(WarningCode.FILLED_DOWN, line)
        return filled

    def _shape_error(self, line: int, row: list[str]) -> tuple[RowErrorCode, str] | None:
        if len(row) != self._width:
            return RowErrorCode.RAGGED, self._width_error(line, row)
        if any("\0" in value for value in row):
            return RowErrorCode.NUL, "The row holds a NUL character, which cannot be stored."
        if self._repeats_header(row):
            return RowErrorCode.REPEATED_HEADER, "The row repeats the column names: files were joined here."
        return None

    def _value_error(self, row: list[str]) -> tuple[RowErrorCode, str] | None:
        """Return the code and the reason why the values of a row are invalid, or None."""
        sku = trim(row[self._sku])
        if not sku:
            return RowErrorCode.NO_SKU, "The SKU is empty."
        if not self._keep_scientific and SCIENTIFIC.fullmatch(sku):
            return RowErrorCode.SCIENTIFIC_SKU, (
                f"The SKU “{sku[:40]}” is in scientific notation: a spreadsheet has cut off its digits, so different "
                "SKUs may have become one. Format the column as text and export it again, or import with "
                "scientific=keep."
            )
        if not trim(row[self._name]) and not self._keep_blank:
            return RowErrorCode.NO_NAME, "The name is empty."
        for label, value, limit in zip(self._labels, row, self._limits, strict=True):
            if len(value) > limit and len(unescape(value)) > limit:
                return RowErrorCode.TOO_LONG, f"“{label}” has {len(value):,} characters; at most {limit:,} fit."
        if self._active is not None and not is_active_word(row[self._active]):
            return RowErrorCode.BAD_ACTIVE, f"“{row[self._active][:40]}” is no word for active or inactive. {WORDS}"
        return None

    def _repeats_header(self, row: list[str]) -> bool:
        # Most rows differ in the first column.
        return all(trim(row[at]) == self._labels[at] for at in self._own)

    def _width_error(self, line: int, row: list[str]) -> str:
        """Return what is wrong with the number of fields of a row, with the surplus fields as CSV."""
        lines = height(row)
        where = f"The row in lines {line} to {line + lines - 1}" if lines > 1 else "The row"
        reason = f"{where} has {len(row)} fields, {self._width_rule.format(width=self._width)}"
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
