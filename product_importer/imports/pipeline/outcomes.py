"""Note the outcomes of a range in the table of a dry run, and read them when the dry run is applied."""

import pyarrow as pa
import pyarrow.compute as pc
from psycopg2 import sql
from psycopg2.extensions import cursor as PgCursor

from product_importer.core.db import identifier
from product_importer.imports.error_codes import ChangeOutcome
from product_importer.imports.pipeline import attributes, copy_text
from product_importer.imports.pipeline.decide import Decided
from product_importer.imports.pipeline.run_columns import RunColumns, array_of

SEEN = sql.SQL("""
SELECT sku_key, product_id::text, version FROM {table}
WHERE sku_key BETWEEN %(first)s AND %(last)s ORDER BY sku_key
""")
SEEN_TYPES = {"key": pa.string(), "id": pa.string(), "version": pa.int32()}


def note(cursor: PgCursor, table: str, columns: RunColumns, decided: Decided) -> None:
    """Store the outcome of each row, and the values of those that would change a product."""
    rows = decided.rows
    changes = pc.is_in(rows["outcome"], pa.array([outcome.value for outcome in ChangeOutcome]))
    stored = {
        "sku_key": rows["key"],
        "line": rows["line"],
        "product_id": rows["id"],
        "version": rows["version"],
        "outcome": rows["outcome"],
        **{name: _only(changes, rows[name]) for name in ("sku", "name", "description")},
    }
    if columns.has_active:
        stored["active"] = _only(changes, rows["active"])
    if columns.names:
        stored["attributes"] = _only(changes, attributes.objects(rows, columns.names))
    table_of_rows = pa.table(stored)
    copy_text.copy(cursor, table, {name: array_of(table_of_rows, name) for name in stored})


def seen(cursor: PgCursor, table: str, keys: pa.StringArray) -> pa.Table:
    """Return what the dry run saw of sorted keys: `key`, `id` and `version`, null where there was no product."""
    found = []
    if len(keys):
        cursor.execute(SEEN.format(table=identifier(table)), {"first": keys[0].as_py(), "last": keys[-1].as_py()})
        found = cursor.fetchall()
    columns = list(zip(*found, strict=True)) or [()] * len(SEEN_TYPES)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, SEEN_TYPES.values(), strict=True)]
    return pa.table(arrays, names=list(SEEN_TYPES))


def _only(mask: pa.ChunkedArray, values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    return pc.if_else(mask, values, pa.scalar(None, values.type))
