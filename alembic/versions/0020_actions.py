"""Let jobs be actions on products: what they do, the products they take in batches, and how many they deleted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UNFINISHED = """
SELECT count(*) FROM import_job
WHERE action IS NOT NULL AND (status IN ('pending', 'processing') OR undo_status = 'pending')
"""
# The earlier version can undo a change of products, but not a deletion.
DELETED = """
SELECT undo_table FROM import_job
WHERE action ->> 'kind' = 'delete' AND undo_table IS NOT NULL
"""
FORGET = "UPDATE import_job SET undo_table = NULL WHERE action ->> 'kind' = 'delete'"
# It would read the file of a stopped action again, and there is none.
END_STOPPED = "UPDATE import_job SET file_deleted_at = coalesce(file_deleted_at, now()) WHERE action IS NOT NULL"


def upgrade() -> None:
    op.add_column("import_job", sa.Column("action", JSONB(), nullable=True))
    op.add_column("import_job", sa.Column("deleted", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.create_table(
        "import_action_batch",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product_ids", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("products", sa.Integer(), nullable=False),
        sa.Column("first_number", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_import_action_batch")),
    )
    # They are read once: compressing them is not worth it.
    op.execute("ALTER TABLE import_action_batch ALTER product_ids SET STORAGE EXTERNAL")


def downgrade() -> None:
    connection = op.get_bind()
    unfinished = connection.execute(sa.text(UNFINISHED)).scalar()
    if unfinished:
        raise RuntimeError(
            f"{unfinished} actions on products are unfinished, and the earlier version does not know them. Let them"
            " end, or cancel them. Then downgrade again."
        )
    for table in connection.execute(sa.text(DELETED)).scalars().all():
        op.drop_table(table, if_exists=True)
    op.execute(FORGET)
    op.execute(END_STOPPED)
    op.drop_table("import_action_batch")
    op.drop_column("import_job", "deleted")
    op.drop_column("import_job", "action")
