"""The SQL of the merge, as templates that `merge_sql` fills by an import's header and options.

The parameters of a statement are the range (`after`, `range_end`), the number after which new products are numbered
(`numbered`), and those in `Statements.values`. Text that comes from a file or a person is always a parameter, never
part of a template. MERGE and DRY_RUN return one row, in the order of `merge.Outcome`.
"""

from product_importer.catalog.events import INSERT_EVENTS, NUMBERED_ID
from product_importer.core.outbox import EventType
from product_importer.imports.columns.header import IGNORED
from product_importer.imports.error_codes import RowErrorCode, RowOutcome

RANGE = "sku_key > %(after)s AND sku_key <= %(range_end)s"

# One row for each key, by the option `duplicates`. In the order of keys, so that two imports cannot deadlock.
INCOMING = {
    "last": "SELECT DISTINCT ON (sku_key) * FROM {staging} WHERE " + RANGE + " ORDER BY sku_key, line DESC",
    "first": "SELECT DISTINCT ON (sku_key) * FROM {staging} WHERE " + RANGE + " ORDER BY sku_key, line",
    "reject": "SELECT * FROM (SELECT *, count(*) OVER (PARTITION BY sku_key) AS sharing FROM {staging} WHERE "
    + RANGE
    + ") AS counted WHERE sharing = 1",
}

# Lock the products on which outcomes depend before deciding; in the order of keys, which `incoming` has.
LOCK = """
SELECT count(*) FROM ({incoming}) AS incoming,
    LATERAL (SELECT FROM product WHERE sku_key = incoming.sku_key FOR NO KEY UPDATE) AS locked
"""
# Each row and the product with its SKU; `code` says why the row is rejected, else NULL. LIMIT forces a look-up for
# each row. A join would be planned by the statistics: if these know of no products, because most were just deleted or
# are not committed yet, it would compare each row with each product.
MET = """met AS (
    SELECT excluded.*, held.id AS held_id, held.place AS held_place, held.version AS held_version, {code} AS code,
        ({held}) IS DISTINCT FROM ({given}) AS differs
    FROM incoming AS excluded LEFT JOIN LATERAL (
        SELECT *, ctid AS place FROM product WHERE sku_key = excluded.sku_key LIMIT 1
    ) AS held ON true {seen}
)"""
SEEN = "LEFT JOIN LATERAL (SELECT * FROM {dry_run_table} WHERE sku_key = excluded.sku_key LIMIT 1) AS seen ON true"
# Why a row is rejected, the first reason that applies; `seen` is what the dry run saw.
CHANGED_SINCE = f"""
WHEN (held.id, held.version) IS DISTINCT FROM (seen.product_id, seen.version)
    THEN '{RowErrorCode.CHANGED_SINCE_PREVIEW}'"""
UNWANTED = {
    "upsert": "",
    "create": f" WHEN held.id IS NOT NULL THEN '{RowErrorCode.EXISTS}'",
    "update": f" WHEN held.id IS NULL THEN '{RowErrorCode.NOT_FOUND}'",
}
CODE = (
    "CASE{changed_since}{unwanted}"
    f" WHEN excluded.name = '' AND held.id IS NULL THEN '{RowErrorCode.NO_NAME_TO_KEEP}' END"
)
# A row's attributes, decompressed once: each `->>` decompresses all of them, which took half a second for 2,000.
UNPACKED = "LATERAL (SELECT attributes || '{{}}' AS unpacked OFFSET 0) AS cells"
REJECTED = f""", rejected AS (
    INSERT INTO import_row_error (job_id, line, code, reason, row)
    SELECT %(job_id)s, line, code, reason, to_json(ARRAY[{{row}}])
    FROM met JOIN unnest(%(codes)s::text[], %(reasons)s::text[]) AS given (code, reason) USING (code), {UNPACKED}
    RETURNING 1
)"""
# A staged row in the file's columns, cell by cell. `{name}` is filled with the name of a parameter.
CELLS = {
    "sku": "sku",
    "name": "name",
    "description": "description",
    "active": "coalesce(active::text, '')",
    IGNORED: "''",
    "": "coalesce(unpacked ->> {name}, '')",
}

# The new value of each column, by the option `blank`. The attributes of the file replace those of the same names; a
# blank cell then removes one.
GIVEN = {
    "clear": {
        "name": "excluded.name",
        "description": "excluded.description",
        "active": "excluded.active",
        "attributes": "(held.attributes - %(names)s::text[]) || excluded.attributes",
    },
    "keep": {
        "name": "coalesce(nullif(excluded.name, ''), held.name)",
        "description": "coalesce(nullif(excluded.description, ''), held.description)",
        "active": "coalesce(excluded.active, held.active)",
        "attributes": "held.attributes || excluded.attributes",
    },
}

ID_BY_LINE = NUMBERED_ID.format(number="line")
ID_OF_EXCLUDED = NUMBERED_ID.format(number="excluded.line")
# In the order of insertion: sequential ids touch fewer index pages.
ID_BY_ORDER = NUMBERED_ID.format(number="%(numbered)s + row_number() OVER ()")
# The columns that a write returns; for an event for each product, those of the event.
RETURNED, RETURNED_HELD = "version", "held.version"
EVENT_COLUMNS = "id, sku, name, version, id AS event_id"
EVENT_COLUMNS_HELD = "held.id, held.sku, held.name, held.version, " + ID_OF_EXCLUDED

# A new row has version 1, a changed one a higher version.
CREATE = """INSERT INTO product (id, sku, sku_key, name, description, active, attributes)
    SELECT {id}, sku, sku_key, name, description, coalesce(active, true), coalesce(attributes, '{{}}')
    FROM """
# For a range in which there is no product.
INSERT = CREATE + "({incoming}) AS incoming"
# Separate inserts and updates: `INSERT … ON CONFLICT` would lock, and so write, even products that do not change. An
# update finds its product by the ctid that was just read. If another transaction creates a product in between, the
# insert violates the unique key; if it deletes one, the update misses it: the range is then merged again. Both follow
# the order of `incoming`. A product that an import changes keeps its SKU as it was first written.
MERGE = f"""
WITH incoming AS ({{incoming}}), {{met}}{{rejected}}, created AS (
    {CREATE}met WHERE held_id IS NULL AND code IS NULL
    RETURNING {{returned}}
), updated AS (
    UPDATE product AS held SET {{assignments}}, version = held.version + 1, updated_at = now()
    FROM met AS excluded WHERE excluded.differs AND excluded.code IS NULL AND held.ctid = excluded.held_place
    RETURNING {{returned_held}}
), written AS (SELECT * FROM created UNION ALL SELECT * FROM updated){{events}}
SELECT
    (SELECT count(*) FROM incoming), {{rejections}}, (SELECT count(*) FROM created), (SELECT count(*) FROM updated),
    (SELECT count(*) FROM met WHERE differs AND held_id IS NOT NULL AND code IS NULL)
"""
# The same decisions without writing a product.
DRY_RUN = f"""
WITH incoming AS ({{incoming}}), {{met}}{{rejected}}, noted AS (
    INSERT INTO {{outcomes}} (sku_key, line, product_id, version, outcome)
    SELECT sku_key, line, held_id, held_version,
        coalesce(code, CASE WHEN held_id IS NULL THEN '{RowOutcome.CREATED}'
            WHEN differs THEN '{RowOutcome.UPDATED}' ELSE '{RowOutcome.UNCHANGED}' END)
    FROM met
    RETURNING outcome
)
SELECT
    (SELECT count(*) FROM incoming), {{rejections}}, count(*) FILTER (WHERE outcome = '{RowOutcome.CREATED}'),
    count(*) FILTER (WHERE outcome = '{RowOutcome.UPDATED}'), count(*) FILTER (WHERE outcome = '{RowOutcome.UPDATED}')
FROM noted
"""

REASONS = {
    RowErrorCode.CHANGED_SINCE_PREVIEW: "The product was changed after the dry run, so this row was not merged.",
    RowErrorCode.EXISTS: "A product with this SKU exists, and an import with the mode “create” only creates.",
    RowErrorCode.NOT_FOUND: "There is no product with this SKU, and an import with the mode “update” only updates.",
    RowErrorCode.NO_NAME_TO_KEEP: "The name is empty, and there is no product whose name could be kept.",
}

# One event for each written row, for webhooks that want each. Its id is the one that a new product on that line has,
# so events sort by line. `written` carries the id along, because a join would need a plan of its own.
WRITTEN_EVENTS = INSERT_EVENTS.format(
    event_id="event_id",
    event_type=f"CASE version WHEN 1 THEN '{EventType.PRODUCT_CREATED}' ELSE '{EventType.PRODUCT_UPDATED}' END",
    batch_id="%(job_id)s",
    source="written",
)
EVENTS = f", events AS ({WRITTEN_EVENTS})"

# Found by the index alone; only the rows that are reported are fetched.
REPEATED = f"""(
    SELECT sku_key, min(line) AS first, max(line) AS last FROM {{staging}} WHERE {RANGE}
    GROUP BY sku_key HAVING min(line) < max(line)
) AS repeated JOIN {{staging}} AS lost USING (sku_key), {UNPACKED}"""
DUPLICATES = f"""
INSERT INTO import_row_error (job_id, line, code, reason, row)
SELECT %(job_id)s, line, '{RowErrorCode.DUPLICATE}',
    'Line ' || {{winner}} || ' has the same SKU and was used instead.',
    to_json(ARRAY[{{row}}])
FROM {REPEATED}
WHERE line <> {{winner}}
"""
ALL_DUPLICATES = f"""
INSERT INTO import_row_error (job_id, line, code, reason, row)
SELECT %(job_id)s, line, '{RowErrorCode.DUPLICATE_SKU}',
    'Line ' || CASE line WHEN first THEN last ELSE first END || ' has the same SKU; none of these rows was used.',
    to_json(ARRAY[{{row}}])
FROM {REPEATED}
"""
