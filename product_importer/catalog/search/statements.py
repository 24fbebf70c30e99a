"""The statements that fill and index a segment of the text index. Their only parts are names of its tables."""

from psycopg2 import sql

from product_importer.catalog.models import SKU_PART, VALUE_END

# So many names of attributes are noted for each segment, to be suggested.
MAX_NAMES = 200

# In lower case, so that candidates are compared without folding each text again. In the order of SKUs, so that those
# with a common part are on few pages.
FILL = sql.SQL(f"""
CREATE TABLE {{segment}} AS
SELECT id AS product_id, lower(sku) AS sku, lower(name) AS name, lower(description) AS description,
    attribute_names, attribute_values
FROM product, LATERAL (
    SELECT array_agg(key) AS attribute_names,
        lower(string_agg(translate(value, '{VALUE_END}', ' '), '{VALUE_END}')) AS attribute_values
    FROM jsonb_each_text(attributes)
) AS held
WHERE id IN ({{ids}}) {{without}} ORDER BY sku_key
""")
CHANGED = sql.SQL("SELECT unnest(product_ids) FROM product_change WHERE id <= %(last)s")
CONTENT = sql.SQL("SELECT product_id FROM {segment}")
WITHOUT = sql.SQL("AND NOT EXISTS (SELECT 1 FROM {segment} AS newer WHERE newer.product_id = product.id)")
NOTHING = sql.SQL("")
COUNT = sql.SQL("SELECT count(*) FROM {segment}")
INDEXES = (
    sql.SQL(
        "CREATE INDEX ON {segment} USING gin (sku gin_trgm_ops, name gin_trgm_ops, description gin_trgm_ops)"
        " WITH (fastupdate = off)"
    ),
    # Byte order is the fastest to sort.
    sql.SQL(
        f'CREATE INDEX ON {{segment}} USING gin (product_sku_parts(sku, {SKU_PART}) COLLATE "C")'
        " WITH (fastupdate = off)"
    ),
)
# Names narrow values that several attributes have. Products without attributes cost nothing.
ATTRIBUTE_INDEX = sql.SQL(
    "CREATE INDEX ON {segment} USING gin (attribute_names, attribute_values gin_trgm_ops)"
    " WITH (fastupdate = off) WHERE attribute_names IS NOT NULL"
)
ATTRIBUTE_NAMES = sql.SQL(f"""
SELECT array_agg(held ORDER BY number DESC, held) FROM (
    SELECT held, count(*) AS number FROM {{segment}}, unnest(attribute_names) AS held
    GROUP BY held ORDER BY number DESC, held LIMIT {MAX_NAMES}
) AS frequent
""")
