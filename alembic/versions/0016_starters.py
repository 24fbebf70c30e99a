"""Note who started an import, and who asked for its undo; find the entries of the record by time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_job", sa.Column("started_by", JSONB()))
    op.add_column("import_job", sa.Column("undo_by", JSONB()))
    op.create_index("ix_audit_event_at", "audit_event", ["at", "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_event_at", "audit_event")
    op.drop_column("import_job", "undo_by")
    op.drop_column("import_job", "started_by")
