"""Create the text index's segments, the changes since then, and the count of products."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Per statement, not per row: one batch of an import is one call, whatever wrote it.
TRIGGERS = """
CREATE FUNCTION product_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_change (product_id) SELECT id FROM written;
    INSERT INTO product_count (delta) SELECT count(*) FROM written HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE FUNCTION product_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_change (product_id) SELECT id FROM written;
    RETURN NULL;
END $$;
CREATE FUNCTION product_note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_count (delta) SELECT -count(*) FROM gone HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE FUNCTION product_note_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM product_count;
    DELETE FROM product_change;
    UPDATE search_segment SET retired_at = now() WHERE retired_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER product_note_insert AFTER INSERT ON product
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION product_note_insert();
CREATE TRIGGER product_note_update AFTER UPDATE ON product
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION product_note_update();
CREATE TRIGGER product_note_delete AFTER DELETE ON product
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION product_note_delete();
CREATE TRIGGER product_note_truncate AFTER TRUNCATE ON product
    FOR EACH STATEMENT EXECUTE FUNCTION product_note_truncate();
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table("product_change", sa.Column("product_id", sa.Uuid(), nullable=False))
    op.create_table("product_count", sa.Column("delta", sa.BigInteger(), nullable=False))
    op.create_table(
        "search_segment",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("is_indexed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_segment")),
    )
    op.create_index("ix_product_inactive", "product", ["id"], postgresql_where=sa.text("NOT active"))
    op.execute("INSERT INTO product_change SELECT id FROM product")
    op.execute("INSERT INTO product_count SELECT count(*) FROM product")
    op.execute(TRIGGERS)


def downgrade() -> None:
    for event in ("insert", "update", "delete", "truncate"):
        op.execute(f"DROP TRIGGER product_note_{event} ON product")
        op.execute(f"DROP FUNCTION product_note_{event}()")
    for (segment,) in op.get_bind().execute(sa.text("SELECT id FROM search_segment")).fetchall():
        op.drop_table(f"product_search_{segment}", if_exists=True)
    op.drop_index("ix_product_inactive", table_name="product")
    op.drop_table("search_segment")
    op.drop_table("product_count")
    op.drop_table("product_change")
