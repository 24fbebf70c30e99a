"""Read what the catalogue holds of the keys of a range, as Arrow columns.

Keys and names of attributes are settings of the transaction (`set_config`), since `COPY` takes no parameters.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO

import pyarrow as pa
import pyarrow.compute as pc
from psycopg2 import sql
from psycopg2.extensions import cursor as PgCursor
from pyarrow import csv

from product_importer.catalog import distributed
from product_importer.core.db import identifier
from product_importer.imports.pipeline.run_columns import RunColumns

# A scan reads a held row in a third of the time that looking up a key takes. Few keys are looked up in any case.
DENSE = 3
FEW_KEYS = 1_000
# So many keys are scanned at once: what lies between them takes memory only until the next ones.
SCANNED_KEYS = 8_192
# With more attributes the whole object is read once: each `->>` unpacks all of it.
MAX_UNPACKED = 16
PREFIX = "product_importer."

SET = "SELECT set_config(%(name)s, %(value)s, true)"
SET_BOUNDS = """
SELECT set_config('product_importer.first_key', %(first_key)s, true),
    set_config('product_importer.last_key', %(last_key)s, true), set_config('product_importer.limit', %(limit)s, true)
"""
SET_KEYS = "SELECT set_config(%(name)s, %(keys)s::text[]::text, true)"
HELD = sql.SQL("COPY (SELECT {columns} FROM {table} WHERE {condition}) TO STDOUT (FORMAT csv)")
LISTED = sql.SQL("sku_key = ANY(current_setting('product_importer.keys')::text[])")
BETWEEN = sql.SQL(
    "sku_key BETWEEN current_setting('product_importer.first_key') AND current_setting('product_importer.last_key')"
    " ORDER BY sku_key LIMIT current_setting('product_importer.limit')::bigint"
)
ATTRIBUTES = [
    sql.SQL(f"attributes ->> current_setting('product_importer.a{place}')") for place in range(MAX_UNPACKED)
]


class HeldProducts:
    """Reads the products of an import's keys.

    Columns: `version`, `id`, `key`, `sku`, `name`, `description`, `active` if the file has it, then one column for
    each attribute of the file (null if absent), or `attributes`, the object's text, if they are more than
    `MAX_UNPACKED`. Values of attributes are compared as texts: a number that was stored by hand equals its text.
    """

    def __init__(self, columns: RunColumns):
        self._names = columns.names
        self._is_unpacked = len(columns.names) <= MAX_UNPACKED
        # A column of digits first: Arrow takes a byte order mark at the beginning away.
        self._columns = {"version": sql.SQL("version"), "id": sql.SQL("id"), "key": sql.SQL("sku_key")}
        self._columns |= {name: identifier(name) for name in ("sku", "name", "description")}
        if columns.has_active:
            self._columns["active"] = sql.SQL("active")
        if self._is_unpacked:
            self._columns |= dict(zip(columns.attributes, ATTRIBUTES, strict=False))
        else:
            self._columns["attributes"] = sql.SQL("attributes::text")
        # Once a range was sparse in a dense catalogue, all others are taken to be.
        self._is_sparse = False

    def read(self, cursor: PgCursor, keys: pa.StringArray) -> pa.Table:
        """Return the products that have one of the sorted keys, perhaps with others between them; any order."""
        self._set_names(cursor)
        parts = (keys[start : start + SCANNED_KEYS] for start in range(0, len(keys) or 1, SCANNED_KEYS))
        return pa.concat_tables(table for part in parts for table in self._scanned(cursor, part))

    def _scanned(self, cursor: PgCursor, keys: pa.StringArray) -> Iterator[pa.Table]:
        """Yield the products of sorted keys, by a scan as long as this is dense."""
        if self._is_sparse or len(keys) < FEW_KEYS:
            yield self._listed(cursor, keys)
            return
        limit = DENSE * len(keys)
        held = self._between(cursor, keys, limit)
        yield held if held.num_rows <= len(keys) else held.filter(pc.is_in(held["key"], keys))
        if held.num_rows == limit:
            # The rest would be read for little: from here on, and in the ranges to come, keys are looked up.
            self._is_sparse = True
            yield self._listed(cursor, keys.filter(pc.greater(keys, held["key"][-1])))

    def _set_names(self, cursor: PgCursor) -> None:
        if self._is_unpacked:
            for place, name in enumerate(self._names):
                cursor.execute(SET, {"name": f"{PREFIX}a{place}", "value": name})
                distributed.tell_nodes(cursor, f"a{place}")

    def _listed(self, cursor: PgCursor, keys: pa.StringArray) -> pa.Table:
        if not len(keys):
            return self._parsed(BytesIO())
        cursor.execute(SET_KEYS, {"name": f"{PREFIX}keys", "keys": keys.to_pylist()})
        distributed.tell_nodes(cursor, "keys")
        return self._copied(cursor, LISTED)

    def _between(self, cursor: PgCursor, keys: pa.StringArray, limit: int) -> pa.Table:
        bounds = {"first_key": keys[0].as_py(), "last_key": keys[-1].as_py(), "limit": str(limit)}
        cursor.execute(SET_BOUNDS, bounds)
        distributed.tell_nodes(cursor, *bounds)
        return self._copied(cursor, BETWEEN)

    def _copied(self, cursor: PgCursor, condition: sql.SQL) -> pa.Table:
        columns = sql.SQL(", ").join(self._columns.values())
        out = BytesIO()
        cursor.copy_expert(HELD.format(columns=columns, table=sql.SQL("product"), condition=condition), out)
        return self._parsed(out)

    def _parsed(self, out: BytesIO) -> pa.Table:
        types = dict.fromkeys(self._columns, pa.string()) | {"version": pa.int32()}
        if not out.tell():
            return pa.schema(types.items()).empty_table()
        return _parse(out, list(self._columns), types)


def _parse(out: BytesIO, names: Sequence[str], types: dict[str, pa.DataType]) -> pa.Table:
    """Parse what `COPY … TO` wrote: quoted and empty is an empty text, not quoted and empty is NULL."""
    return csv.read_csv(
        pa.BufferReader(out.getbuffer()),
        csv.ReadOptions(use_threads=False, block_size=out.tell() + 1, column_names=list(names)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            check_utf8=False,
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
