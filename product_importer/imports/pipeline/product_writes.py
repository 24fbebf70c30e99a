"""Write the products of one range: new ones by `COPY`, changed ones by one `UPDATE` that checks id and version."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
import pyarrow.compute as pc
from psycopg2 import sql
from psycopg2.extensions import cursor as PgCursor

from product_importer.catalog import distributed
from product_importer.core.db import identifier
from product_importer.imports.pipeline import attributes, copy_text, undo
from product_importer.imports.pipeline.cuts import KeyRange
from product_importer.imports.pipeline.held import FEW_KEYS
from product_importer.imports.pipeline.numbered_ids import numbered
from product_importer.imports.pipeline.run_columns import RunColumns, array_of

CREATE_GIVEN = """
CREATE TEMPORARY TABLE given (
    sku_key text COLLATE "C", id uuid, version integer, name text, description text, active boolean, attributes jsonb
) ON COMMIT DROP
"""
# The bound limits both sides of the join to the range, so a merge join is linear whatever the statistics say.
UPDATE = sql.SQL("""
UPDATE product AS held SET {assignments}, version = held.version + 1, updated_at = now() FROM {given}
WHERE held.sku_key = given.sku_key AND held.id = given.id AND held.version = given.version AND {bound}
""")
TEMPORARY = sql.SQL("given")
PART = sql.SQL(f"{distributed.GIVEN} AS given")
ANY_PART, OF_PART = sql.SQL(""), sql.SQL("given.part = %(part)s AND ")
LISTED = sql.SQL("held.sku_key = ANY(%(keys)s)")
BETWEEN = sql.SQL("held.sku_key BETWEEN %(first)s AND %(last)s")
# The attributes of the file replace those of the same names; a blank cell removes one, or keeps it.
ATTRIBUTES = {
    "clear": sql.SQL("attributes = (held.attributes - %(names)s::text[]) || given.attributes"),
    "keep": sql.SQL("attributes = held.attributes || given.attributes"),
}


class Overtaken(Exception):
    """A product was changed or deleted between being read and being written: the range is written again."""


def insert(cursor: PgCursor, job_id: UUID, key_range: KeyRange, columns: RunColumns, rows: pa.Table) -> pa.Table:
    """Insert new products in the order of their keys; return them with their `id` and `version`.

    Raises:
        psycopg2.errors.UniqueViolation: another transaction has created one of them.
    """
    first = key_range.first_number
    numbers = rows["line"].to_pylist() if first is None else range(first, first + rows.num_rows)
    ids = numbered(job_id, numbers)
    keys = {"id": ids, "sku": array_of(rows, "sku"), "sku_key": array_of(rows, "key")}
    copy_text.copy(cursor, "product", keys | _values(columns, rows))
    if distributed.is_distributed(cursor.connection):
        distributed.note(cursor, ids.to_pylist(), rows.num_rows)
    versions = pa.array([1] * rows.num_rows, pa.int32())
    return rows.drop(["id", "version"]).append_column("id", ids).append_column("version", versions)


def update(
    cursor: PgCursor, columns: RunColumns, blank: str, rows: pa.Table, undo_table: Callable[[], str]
) -> pa.Table:
    """Update products that still have the `id` and the `version` that were read of them.

    Return them with their new `version` and the `sku` that they keep. What is overwritten is kept in `undo_table`,
    which is called when there is something.

    Raises:
        Overtaken: a product has changed meanwhile, or is gone.
    """
    if not rows.num_rows:
        return rows
    keys = array_of(rows, "key")
    values = _values(columns, rows)
    rows_of = {"sku_key": keys, "id": array_of(rows, "id"), "version": array_of(rows, "version")}
    part = _give(cursor, rows_of | values, undo_table())
    given, bound = (TEMPORARY, ANY_PART) if part is None else (PART, OF_PART)
    bounds: dict[str, Any] = {"names": columns.names, "part": str(part)}
    if len(keys) < FEW_KEYS:
        bound += LISTED
        bounds["keys"] = keys.to_pylist()
    else:
        bound += BETWEEN
        bounds |= {"first": keys[0].as_py(), "last": keys[-1].as_py()}
    assignments = sql.SQL(", ").join(
        ATTRIBUTES[blank]
        if name == "attributes"
        else sql.SQL("{column} = given.{column}").format(column=identifier(name))
        for name in values
    )
    cursor.execute(UPDATE.format(assignments=assignments, given=given, bound=bound), bounds)
    if cursor.rowcount != rows.num_rows:
        raise Overtaken
    if part is not None:
        distributed.forget(cursor, part)
        distributed.note(cursor, rows["id"].to_pylist(), 0)
    versions = pc.add(rows["version"], 1)
    return rows.drop(["sku", "version"]).append_column("sku", rows["held_sku"]).append_column("version", versions)


def _give(cursor: PgCursor, given: dict[str, pa.Array], undo_table: str) -> UUID | None:
    """Give what products are changed to, and let `undo_table` keep what they have.

    Return in which part of `distributed.GIVEN` it is; None if it is a temporary table of this transaction.
    """
    if not distributed.is_distributed(cursor.connection):
        cursor.execute(CREATE_GIVEN)
        copy_text.copy(cursor, "given", given)
        undo.keep_overwritten(cursor, undo_table)
        return None
    part = uuid4()
    parts = pa.array([str(part)] * len(given["sku_key"]))
    copy_text.copy(cursor, distributed.GIVEN, {"part": parts, **given})
    distributed.keep_overwritten(cursor, identifier(undo_table), part)
    return part


def _values(columns: RunColumns, rows: pa.Table) -> dict[str, pa.Array]:
    """Return the columns of `product` that the file fills, besides the SKU."""
    names = ["name", "description", *(["active"] if columns.has_active else [])]
    values = {name: array_of(rows, name) for name in names}
    if columns.names:
        values["attributes"] = attributes.objects(rows, columns.names)
    return values
