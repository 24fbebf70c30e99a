"""Encode Arrow columns in the text format of `COPY … FROM STDIN`."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from psycopg2 import sql
from psycopg2.extensions import cursor as PgCursor

from product_importer.core.db import identifier

NULL = "\\N"
# The backslash first: the others are replaced by texts that begin with one.
ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
COPY = sql.SQL("COPY {table} ({columns}) FROM STDIN")
BLOCK_BYTES = 4 * 1024 * 1024


def copy(cursor: PgCursor, table: str, columns: dict[str, pa.Array]) -> None:
    """Copy columns of equal length into those of the same names of one of our tables; nothing for no rows."""
    arrays = list(columns.values())
    if not len(arrays[0]):
        return
    names = sql.SQL(", ").join(map(identifier, columns))
    statement = COPY.format(table=identifier(table), columns=names)
    cursor.copy_expert(statement, pa.BufferReader(encode(arrays)), size=BLOCK_BYTES)


def encode(arrays: Sequence[pa.Array]) -> pa.Buffer:
    """Return the rows of columns of equal length as lines of text; null is NULL."""
    lines = pc.binary_join_element_wise(*map(_cells, arrays), "\t")
    ended = pc.binary_join_element_wise(lines, "", "\n")
    # The values of an array lie one after the other in memory.
    return ended.buffers()[2]


def _cells(array: pa.Array) -> pa.StringArray:
    if pa.types.is_boolean(array.type):
        array = pc.if_else(array, "t", "f")
    elif not pa.types.is_string(array.type):
        array = pc.cast(array, pa.string())
    else:
        array = _escaped(array)
    return pc.fill_null(array, NULL) if array.null_count else array


def _escaped(array: pa.StringArray) -> pa.StringArray:
    values = array.buffers()[2]
    octets = bytes(values) if values is not None else b""
    for special, escape in ESCAPES.items():
        if special.encode() in octets:
            array = pc.replace_substring(array, special, escape)
    return array
