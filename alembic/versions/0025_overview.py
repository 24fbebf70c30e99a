"""Count rejected rows by reason when an import ends, and index what the overview and the history look for."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

HAS_WRITTEN = (
    "finished_at IS NOT NULL AND undo_status IS DISTINCT FROM 'undone'"
    " AND ((choices ->> 'dry_run') IS DISTINCT FROM 'true' OR applied_at IS NOT NULL)"
)
# What the overview shows of imports that ended before: older ones are not looked at.
COUNT = f"""
INSERT INTO import_reject_count (job_id, code, number, ended_at)
SELECT job_id, code, count(*), finished_at
FROM import_row_error AS error JOIN import_job AS job ON job.id = job_id
WHERE code <> 'duplicate' AND status IN ('completed', 'failed', 'cancelled') AND {HAS_WRITTEN}
    AND finished_at > now() - interval '31 days'
GROUP BY job_id, code, finished_at
"""


def upgrade() -> None:
    op.create_index(
        "ix_import_job_written",
        "import_job",
        ["finished_at"],
        postgresql_include=["status", "created", "updated", "rejected"],
        postgresql_where=sa.text(HAS_WRITTEN),
    )
    op.create_index(
        "ix_import_job_failed", "import_job", ["finished_at"], postgresql_where=sa.text("status = 'failed'")
    )
    op.create_index(
        "ix_import_job_to_correct",
        "import_job",
        ["finished_at"],
        postgresql_where=sa.text("status = 'completed' AND rejected > 0"),
    )
    op.create_index(
        "ix_import_job_being_undone", "import_job", ["id"], postgresql_where=sa.text("undo_status = 'pending'")
    )
    op.create_index("ix_import_job_filename", "import_job", ["filename", "created_at"])
    op.create_table(
        "import_reject_count",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "code", name=op.f("pk_import_reject_count")),
    )
    op.create_index(
        "ix_import_reject_count_ended_at",
        "import_reject_count",
        ["ended_at"],
        postgresql_include=["code", "number", "job_id"],
    )
    op.execute(COUNT)


def downgrade() -> None:
    op.drop_table("import_reject_count")
    for name in ("being_undone", "filename", "to_correct", "failed", "written"):
        op.drop_index(f"ix_import_job_{name}", table_name="import_job")
