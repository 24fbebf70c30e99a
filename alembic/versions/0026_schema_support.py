"""Say which earlier versions of the application may run on this schema."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    support = op.create_table(
        "schema_support",
        sa.Column("oldest_revision", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("oldest_revision", name="pk_schema_support"),
    )
    op.bulk_insert(support, [{"oldest_revision": revision}])


def downgrade() -> None:
    op.drop_table("schema_support")
