"""Note which segments of the text index have attributes; those that have none yet are replaced step by step."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL also in what an older process adds: its segments have no attributes.
    op.add_column("search_segment", sa.Column("attributes_indexed", sa.Boolean(), nullable=True))
    op.add_column("search_segment", sa.Column("attribute_names", sa.ARRAY(sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column("search_segment", "attribute_names")
    op.drop_column("search_segment", "attributes_indexed")
