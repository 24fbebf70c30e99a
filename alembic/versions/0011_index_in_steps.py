"""Number the changes, so that the index takes them step by step, and note a segment's letters; it is rebuilt."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _forget_segments()
    # The default numbers the rows, also those that triggers write.
    op.add_column("product_change", sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False))
    op.add_column("search_segment", sa.Column("letters", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("search_segment", "letters")
    op.drop_column("product_change", "id")
    _forget_segments()


def _forget_segments() -> None:
    """Drop every segment and let all products wait for the index, as if they had just been written."""
    for (segment,) in op.get_bind().execute(sa.text("SELECT id FROM search_segment")).fetchall():
        op.drop_table(f"product_search_{segment}", if_exists=True)
    op.execute("DELETE FROM search_segment")
    op.execute("DELETE FROM product_change")
    op.execute("""
        INSERT INTO product_change (product_ids, number)
        SELECT array_agg(id), count(*)
        FROM (SELECT id, row_number() OVER (ORDER BY id) / 100000 AS part FROM product) AS numbered GROUP BY part
    """)
