"""Encode valid rows as text for `COPY … FROM STDIN`, column by column.

A call for each cell would take longer than PostgreSQL takes for the row.
"""

import json
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from product_importer.catalog.csv_injection import unescape_column
from product_importer.catalog.schemas import sku_key
from product_importer.imports.columns.header import Header
from product_importer.imports.columns.synonyms import active_flag
from product_importer.imports.parsing.csv.arrow import ArrowChunk
from product_importer.imports.parsing.records import Chunk
from product_importer.imports.pipeline.staging_table import NULL, escaped


class Encoder:
    """Encodes rows: line, key, SKU, name, description, and `active` and `attributes` if the file has them.

    With `keep_blank` a blank cell of `active` is NULL, which keeps the value of the product.
    """

    def __init__(self, header: Header, keep_blank: bool = False):
        self._sku, self._name, self._description = map(header.fields.index, ("sku", "name", "description"))
        self._active = header.position("active")
        self._attributes = header.attributes
        self._flag = _kept_flag if keep_blank else active_flag

    def __call__(self, chunk: Chunk) -> bytes:
        if not chunk.rows:
            return b""
        return self._of_arrays(chunk) if isinstance(chunk, ArrowChunk) else self._of_rows(chunk)

    def _of_rows(self, chunk: Chunk) -> bytes:
        skus = _stripped(chunk.column(self._sku))
        columns: list[Iterable[str]] = [
            map(str, chunk.lines),
            escaped(_keys(skus)),
            escaped(skus),
            escaped(_stripped(chunk.column(self._name))),
            escaped(unescape_column(chunk.column(self._description))),
            *self._optional(chunk),
        ]
        return ("\n".join(map("\t".join, zip(*columns, strict=True))) + "\n").encode()

    def _of_arrays(self, chunk: ArrowChunk) -> bytes:
        skus = _stripped_array(chunk, self._sku)
        is_ascii = pc.all(pc.string_is_ascii(skus)).as_py()
        columns = [
            pc.cast(pa.arange(chunk.lines[0], chunk.lines[-1] + 1), pa.string()),
            pc.ascii_lower(skus) if is_ascii else _array(_keys(skus.to_pylist())),
            skus,
            _stripped_array(chunk, self._name),
            _unescaped_array(chunk.arrays[self._description]),
            *map(_array, self._optional(chunk)),
        ]
        lines = pc.binary_join_element_wise(*columns, "\t")
        ended = pc.binary_join_element_wise(lines, "", "\n")
        # The values of an array lie one after the other in memory.
        return bytes(ended.buffers()[2])

    def _optional(self, chunk: Chunk) -> list[Sequence[str]]:
        """Return the columns `active` and `attributes`, as far as the file has them."""
        columns: list[Sequence[str]] = []
        if self._active is not None:
            columns.append([self._flag(word) for word in chunk.column(self._active)])
        if self._attributes:
            columns.append(escaped(_objects(self._attributes, chunk)))
        return columns


def _kept_flag(word: str) -> str:
    return active_flag(word) if word.strip() else NULL


def _stripped(values: Sequence[str]) -> Sequence[str]:
    """Return a column without escapes and outer spaces; spaces before an escape are no part of the value either."""
    stripped = list(map(str.strip, values))
    unescaped = unescape_column(stripped)
    # There may be spaces after an escape; a valid value is never all spaces.
    return stripped if unescaped is stripped else list(map(str.strip, unescaped))


def _stripped_array(chunk: ArrowChunk, position: int) -> pa.StringArray:
    stripped = chunk.stripped(position)
    return _array(_stripped(stripped.to_pylist())) if _may_be_escaped(stripped) else stripped


def _unescaped_array(values: pa.StringArray) -> pa.StringArray:
    return _array(unescape_column(values.to_pylist())) if _may_be_escaped(values) else values


def _may_be_escaped(values: pa.StringArray) -> bool:
    return bool(pc.any(pc.starts_with(values, "'")).as_py())


def _array(values: Sequence[str]) -> pa.StringArray:
    return pa.array(values, pa.string())


def _keys(skus: Sequence[str]) -> list[str]:
    if "".join(skus).isascii():
        return list(map(str.lower, skus))
    return list(map(sku_key, skus))


def _objects(names: dict[int, str], chunk: Chunk) -> list[str]:
    """Return the attributes of each row as a JSON object, without the blank ones."""
    picked = [unescape_column(chunk.column(position)) for position in names]
    labels = list(names.values())
    return [
        json.dumps({label: value for label, value in zip(labels, values, strict=True) if value}, ensure_ascii=False)
        for values in zip(*picked, strict=True)
    ]
