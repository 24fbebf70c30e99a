"""Bring back what an action has deleted, as far as nobody has taken the ids or SKUs since."""

from psycopg2 import sql

from product_importer.catalog.events import INSERT_EVENTS, NUMBERED_ID
from product_importer.core.outbox import EventType
from product_importer.imports.error_codes import UndoKeptReason

# The columns of a deleted product besides its id.
SAVED = (
    "version",
    "name",
    "description",
    "active",
    "attributes",
    "sku",
    "sku_key",
    "created_at",
    "updated_at",
)
COLUMNS = ", ".join(SAVED[1:-1])
# What the table of a deletion has besides those of `undo.CREATE`.
MORE = sql.SQL(""",
    sku text NOT NULL,
    sku_key text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
""")
# The products that stand in its way: they have an id or a SKU of one that was deleted.
OF_UNDO = sql.SQL("id IN (SELECT product_id FROM {undo}) OR sku_key IN (SELECT sku_key FROM {undo})")
# In the order of keys, as imports insert them. What it brings back counts as what it was before the deletion, so that
# an earlier import can be undone, too.
BRING_BACK = sql.SQL(f"""
WITH restored AS (
    INSERT INTO product (id, version, updated_at, {COLUMNS})
    SELECT product_id, version + 1, now(), {COLUMNS} FROM {{undo}} ORDER BY sku_key
    ON CONFLICT DO NOTHING
    RETURNING id, sku, name, version
), noted AS (
    INSERT INTO import_undo_restored (product_id, version, as_version, job_id)
    SELECT id, version, version - 1, %(job_id)s::uuid FROM restored
    UNION
    SELECT restored.id, restored.version, earlier.as_version, %(job_id)s::uuid
    FROM restored JOIN import_undo_restored AS earlier
        ON earlier.product_id = restored.id AND earlier.version = restored.version - 1
), events AS ({{restored_events}})
SELECT count(*) FROM restored
""")
# Runs after the one above, so that it sees what that one left.
KEEP = sql.SQL(f"""
WITH kept AS (
    INSERT INTO import_undo_kept (job_id, product_id, sku, reason)
    SELECT %(job_id)s::uuid, u.product_id, u.sku,
        CASE WHEN p.id IS NULL THEN '{UndoKeptReason.SKU_TAKEN}' ELSE '{UndoKeptReason.EXISTS}' END
    FROM {{undo}} AS u LEFT JOIN product AS p ON p.id = u.product_id
    WHERE NOT EXISTS (
        SELECT FROM import_undo_restored AS r
        WHERE r.product_id = u.product_id AND r.version = p.version AND r.as_version = u.version
    )
    RETURNING 1
)
SELECT count(*) FROM kept
""")
RESTORED_EVENTS = sql.SQL(
    INSERT_EVENTS.format(
        event_id=NUMBERED_ID.format(number="row_number() OVER (ORDER BY id)"),
        event_type=f"'{EventType.PRODUCT_CREATED}'",
        batch_id="%(batch)s",
        source="restored",
    )
)
