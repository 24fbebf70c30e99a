"""Turn valid rows into the Arrow columns of a run: key, line, the fields, and one column for each attribute."""

from collections.abc import Callable, Sequence
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from product_importer.catalog.schemas import sku_key
from product_importer.core.csv_injection import unescape_column
from product_importer.core.edges import trim, trim_name
from product_importer.imports.columns.attribute_names import is_attribute
from product_importer.imports.columns.header import IGNORED, Header
from product_importer.imports.columns.synonyms import active_flag
from product_importer.imports.models import ImportJob
from product_importer.imports.parsing.csv.arrow import ArrowChunk
from product_importer.imports.parsing.records import Chunk

TEXT_FIELDS = ("sku", "name", "description")


def attribute_column(place: int) -> str:
    """Return the name of the column of the file's attribute at a place among them, from 0."""
    return f"a{place}"


class RunColumns:
    """The columns of the runs of one file.

    `key` is the SKU's key, `line` the physical line where the record begins. `active` is null for a blank cell that
    keeps the product's value, an attribute for a blank cell. `active` is only there if the file has it.
    """

    def __init__(self, header: Header, keep_blank: bool = False):
        self._header = header
        self._positions = {field: header.fields.index(field) for field in TEXT_FIELDS}
        self._active = header.position("active")
        self._keep_blank = keep_blank
        self.names = list(header.attributes.values())
        fields = [pa.field("key", pa.string()), pa.field("line", pa.int32())]
        fields += [pa.field(field, pa.string()) for field in TEXT_FIELDS]
        fields += [pa.field("active", pa.bool_())] if self.has_active else []
        fields += [pa.field(attribute_column(place), pa.string()) for place in range(len(self.names))]
        self.schema = pa.schema(fields)

    @classmethod
    def of_job(cls, job: ImportJob) -> Self:
        """Return the columns of the runs of an import's file."""
        header = Header(tuple(job.header), tuple(job.fields))
        return cls(header, keep_blank=job.choices.get("blank") == "keep")

    @property
    def has_active(self) -> bool:
        """Whether the file has a column for `active`."""
        return self._active is not None

    @property
    def attributes(self) -> list[str]:
        """The names of the attributes' columns, in the order of `names`."""
        return list(map(attribute_column, range(len(self.names))))

    def batch(self, chunk: Chunk) -> pa.RecordBatch:
        """Return the columns of a chunk's rows."""
        skus = self._skus(chunk)
        columns = [
            _keys(skus),
            pa.array(chunk.lines, pa.int32()),
            skus,
            self._product_names(chunk),
            _unescaped(_whole(chunk, self._positions["description"])),
        ]
        if self._active is not None:
            columns.append(self._flags(_whole(chunk, self._active)))
        for position in self._header.attributes:
            values = _unescaped(_whole(chunk, position))
            columns.append(pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values))
        return pa.record_batch(columns, schema=self.schema)

    def cells(self, rows: pa.Table) -> list[list[str]]:
        """Return rows of a run as they are reported: in the order of the file's columns, ignored ones blank."""
        attributes = iter(self.attributes)
        names = [next(attributes) if is_attribute(field) else field for field in self._header.fields]
        blank = [""] * rows.num_rows
        columns = [blank if name == IGNORED else _as_text(rows[name]) for name in names]
        return [list(cells) for cells in zip(*columns, strict=True)]

    def _skus(self, chunk: Chunk) -> pa.StringArray:
        position = self._positions["sku"]
        if isinstance(chunk, ArrowChunk):
            return _without_escapes(chunk.stripped(position), trim)
        return _without_escapes(_array(list(map(trim, chunk.column(position)))), trim)

    def _product_names(self, chunk: Chunk) -> pa.StringArray:
        position = self._positions["name"]
        if isinstance(chunk, ArrowChunk):
            return _without_escapes(chunk.trimmed_names(position), trim_name)
        return _without_escapes(_array(list(map(trim_name, chunk.column(position)))), trim_name)

    def _flags(self, words: pa.StringArray) -> pa.BooleanArray:
        encoded = words.dictionary_encode()
        flags = [self._flag(word) for word in encoded.dictionary.to_pylist()]
        return pa.array(flags, pa.bool_()).take(encoded.indices)

    def _flag(self, word: str) -> bool | None:
        return None if self._keep_blank and not trim(word) else active_flag(word) == "t"


def array_of(rows: pa.Table, name: str) -> pa.Array:
    """Return a column of a table as one array."""
    column = rows[name].combine_chunks()
    return column.chunk(0) if isinstance(column, pa.ChunkedArray) else column


def _whole(chunk: Chunk, position: int) -> pa.StringArray:
    return chunk.arrays[position] if isinstance(chunk, ArrowChunk) else _array(chunk.column(position))


def _without_escapes(trimmed: pa.StringArray, trim_again: Callable[[str], str]) -> pa.StringArray:
    """Return trimmed values without escapes; spaces before or behind an escape are no part of a value."""
    if not _may_be_escaped(trimmed):
        return trimmed
    # A valid value is never all spaces.
    return _array(list(map(trim_again, unescape_column(trimmed.to_pylist()))))


def _unescaped(values: pa.StringArray) -> pa.StringArray:
    return _array(unescape_column(values.to_pylist())) if _may_be_escaped(values) else values


def _may_be_escaped(values: pa.StringArray) -> bool:
    return bool(pc.any(pc.starts_with(values, "'")).as_py())


def _keys(skus: pa.StringArray) -> pa.StringArray:
    """Return the keys of trimmed SKUs; Arrow makes those of ASCII, `sku_key` the others."""
    is_ascii = pc.string_is_ascii(skus)
    if pc.all(is_ascii).as_py() is not False:
        return pc.ascii_lower(skus)
    others = _array(list(map(sku_key, skus.filter(pc.invert(is_ascii)).to_pylist())))
    return pc.replace_with_mask(pc.ascii_lower(skus), pc.invert(is_ascii), others)


def _as_text(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, "true", "false")
    values: list[str] = pc.fill_null(column, "").to_pylist()
    return values


def _array(values: Sequence[str]) -> pa.StringArray:
    return pa.array(values, pa.string())
