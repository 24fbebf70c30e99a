"""Let several workers write the ranges of one import: who holds each range, and where the sorted rows lie."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_job", sa.Column("spool_id", sa.Uuid(), nullable=True))
    op.add_column("import_range", sa.Column("holder", sa.Uuid(), nullable=True))
    op.add_column("import_range", sa.Column("fence", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("import_range", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in ("lease_until", "fence", "holder"):
        op.drop_column("import_range", name)
    op.drop_column("import_job", "spool_id")
