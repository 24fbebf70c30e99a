"""Keep edits of an import's rows by line, and link an import of corrected rows to the one that rejected them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_row_patch",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("cells", JSONB(), nullable=False, server_default=sa.text("'{}'::jsonb")),
        sa.Column("characters", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("is_skipped", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.PrimaryKeyConstraint("job_id", "line", name="pk_import_row_patch"),
    )
    op.add_column("import_job", sa.Column("parent_id", sa.Uuid()))
    op.create_index("ix_import_job_parent_id", "import_job", ["parent_id"])
    op.create_index("ix_import_job_storage_key", "import_job", ["storage_key"])


def downgrade() -> None:
    op.drop_index("ix_import_job_storage_key", "import_job")
    op.drop_index("ix_import_job_parent_id", "import_job")
    op.drop_column("import_job", "parent_id")
    op.drop_table("import_row_patch")
