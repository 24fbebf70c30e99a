"""The SQL of the merge, with places that an import's header and choices fill; `statements` does.

A statement's parameters are the range (`after`, `range_end`), the number behind which new products are numbered
(`numbered`), and what `Statements.values` has. No place is filled with anything that a file or a person wrote: that
is always a parameter. MERGE and PREVIEW answer with one row, in the order of `merge.Outcome`.
"""

from product_importer.catalog.events import INSERT_EVENTS
from product_importer.imports.columns.header import IGNORED
from product_importer.imports.error_codes import RowErrorCode, RowOutcome

RANGE = "sku_key > %(after)s AND sku_key <= %(range_end)s"

# One row a key: which of several counts is chosen. Taken in key order, so that two imports cannot deadlock.
INCOMING = {
    "last": "SELECT DISTINCT ON (sku_key) * FROM {staging} WHERE " + RANGE + " ORDER BY sku_key, line DESC",
    "first": "SELECT DISTINCT ON (sku_key) * FROM {staging} WHERE " + RANGE + " ORDER BY sku_key, line",
    "reject": "SELECT * FROM (SELECT *, count(*) OVER (PARTITION BY sku_key) AS sharing FROM {staging} WHERE "
    + RANGE
    + ") AS counted WHERE sharing = 1",
}

# Where a row's outcome depends on the product that is there, that product is locked before it is judged: in the order
# of keys, which `incoming` has.
LOCK = """
SELECT count(*) FROM ({incoming}) AS incoming,
    LATERAL (SELECT FROM product WHERE sku_key = incoming.sku_key FOR NO KEY UPDATE) AS locked
"""
# What each row meets in the catalogue; `code` says why it is refused, else NULL. LIMIT leaves no plan but a look-up
# for each row. A join would trust the statistics: where these know of no products, for most were just deleted, or
# are not committed yet, it compares each row with each product.
MET = """met AS (
    SELECT excluded.*, held.id AS held_id, held.place AS held_place, held.version AS held_version, {code} AS code,
        ({held}) IS DISTINCT FROM ({given}) AS differs
    FROM incoming AS excluded LEFT JOIN LATERAL (
        SELECT *, ctid AS place FROM product WHERE sku_key = excluded.sku_key LIMIT 1
    ) AS held ON true {seen}
)"""
SEEN = "LEFT JOIN LATERAL (SELECT * FROM {preview} WHERE sku_key = excluded.sku_key LIMIT 1) AS seen ON true"
# Why a row is refused, the first reason that holds; `seen` is the trial's view.
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
# A row's attributes, unpacked once: otherwise each `->>` unpacks all of them, which took half a second for 2,000.
UNPACKED = "LATERAL (SELECT attributes || '{{}}' AS unpacked OFFSET 0) AS cells"
REFUSED = f""", refused AS (
    INSERT INTO import_row_error (job_id, line, code, reason, row)
    SELECT %(job_id)s, line, code, reason, to_json(ARRAY[{{row}}])
    FROM met JOIN unnest(%(codes)s::text[], %(reasons)s::text[]) AS given (code, reason) USING (code), {UNPACKED}
    RETURNING 1
)"""
# A staged row put back into the file's columns, cell by cell. `{name}` is the place of a parameter.
CELLS = {
    "sku": "sku",
    "name": "name",
    "description": "description",
    "active": "coalesce(active::text, '')",
    IGNORED: "''",
    "": "coalesce(unpacked ->> {name}, '')",
}

# What a row sets in a product, by what a blank cell does. The file's own attributes are replaced as a whole, so that
# a blank cell removes one; others stay.
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

# The ids that `core.ids` gives to the numbers of an import.
ID = "(%(prefix)s || lpad(to_hex({number}), 8, '0'))::uuid"
ID_BY_LINE = ID.format(number="line")
ID_OF_EXCLUDED = ID.format(number="excluded.line")
# In the order of insertion, which spares the primary key many a page.
ID_BY_ORDER = ID.format(number="%(numbered)s + row_number() OVER ()")
# What a write answers with; with an event for each product, what that tells.
RETURNED, RETURNED_HELD = "version", "held.version"
TOLD = "id, sku, name, version, id AS event_id"
TOLD_HELD = "held.id, held.sku, held.name, held.version, " + ID_OF_EXCLUDED

# A new row has version 1, a changed one a higher version.
CREATE = """INSERT INTO product (id, sku, sku_key, name, description, active, attributes)
    SELECT {id}, sku, sku_key, name, description, coalesce(active, true), coalesce(attributes, '{{}}')
    FROM """
# Where no product lies in the range there is nothing to look up.
INSERT = CREATE + "({incoming}) AS incoming"
# Inserts and updates apart, each only of rows that need it: `INSERT … ON CONFLICT` would lock, and so write, even
# the products that stay as they are. What is updated was found a moment ago, at a place (ctid) that spares another
# look-up. A product that appears in between breaks the unique key, one that goes is missed by the update: the range
# is then taken again. Both follow the order of `incoming`.
# A product that an import changes keeps its SKU as it was written first.
MERGE = f"""
WITH incoming AS ({{incoming}}), {{met}}{{refused}}, created AS (
    {CREATE}met WHERE held_id IS NULL AND code IS NULL
    RETURNING {{returned}}
), updated AS (
    UPDATE product AS held SET {{assignments}}, version = held.version + 1, updated_at = now()
    FROM met AS excluded WHERE excluded.differs AND excluded.code IS NULL AND held.ctid = excluded.held_place
    RETURNING {{returned_held}}
), written AS (SELECT * FROM created UNION ALL SELECT * FROM updated){{told}}
SELECT
    (SELECT count(*) FROM incoming), {{refusals}}, (SELECT count(*) FROM created), (SELECT count(*) FROM updated),
    (SELECT count(*) FROM met WHERE differs AND held_id IS NOT NULL AND code IS NULL)
"""
# The same judgement without writing a product: what a trial shows.
PREVIEW = f"""
WITH incoming AS ({{incoming}}), {{met}}{{refused}}, shown AS (
    INSERT INTO {{shown_in}} (sku_key, line, product_id, version, outcome)
    SELECT sku_key, line, held_id, held_version,
        coalesce(code, CASE WHEN held_id IS NULL THEN '{RowOutcome.CREATED}'
            WHEN differs THEN '{RowOutcome.UPDATED}' ELSE '{RowOutcome.UNCHANGED}' END)
    FROM met
    RETURNING outcome
)
SELECT
    (SELECT count(*) FROM incoming), {{refusals}}, count(*) FILTER (WHERE outcome = '{RowOutcome.CREATED}'),
    count(*) FILTER (WHERE outcome = '{RowOutcome.UPDATED}'), count(*) FILTER (WHERE outcome = '{RowOutcome.UPDATED}')
FROM shown
"""

REASONS = {
    RowErrorCode.CHANGED_SINCE_PREVIEW: "The product was changed after the trial, so this row was not merged.",
    RowErrorCode.EXISTS: "There is a product with this SKU already, and this import only creates.",
    RowErrorCode.NOT_FOUND: "There is no product with this SKU, and this import only updates.",
    RowErrorCode.NO_NAME_TO_KEEP: "The name is empty, and there is no product whose name could stay.",
}

# One event a written row, for those who want each: with the id that a new product has or would have, so in the order
# of lines; nothing compares the two. What is written carries it along: the merge has no plan for a join of its parts.
TOLD_EVENTS = INSERT_EVENTS.format(
    event_id="event_id",
    event_type="CASE version WHEN 1 THEN 'product_created' ELSE 'product_updated' END",
    batch_id="%(job_id)s",
    source="written",
)
TELL = f", told AS ({TOLD_EVENTS})"

# Found in the index alone; only the rows that are reported are fetched.
REPEATED = f"""(
    SELECT sku_key, min(line) AS first, max(line) AS last FROM {{staging}} WHERE {RANGE}
    GROUP BY sku_key HAVING min(line) < max(line)
) AS repeated JOIN {{staging}} AS lost USING (sku_key), {UNPACKED}"""
LOSERS = f"""
INSERT INTO import_row_error (job_id, line, code, reason, row)
SELECT %(job_id)s, line, '{RowErrorCode.DUPLICATE}', 'Line ' || {{winner}} || ' has the same SKU and was taken.',
    to_json(ARRAY[{{row}}])
FROM {REPEATED}
WHERE line <> {{winner}}
"""
ALL_REFUSED = f"""
INSERT INTO import_row_error (job_id, line, code, reason, row)
SELECT %(job_id)s, line, '{RowErrorCode.DUPLICATE_SKU}',
    'Line ' || CASE line WHEN first THEN last ELSE first END || ' has the same SKU; none of these rows was taken.',
    to_json(ARRAY[{{row}}])
FROM {REPEATED}
"""
