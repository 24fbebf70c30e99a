"""View models of rejected rows: the reasons with their counts, and the first rows with their cells."""

from dataclasses import dataclass, field
from typing import Self

from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.pages.result_words import counted
from product_importer.imports.row_errors import RejectionCount, RejectionCounts, RowRejection, RowRejectionPage

# Of the columns of a file, so many are shown, and those with a wrong cell.
MAX_COLUMNS = 6
MAX_CELL = 120
TITLES = {
    RowErrorCode.RAGGED: "The number of cells is wrong",
    RowErrorCode.MALFORMED: "The row is not well-formed",
    RowErrorCode.UNCLOSED_QUOTE: "A quote is not closed",
    RowErrorCode.DOUBTFUL: "Where the row ends is in doubt",
    RowErrorCode.TOO_LONG: "A text is too long",
    RowErrorCode.FORMULA_WITHOUT_VALUE: "A formula has no value",
    RowErrorCode.UNKNOWN_KEY: "A key is new",
    RowErrorCode.REPEATED_KEY: "A key stands there twice",
    RowErrorCode.TOO_DEEP: "A value is nested too deeply",
    RowErrorCode.NUL: "A NUL character cannot be stored",
    RowErrorCode.CONTINUATION: "The row continues the product above",
    RowErrorCode.REPEATED_HEADER: "The row repeats the column names",
    RowErrorCode.NO_SKU: "The SKU is missing",
    RowErrorCode.SCIENTIFIC_SKU: "The SKU has lost digits",
    RowErrorCode.NO_NAME: "The name is missing",
    RowErrorCode.BAD_ACTIVE: "Active or inactive is not understood",
    RowErrorCode.DUPLICATE: "Another row has the same SKU",
    RowErrorCode.DUPLICATE_SKU: "Several rows have the same SKU",
    RowErrorCode.EXISTS: "The product exists already",
    RowErrorCode.NOT_FOUND: "The product does not exist",
    RowErrorCode.NO_NAME_TO_KEEP: "The name is missing, and none is stored",
    RowErrorCode.CHANGED_SINCE_PREVIEW: "The product was changed after the dry run",
}


@dataclass(frozen=True)
class ReasonView:
    """Why rows were rejected: a title, how many rows, the first lines, and the reason of the first row."""

    title: str = ""
    count: str = ""
    lines: str = ""
    example: str = ""

    @classmethod
    def of(cls, found: RejectionCount) -> Self:
        """Return `found` as the page shows it."""
        more = ", …" if found.count > len(found.first_lines) else ""
        lines = f"{', '.join(f'{line:,}' for line in found.first_lines)}{more}"
        word = "line" if found.count == 1 else "lines"
        return cls(TITLES[found.code], counted(found.count, "row"), f"{word} {lines}", found.reason)


@dataclass(frozen=True)
class CellView:
    """A cell under its column's name."""

    label: str = ""
    text: str = ""
    is_wrong: bool = False


@dataclass(frozen=True)
class RejectionView:
    """A rejected row: its line, the reason, and its cells."""

    line: str = ""
    reason: str = ""
    cells: list[CellView] = field(default_factory=list)

    @classmethod
    def of(cls, row: RowRejection, shown: list[tuple[int, str]]) -> Self:
        """Return `row` with the columns `shown`, each a position and a name."""
        cells = [
            CellView(name, _shortened(row.cells[at]) if at < len(row.cells) else "", at == row.wrong_cell)
            for at, name in shown
        ]
        return cls(f"{row.line:,}", row.reason, cells)


def shown_columns(page: RowRejectionPage) -> list[tuple[int, str]]:
    """Return the positions and names of the columns to show: the first ones, and those with a wrong cell."""
    wrong = {row.wrong_cell for row in page.items}
    return [(at, name) for at, name in enumerate(page.columns) if at < MAX_COLUMNS or at in wrong]


def counted_only(counts: RejectionCounts) -> str:
    """Return of how many rows the reasons are, where these are not all."""
    return f"Reasons of the first {counts.counted:,} rejected rows." if counts.counted < counts.total else ""


def more_rows(page: RowRejectionPage) -> str:
    """Return what follows the shown rows; empty where these are all."""
    shown = len(page.items)
    return f"These are the first {shown:,} of {page.total:,} rejected rows." if shown < page.total else ""


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}…"
