"""Mark large imports and those that hold a worker, so that one worker stays free for small ones."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COLUMNS = ("is_large", "holds_worker")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("import_job", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false")))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("import_job", name)
