"""Parse simple CSV text with Arrow: whole columns at a time, without an object for each cell.

Arrow's reader accepts what `csv.reader` calls malformed. So it only gets text on which the two cannot differ: without
a quote, and with equally many fields in every line. All other text is left to the strict reader.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from product_importer.imports.columns.header import MAX_COLUMNS
from product_importer.imports.parsing.records import Chunk

# Quotes; what PostgreSQL cannot store; what would have to be escaped for COPY.
SPECIAL = '"\0\\\t'
# Arrow removes it, though a block is the middle of a file.
BYTE_ORDER_MARK = "\ufeff"
# What `str.strip` removes.
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))


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

    def widths(self) -> set[int]:
        return {len(self.arrays)}

    def column(self, position: int) -> Sequence[str]:
        values: list[str] = self.arrays[position].to_pylist()
        return values

    def has_blank(self, position: int) -> bool:
        return bool(pc.min(pc.binary_length(self.stripped(position))).as_py() == 0)

    def longest(self, position: int) -> int:
        return int(pc.max(pc.utf8_length(self.arrays[position])).as_py())

    def distinct(self, position: int) -> set[str]:
        return set(pc.unique(self.arrays[position]).to_pylist())

    def has_nul(self) -> bool:
        return False

    def stripped(self, position: int) -> pa.StringArray:
        """Return a column without its outer spaces."""
        return pc.utf8_trim(self.arrays[position], characters=SPACES)


def parse(text: str, delimiter: str, first_line: int) -> ArrowChunk | None:
    """Parse whole lines, the first of which is `first_line`; None for text that is not simple."""
    if not text or _is_special(text, delimiter):
        return None
    width = text.partition("\n")[0].count(delimiter) + 1
    if width > MAX_COLUMNS:
        # No such row can be imported, and Arrow's columns would fill the memory.
        return None
    block, names = text.encode(), list(map(str, range(width)))
    try:
        table = csv.read_csv(
            pa.BufferReader(block),
            csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
            csv.ParseOptions(delimiter=delimiter, quote_char=False),
            csv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        # A line with more or fewer fields than the first one.
        return None
    if table.num_rows < text.count("\n") + (not text.endswith("\n")):
        # Arrow left out empty lines, so the line numbers would be wrong.
        return None
    columns = [column.combine_chunks() for column in table.columns]
    return ArrowChunk(range(first_line, first_line + table.num_rows), _RowView(columns), arrays=columns)


def _is_special(text: str, delimiter: str) -> bool:
    if text.startswith(BYTE_ORDER_MARK):
        return True
    if any(character in text for character in SPECIAL if character != delimiter):
        return True
    # A carriage return by itself, the line break of old Macs.
    return "\r" in text and text.count("\r") != text.count("\r\n")
