"""Store the text index in lower case; it is rebuilt in the background."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _forget_segments()


def downgrade() -> None:
    _forget_segments()


def _forget_segments() -> None:
    """Drop every segment and let all products wait for the index, as if they had just been written."""
    for (segment,) in op.get_bind().execute(sa.text("SELECT id FROM search_segment")).fetchall():
        op.drop_table(f"product_search_{segment}", if_exists=True)
    op.execute("DELETE FROM search_segment")
    op.execute("DELETE FROM product_change")
    op.execute("INSERT INTO product_change SELECT id FROM product")
