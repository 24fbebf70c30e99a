"""Read the first sheet of an Excel workbook as rows of text, with the methods of `csv.reader.Records`."""

from collections.abc import Iterator
from datetime import date, datetime, time
from string import digits
from typing import Any, BinaryIO, NamedTuple

from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.datetime import from_excel

from product_importer.core.settings import settings
from product_importer.imports.error_codes import ImportErrorCode, RowErrorCode
from product_importer.imports.parsing.records import (
    MAX_RECORD_CHARACTERS,
    RECORDS_PER_CHUNK,
    Chunk,
    RowError,
    Unreadable,
)
from product_importer.imports.parsing.xlsx.package import MAIN, CellTextTarget, Workbook, unescaped
from product_importer.imports.parsing.xlsx.xml_parts import ADVICE, XML_PIECE_BYTES, unreadable_if_damaged, xml_parser

# Excel's own limit. Rows carry numbers, so a small file could claim a billion of them.
MAX_ROWS = 1_048_576
# Bounds the memory of a chunk: cells can share a text, and so be far longer than the file.
MAX_CHUNK_CHARACTERS = 16 * 1024 * 1024
# Excel computes with 15 digits; further ones are noise, as in 19.989999999999998.
NUMBER_FORMAT = ".15g"

CELL_TAG, ROW_TAG, DATA_TAG = f"{MAIN}c", f"{MAIN}row", f"{MAIN}sheetData"


class Cell(NamedTuple):
    """A cell as it is stored: its column from 1, its type, the number of its style, its content."""

    column: int
    kind: str
    style: int
    content: str


class Sheet:
    """The rows of a workbook's first sheet; the line of a row is its number in the sheet.

    Empty cells are empty texts, every row is as wide as the header, and empty rows are left out. A formula has the
    value that was last computed.
    """

    def __init__(self, stream: BinaryIO):
        self._workbook = Workbook(stream)
        self._shared_strings = self._workbook.shared_strings()
        self._rest = self._rows()
        self._width = 0
        self._characters = 0

    @property
    def title(self) -> str:
        """The sheet's name."""
        return self._workbook.title

    def check_size(self) -> None:
        """Check that all of the workbook can be unpacked within `MAX_UPLOAD_MB`.

        Raises:
            TooLarge: it cannot.
            Unreadable: the workbook is damaged.
        """
        self._workbook.check_size(settings().max_upload_bytes)

    def header(self) -> tuple[list[str], int]:
        """Return the first row that is not empty, and its number; ([], 0) when there is none.

        Raises:
            Unreadable: the workbook is damaged.
        """
        line, row = next(self._rest, (0, []))
        self._width = len(row)
        return row, line

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows after the header, at most `RECORDS_PER_CHUNK` at a time.

        Raises:
            Unreadable: the workbook is damaged, or its cells hold more text than `MAX_UPLOAD_MB`.
        """
        while chunk := self._chunk():
            yield chunk

    def _chunk(self) -> Chunk:
        lines: list[int] = []
        rows: list[list[str]] = []
        errors: list[RowError] = []
        characters = 0
        for line, row in self._rest:
            length = len(row) + sum(map(len, row))
            characters += length
            if length > MAX_RECORD_CHARACTERS:
                reason = f"The row has more than {MAX_RECORD_CHARACTERS:,} characters."
                errors.append(RowError(line, RowErrorCode.TOO_LONG, reason, []))
            else:
                lines.append(line)
                rows.append(row)
            if len(rows) + len(errors) == RECORDS_PER_CHUNK or characters > MAX_CHUNK_CHARACTERS:
                break
        self._characters += characters
        if self._characters > settings().max_upload_bytes:
            raise Unreadable(
                ImportErrorCode.TOO_LARGE, f"The cells hold more text than {settings().max_upload_mb} MB."
            )
        return Chunk(lines, rows, errors)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number and the texts of each row that is not empty."""
        last = 0
        with unreadable_if_damaged():
            for number, cells in self._parsed():
                if not last < number <= MAX_ROWS:
                    raise Unreadable(
                        ImportErrorCode.BAD_WORKBOOK, f"Row {number:,} cannot follow row {last:,}. {ADVICE}", last
                    )
                last = number
                if row := self._row(cells):
                    yield number, row

    def _parsed(self) -> Iterator[tuple[int, list[Cell]]]:
        """Yield the number and the cells of each row; memory holds as many as one piece of the file has."""
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
        texts = {cell.column: text for cell in cells if (text := self._text(cell))}
        if not texts:
            return []
        width = self._width or max(texts)
        row = [texts.pop(column, "") for column in range(1, width + 1)]
        # Cells beside the table make the row too wide, but not by all the empty cells between.
        return [*row, *texts.values()]

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
        return unescaped(text)

    def _number(self, text: str, style: int) -> str:
        number = float(text) if "." in text or "e" in text.lower() else int(text)
        if style in self._workbook.dates:
            try:
                return _iso(from_excel(number, self._workbook.epoch, timedelta=style in self._workbook.durations))
            except (OverflowError, ValueError):
                # No calendar has such a date: take the number itself.
                pass
        return _plain(number)


class _RowTarget(CellTextTarget):
    """Collects the rows of a sheet's XML in `rows`, from which the caller takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int, list[Cell]]] = []
        self.is_over = False
        self._cells: list[Cell] = []
        self._number = self._column = self._style = 0
        self._kind = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        super().start(tag, attributes)
        if tag == CELL_TAG:
            place = attributes.get("r")
            self._column = column_index_from_string(place.rstrip(digits)) if place else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), int(attributes.get("s", 0))
        elif tag == ROW_TAG:
            self._number = int(attributes.get("r", self._number + 1))
            self._cells, self._column = [], 0

    def end(self, tag: str) -> None:
        super().end(tag)
        if tag == CELL_TAG:
            self._cells.append(Cell(self._column, self._kind, self._style, self._take()))
        elif tag == ROW_TAG:
            self.rows.append((self._number, self._cells))
        elif tag == DATA_TAG:
            self.is_over = True


def _plain(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, NUMBER_FORMAT)


def _iso(value: Any) -> str:
    """Return a date, a time or both by ISO 8601; a date with a time of midnight is a date."""
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return value.isoformat() if isinstance(value, date | time) else str(value)
