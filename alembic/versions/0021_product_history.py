"""Keep what an undo of an import overwrote and which undo it was, and which product a delivery is about.

Deliveries that are there already do not name their products: they are gone after `EVENT_RETENTION_DAYS`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_undo_restored", sa.Column("job_id", sa.Uuid(), nullable=True))
    op.add_column("import_undo_restored", sa.Column("overwritten", JSONB(), nullable=True))
    # The few imports that can still be undone, among all that ever ran.
    op.create_index(
        "ix_import_job_undo_table",
        "import_job",
        ["created_at"],
        postgresql_where=sa.text("undo_table IS NOT NULL"),
    )
    op.add_column("webhook_delivery", sa.Column("product_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_webhook_delivery_product",
        "webhook_delivery",
        ["product_id", "event_id"],
        postgresql_where=sa.text("product_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_webhook_delivery_product", "webhook_delivery")
    op.drop_column("webhook_delivery", "product_id")
    op.drop_index("ix_import_job_undo_table", "import_job")
    op.drop_column("import_undo_restored", "overwritten")
    op.drop_column("import_undo_restored", "job_id")
