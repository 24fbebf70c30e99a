"""Keep the headers of each attempt, mark tests, and count attempts by the hour."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# The attempts of a week fill the chart at once.
COUNT = """
INSERT INTO webhook_hour (webhook_id, hour, succeeded, failed)
SELECT webhook_id, date_trunc('hour', started_at, 'UTC'), count(*) FILTER (WHERE attempt.error IS NULL),
    count(*) FILTER (WHERE attempt.error IS NOT NULL)
FROM webhook_attempt AS attempt JOIN webhook_delivery AS delivery ON delivery.id = delivery_id
WHERE started_at > now() - interval '8 days'
GROUP BY 1, 2
"""


def upgrade() -> None:
    op.add_column("webhook_attempt", sa.Column("url", sa.Text(), nullable=True))
    op.add_column("webhook_attempt", sa.Column("request_headers", JSONB(), nullable=True))
    op.add_column("webhook_attempt", sa.Column("response_headers", JSONB(), nullable=True))
    op.add_column(
        "webhook_delivery", sa.Column("is_test", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    # Few of many deliveries fail, and these are looked for.
    op.create_index(
        "ix_webhook_delivery_failed",
        "webhook_delivery",
        ["webhook_id", "event_id"],
        postgresql_where=sa.text("status = 'failed' OR status = 'pending' AND tries > 0"),
    )
    op.create_table(
        "webhook_hour",
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("failed", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_hour_webhook_id_webhook"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook_id", "hour", name=op.f("pk_webhook_hour")),
    )
    op.execute(COUNT)


def downgrade() -> None:
    op.drop_table("webhook_hour")
    op.drop_index("ix_webhook_delivery_failed", table_name="webhook_delivery")
    # An earlier version would send them again.
    op.execute("DELETE FROM webhook_delivery WHERE is_test")
    op.drop_column("webhook_delivery", "is_test")
    op.drop_column("webhook_attempt", "response_headers")
    op.drop_column("webhook_attempt", "request_headers")
    op.drop_column("webhook_attempt", "url")
