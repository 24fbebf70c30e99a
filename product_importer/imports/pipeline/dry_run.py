"""Store and list the outcomes of a dry run, each with the version of the product that the row was compared with."""

from typing import Any
from uuid import UUID

import psycopg2.extras
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection

from product_importer.core.db import identifier
from product_importer.core.dropping import drop_unread
from product_importer.imports.columns.header import Header
from product_importer.imports.error_codes import ChangeOutcome
from product_importer.imports.models import ImportJob
from product_importer.imports.schemas import ChangesQuery, FieldChange, ImportChange

PREFIX = "import_preview_"
MAX_EXAMPLES = 20

# `outcomes` writes what each row was compared with, and the given values of rows that would change a product. A dry
# run may be applied days later, and must then find them: the table is logged.
CREATE = sql.SQL("""
CREATE TABLE IF NOT EXISTS {table} (
    sku_key text COLLATE "C" NOT NULL,
    line integer NOT NULL,
    product_id uuid,
    version integer,
    outcome text NOT NULL,
    sku text,
    name text,
    description text,
    active boolean,
    attributes jsonb
) WITH (autovacuum_enabled = false)
""")
CHANGED = f"outcome IN ('{ChangeOutcome.CREATED}', '{ChangeOutcome.UPDATED}')"
# For listing the changes.
INDEX = sql.SQL(f"CREATE INDEX IF NOT EXISTS {{index}} ON {{table}} (line, outcome) WHERE {CHANGED}")
# For the merge that applies the dry run.
KEY = sql.SQL("CREATE INDEX IF NOT EXISTS {key} ON {table} (sku_key)")
ANALYZE = sql.SQL("ANALYZE {table}")

# Products that are distributed are read by their keys, and joined where the dry run is.
CHANGES = sql.SQL(f"""
WITH seen AS MATERIALIZED (
    SELECT * FROM {{preview}} WHERE {CHANGED} AND outcome = ANY(%(outcomes)s)
    ORDER BY line LIMIT %(limit)s OFFSET %(offset)s
), held AS MATERIALIZED (SELECT * FROM product WHERE sku_key IN (SELECT sku_key FROM seen))
SELECT seen.line, seen.outcome, seen.sku, seen.name, seen.description, seen.active, seen.attributes,
    held.id AS held_id, held.sku AS held_sku, held.name AS held_name, held.description AS held_description,
    held.active AS held_active, held.attributes AS held_attributes,
    (held.id, held.version) IS DISTINCT FROM (seen.product_id, seen.version) AS is_outdated
FROM seen LEFT JOIN held USING (sku_key)
ORDER BY seen.line
""")
OUTDATED = sql.SQL("""
SELECT count(*), (array_agg(coalesce(held.sku, seen.sku_key)))[:%(examples)s]
FROM {preview} AS seen LEFT JOIN product AS held USING (sku_key)
WHERE (held.id, held.version) IS DISTINCT FROM (seen.product_id, seen.version)
""")


def name(job_id: UUID) -> str:
    """Return the name of the table of an import's dry run."""
    return f"{PREFIX}{job_id.hex}"


def create(connection: PgConnection, job_id: UUID) -> str:
    """Create the table of a dry run if it does not exist, and return its name."""
    _execute(connection, CREATE, name(job_id))
    return name(job_id)


def index(connection: PgConnection, table: str) -> None:
    """Index and analyze a filled table."""
    _execute(connection, INDEX, table)
    _execute(connection, KEY, table)
    _execute(connection, ANALYZE, table)


def drop(connection: PgConnection, job_id: UUID) -> bool:
    """Drop the table of a dry run, unless a backup reads it; return whether it is gone."""
    return drop_unread(connection, name(job_id))


def outdated(connection: PgConnection, table: str) -> tuple[int, list[str]]:
    """Return the number of products created, changed or deleted since the dry run, and the SKUs of some."""
    with connection.cursor() as cursor:
        cursor.execute(OUTDATED.format(preview=identifier(table)), {"examples": MAX_EXAMPLES})
        count, examples = cursor.fetchone() or (0, None)
    return count, examples or []


def changes(connection: PgConnection, job: ImportJob, query: ChangesQuery) -> list[ImportChange]:
    """Return one page of what the import would do, field by field, in the order of the file's lines."""
    statement = CHANGES.format(preview=identifier(job.preview_table or ""))
    values = {
        "outcomes": [query.outcome] if query.outcome else list(ChangeOutcome),
        "limit": query.page_size,
        "offset": query.offset,
    }
    header = Header(tuple(job.header), tuple(job.fields))
    keeps = job.choices.get("blank") == "keep"
    with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute(statement, values)
        return [_change(row, header, keeps) for row in cursor.fetchall()]


def _change(row: dict[str, Any], header: Header, keeps: bool) -> ImportChange:
    pairs = [(field, row[f"held_{field}"], row[field]) for field in ("name", "description")]
    if header.position("active") is not None:
        pairs.append(("active", row["held_active"], row["active"]))
    held, given = row["held_attributes"] or {}, row["attributes"] or {}
    pairs += [(label, held.get(label), given.get(label)) for label in header.attributes.values()]
    return ImportChange(
        line=row["line"],
        sku=row["held_sku"] or row["sku"],
        outcome=row["outcome"],
        product_id=row["held_id"],
        is_outdated=row["is_outdated"],
        changes=[
            FieldChange(field=field, before=before, after=after)
            for field, before, after in pairs
            # A blank cell that keeps the value changes nothing.
            if before != after and not (keeps and after in (None, ""))
        ],
    )


def _execute(connection: PgConnection, statement: sql.SQL, table: str) -> None:
    names = {"table": table, "index": f"{table}_line", "key": f"{table}_key"}
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**{place: identifier(name) for place, name in names.items()}))
