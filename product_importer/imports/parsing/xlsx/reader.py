"""Read a sheet of an Excel workbook as rows of text, with the methods of `csv.reader.Records`."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from string import digits
from typing import BinaryIO, NamedTuple

from openpyxl.utils.cell import column_index_from_string, get_column_letter
from openpyxl.utils.datetime import from_excel

from product_importer.core.settings import settings
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.parsing.sheet_rows import SheetRow, SheetRows, iso_date, may_be_shortened, plain_number
from product_importer.imports.parsing.xlsx.package import VALUE_TAGS, CellTextTarget, Workbook, tags, unescaped
from product_importer.imports.parsing.xlsx.xml_parts import ADVICE, XML_PIECE_BYTES, unreadable_if_damaged, xml_parser

# Excel's own limit. Rows carry numbers, so a small file could claim a billion of them.
MAX_ROWS = 1_048_576
# An error names at most so many cells of a row.
MAX_NAMED_CELLS = 5

CELL_TAGS, ROW_TAGS, DATA_TAGS, FORMULA_TAGS = tags("c"), tags("row"), tags("sheetData"), tags("f")


class Cell(NamedTuple):
    """A cell as it is stored: its column from 1, its type, the number of its style, its content."""

    column: int
    kind: str
    style: int
    content: str


class ParsedRow(NamedTuple):
    """A row of a sheet: its number, its cells, and the columns of formulas that have no value."""

    number: int
    cells: list[Cell]
    unknown: list[int]


class Sheet(SheetRows):
    """The rows of a workbook's sheet of a name, or of its first visible one.

    A formula has the value that was last computed; if there is none, the row is rejected.

    Raises:
        Invalid: there is no sheet of that name.
        Unreadable: the workbook is damaged.
    """

    def __init__(self, stream: BinaryIO, sheet: str | None = None, header_line: int | None = None):
        self._workbook = Workbook(stream, sheet)
        self._shared_strings = self._workbook.shared_strings()
        super().__init__(self._workbook.title, header_line)

    def other_sheets(self) -> list[str]:
        """Return the names of the other visible sheets that hold anything."""
        return self._workbook.other_sheets()

    def check_size(self) -> None:
        """Check that all of the workbook can be unpacked within `MAX_UPLOAD_MB`.

        Raises:
            TooLarge: it cannot.
            Unreadable: the workbook is damaged.
        """
        self._workbook.check_size(settings().max_upload_bytes)

    def _rows(self) -> Iterator[SheetRow]:
        last = 0
        with unreadable_if_damaged():
            for number, cells, unknown in self._parsed():
                if not last < number <= MAX_ROWS:
                    where = f"Row {number:,} of the sheet “{self.title}”"
                    raise Unreadable(
                        ImportErrorCode.BAD_WORKBOOK, f"{where} cannot follow row {last:,}. {ADVICE}", last
                    )
                last = number
                row = self._row(cells)
                if unknown:
                    yield SheetRow(number, row, self._unknown(number, unknown))
                elif row:
                    yield SheetRow(number, row, shortened=sum(map(_may_be_shortened, cells)))

    def _parsed(self) -> Iterator[ParsedRow]:
        """Yield each row; memory holds as many as one piece of the file has."""
        part, target = self._workbook.sheet(), _RowTarget()
        parser = xml_parser(target)
        while not target.is_over:
            piece = part.read(XML_PIECE_BYTES)
            if not piece:
                # Raises an error that says what is missing.
                parser.close()
                return
            parser.feed(piece)
            if target.rows:
                part.mark()
                rows, target.rows = target.rows, []
                yield from rows

    def _row(self, cells: list[Cell]) -> list[str]:
        """Return the texts of a row, as wide as the header; [] if there is nothing but white space."""
        texts = {cell.column: text for cell in cells if (text := self._text(cell))}
        if not any(map(str.strip, texts.values())):
            return []
        width = len(self._names) or max(texts)
        row = [texts.pop(column, "") for column in range(1, width + 1)]
        # Cells beside the table make the row too wide, but not by all the empty cells between.
        return [*row, *texts.values()]

    def _unknown(self, number: int, columns: list[int]) -> str:
        """Return the reason why a row cannot be read: formulas in these columns have no value."""
        named = [f"{get_column_letter(column)}{number}{self._name(column)}" for column in columns[:MAX_NAMED_CELLS]]
        more = f" and {len(columns) - MAX_NAMED_CELLS:,} more" if len(columns) > MAX_NAMED_CELLS else ""
        return (
            f"A formula in the sheet “{self.title}” has no stored value: {', '.join(named)}{more}. "
            "Open the workbook in a spreadsheet program, which computes it, and save it."
        )

    def _name(self, column: int) -> str:
        name = self._names[column - 1][:100] if column <= len(self._names) else ""
        return f" (“{name}”)" if name else ""

    def _text(self, cell: Cell) -> str:
        text = cell.content
        if not text:
            return ""
        if cell.kind == "n":
            return self._number(text, cell.style)
        if cell.kind == "b":
            return "true" if int(text) else "false"
        if cell.kind == "s":
            return self._shared_strings[int(text)]
        if cell.kind == "d":
            # What is no date or time by ISO 8601, such as a duration, stays as it is.
            with suppress(ValueError):
                return iso_date(datetime.fromisoformat(text))
        return unescaped(text)

    def _number(self, text: str, style: int) -> str:
        number = _parsed_number(text)
        styles = self._workbook.styles
        if style in styles.dates:
            try:
                return iso_date(from_excel(number, self._workbook.epoch, timedelta=style in styles.durations))
            except (OverflowError, ValueError):
                # No calendar has such a date: take the number itself.
                pass
        plain = plain_number(number)
        # Only whole numbers: of others such a format hides the decimals.
        if style in styles.zeros and plain.lstrip("-").isdecimal():
            return styles.zeros[style].shown(int(plain)) or plain
        return plain


def _parsed_number(text: str) -> float:
    return float(text) if "." in text or "e" in text.lower() else int(text)


def _may_be_shortened(cell: Cell) -> bool:
    return cell.kind == "n" and cell.content != "" and may_be_shortened(_parsed_number(cell.content))


class _RowTarget(CellTextTarget):
    """Collects the rows of a sheet's XML in `rows`, from which the caller takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[ParsedRow] = []
        self.is_over = False
        self._cells: list[Cell] = []
        self._unknown: list[int] = []
        self._number = self._column = self._style = 0
        self._kind = ""
        self._has_formula = self._has_value = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        super().start(tag, attributes)
        if tag in CELL_TAGS:
            place = attributes.get("r")
            self._column = column_index_from_string(place.rstrip(digits)) if place else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), int(attributes.get("s", 0))
            self._has_formula = self._has_value = False
        elif tag in VALUE_TAGS:
            self._has_value = True
        elif tag in ROW_TAGS:
            self._number = int(attributes.get("r", self._number + 1))
            self._cells, self._unknown, self._column = [], [], 0
        elif tag in FORMULA_TAGS:
            self._has_formula = True

    def end(self, tag: str) -> None:
        super().end(tag)
        if tag in CELL_TAGS:
            self._add_cell(self._take())
        elif tag in ROW_TAGS:
            self.rows.append(ParsedRow(self._number, self._cells, self._unknown))
        elif tag in DATA_TAGS:
            self.is_over = True

    def _add_cell(self, content: str) -> None:
        # The value of a text formula may be empty.
        if self._has_formula and not content and not (self._has_value and self._kind == "str"):
            self._unknown.append(self._column)
        else:
            self._cells.append(Cell(self._column, self._kind, self._style, content))
