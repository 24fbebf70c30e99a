"""Parse well-formed CSV text with Arrow: whole columns at a time, without an object for each cell.

Arrow's reader accepts what `csv.reader` calls malformed. So it only gets text on which the two cannot differ: each
quote is where it belongs, and all records have equally many fields. All other text is left to the strict reader.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from product_importer.core.edges import EDGES, SPACES, trim_name
from product_importer.imports.columns.header import MAX_COLUMNS
from product_importer.imports.parsing.csv import broken_records
from product_importer.imports.parsing.csv.physical_lines import BYTE_ORDER_MARK
from product_importer.imports.parsing.records import Chunk


class _RowView(Sequence[list[str]]):
    """Rows made from columns when they are asked for."""

    def __init__(self, columns: list[pa.StringArray]):
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns[0])

    @overload
    def __getitem__(self, place: int) -> list[str]: ...
    @overload
    def __getitem__(self, place: slice) -> list[list[str]]: ...
    def __getitem__(self, place: int | slice) -> list[str] | list[list[str]]:
        if isinstance(place, slice):
            return [list(row) for row in zip(*(column[place].to_pylist() for column in self._columns), strict=True)]
        return [column[place].as_py() for column in self._columns]

    def __iter__(self) -> Iterator[list[str]]:
        return iter(self[:])


@dataclass(frozen=True)
class ArrowChunk(Chunk):
    """A chunk whose rows are kept as Arrow columns of text, without nulls."""

    arrays: Sequence[pa.StringArray] = ()
    # The columns that were trimmed, by position: the validation and the run both need those of SKU and name.
    _trimmed: dict[int, pa.StringArray] = field(default_factory=dict, init=False, repr=False, compare=False)

    def widths(self) -> set[int]:
        return {len(self.arrays)}

    def column(self, position: int) -> Sequence[str]:
        values: list[str] = self.arrays[position].to_pylist()
        return values

    def has_blank(self, position: int) -> bool:
        return bool(pc.min(pc.binary_length(self.stripped(position))).as_py() == 0)

    def has_value(self, position: int, value: str) -> bool:
        return bool(pc.index(self.stripped(position), value).as_py() >= 0)

    def has_match(self, position: int, part: str, pattern: re.Pattern[str]) -> bool:
        values = self.stripped(position)
        # Looking for a part is far quicker than the pattern.
        values = values.filter(pc.match_substring(values, part))
        return any(map(pattern.fullmatch, values.to_pylist()))

    def fitted(self, width: int, needed: int) -> "ArrowChunk | None":
        own = len(self.arrays)
        if own == width:
            return self
        if own < needed or not all(map(self._is_blank, range(width, own))):
            return None
        missing = [pa.repeat(pa.scalar("", pa.string()), len(self.rows))] * (width - own)
        return self._with([*self.arrays[:width], *missing])

    def mapped(
        self, marks: Iterable[str], change: Callable[[str], str], at_start: bool = False
    ) -> tuple[Chunk, list[int]]:
        find = pc.starts_with if at_start else pc.match_substring
        arrays, places = list(self.arrays), []
        for position, array in enumerate(arrays):
            if any(pc.any(find(array, mark)).as_py() for mark in marks):
                values = array.to_pylist()
                changed = list(map(change, values))
                places += [at for at, value in enumerate(values) if changed[at] != value]
                arrays[position] = pa.array(changed, pa.string())
        return (self._with(arrays) if places else self), places

    def longest(self, position: int) -> int:
        return int(pc.max(pc.utf8_length(self.arrays[position])).as_py())

    def distinct(self, position: int) -> set[str]:
        return set(pc.unique(self.arrays[position]).to_pylist())

    def has_nul(self) -> bool:
        return False

    def stripped(self, position: int) -> pa.StringArray:
        """Return a column with trimmed edges."""
        if position not in self._trimmed:
            self._trimmed[position] = trim_column(self.arrays[position])
        return self._trimmed[position]

    def trimmed_names(self, position: int) -> pa.StringArray:
        """Return a column as `trim_name` returns its values."""
        values, trimmed = self.arrays[position], self.stripped(position)
        differ = pc.not_equal(values, trimmed)
        if not pc.any(differ).as_py() or pc.all(pc.string_is_ascii(values)).as_py():
            return trimmed
        names = pa.array(map(trim_name, values.filter(differ).to_pylist()), pa.string())
        return pc.replace_with_mask(trimmed, differ, names)

    def _is_blank(self, position: int) -> bool:
        return bool(pc.max(pc.binary_length(self.stripped(position))).as_py() == 0)

    def _with(self, arrays: list[pa.StringArray]) -> "ArrowChunk":
        return replace(self, rows=_RowView(arrays), arrays=arrays)


def trim_column(values: pa.StringArray) -> pa.StringArray:
    """Return a column as `trim` returns its values."""
    # Nothing invisible is ASCII, and the table of the few spaces is made in less time.
    is_ascii = pc.all(pc.string_is_ascii(values)).as_py() is not False
    return pc.utf8_trim(values, characters=SPACES if is_ascii else EDGES)


def row_view(columns: list[pa.StringArray]) -> Sequence[list[str]]:
    """Return the rows of columns without nulls; each is made when it is asked for."""
    return _RowView(columns)


def parse(text: str, delimiter: str, first_line: int) -> ArrowChunk | None:
    """Parse whole records, the first of which begins in `first_line`; None for text that is not well-formed."""
    outline = None if not text or _is_special(text) else _outline(text, delimiter)
    if outline is None:
        return None
    width = outline.partition("\n")[0].count(delimiter) + 1
    if width > MAX_COLUMNS:
        # No such row can be imported, and Arrow's columns would fill the memory.
        return None
    breaks = outline.count("\n")
    block, names = text.encode(), list(map(str, range(width)))
    try:
        table = csv.read_csv(
            pa.BufferReader(block),
            csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
            csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            csv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        # A record with more or fewer fields than the first one.
        return None
    if table.num_rows != breaks + (not text.endswith("\n")):
        # Arrow left out empty lines, so the line numbers would be wrong.
        return None
    arrays = [column.combine_chunks() for column in table.columns]
    lines: Sequence[int] = range(first_line, first_line + table.num_rows)
    if len(outline) < len(text) and breaks < text.count("\n"):
        lines = _first_lines(first_line, arrays)
    return ArrowChunk(lines, _RowView(arrays), arrays=arrays)


def _is_special(text: str) -> bool:
    """Whether Arrow could differ from `csv.reader` whatever the quotes are like."""
    # Arrow removes a byte order mark, though a block is the middle of a file.
    if "\0" in text or text.startswith(BYTE_ORDER_MARK) or len(text) > broken_records.MAX_FIELD_CHARACTERS:
        return True
    # A carriage return by itself, the line break of old Macs.
    return "\r" in text and text.count("\r") != text.count("\r\n")


def _outline(text: str, delimiter: str) -> str | None:
    """Return the text with one quote for each quoted field; None where a quote is not at a field's end or doubled."""
    if '"' not in text:
        return text
    # Every second part is outside of quotes, and empty between two doubled ones.
    parts = text.split('"')
    if len(parts) % 2 == 0:
        return None
    first, *between, last = parts[::2]
    distinct = set(filter(None, between))
    before = {part[-1:] for part in (first, *distinct)}
    # A carriage return belongs to a line break here.
    behind = {part[:1] for part in (last, *distinct)}
    if not (before <= {delimiter, "\n", ""} and behind <= {delimiter, "\r", "\n", ""}):
        return None
    return '"'.join([first, *filter(None, between), last])


def _first_lines(first_line: int, arrays: Sequence[pa.StringArray]) -> Sequence[int]:
    """Return the physical line on which each record begins, where fields hold line breaks."""
    breaks = pc.count_substring(arrays[0], "\n")
    for array in arrays[1:]:
        breaks = pc.add(breaks, pc.count_substring(array, "\n"))
    heights = pc.add(pc.cast(breaks, pa.int64()), 1)
    lines = pc.add(pc.subtract(pc.cumulative_sum(heights), heights), first_line)
    # A view of the numbers in memory, which takes no object for each of them.
    return memoryview(lines.buffers()[1]).cast("B").cast("q")[: len(lines)]
