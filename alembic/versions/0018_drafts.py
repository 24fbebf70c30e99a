"""Keep drafts of imports: files that were chosen, before their imports start."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text()),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("expected_bytes", sa.BigInteger()),
        sa.Column("sha256", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("head", sa.LargeBinary()),
        sa.Column("inspected", JSONB(), nullable=False, server_default=sa.text("'{}'::jsonb")),
        sa.Column("options", JSONB(), nullable=False),
        sa.Column("will_start", sa.Text()),
        sa.Column("start_options", JSONB()),
        sa.Column("error", JSONB()),
        sa.Column("started_by", JSONB()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="pk_import_draft"),
    )
    op.create_index("ix_import_draft_updated_at", "import_draft", ["updated_at"])
    op.create_index("ix_import_draft_storage_key", "import_draft", ["storage_key"])


def downgrade() -> None:
    op.drop_table("import_draft")
