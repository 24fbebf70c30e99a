"""Add accounts, their sessions, set-up links and tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _time(name: str, **options: object) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), **options)


def _now(name: str) -> sa.Column:
    return _time(name, nullable=False, server_default=sa.func.now())


def _account(nullable: bool = False) -> sa.Column:
    return sa.Column("account_id", sa.Uuid(), nullable=nullable)


def _secrets(name: str, *columns: sa.Column) -> None:
    """Make a table of secrets' digests that belong to accounts."""
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.UniqueConstraint("digest", name=f"uq_{name}_digest"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=f"fk_{name}_account_id_account", ondelete="CASCADE"
        ),
    )
    op.create_index(f"ix_{name}_account_id", name, ["account_id"])


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("oidc_issuer", sa.Text()),
        sa.Column("oidc_subject", sa.Text()),
        _now("created_at"),
        _time("disabled_at"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("oidc_issuer", "oidc_subject", name="uq_account_oidc_issuer_oidc_subject"),
    )
    op.create_index(
        "ix_account_email",
        "account",
        ["email_key"],
        unique=True,
        postgresql_where=sa.text("oidc_subject IS NULL"),
    )
    _secrets(
        "account_session",
        _account(),
        sa.Column("address", sa.Text()),
        sa.Column("user_agent", sa.Text()),
        _now("created_at"),
        _now("last_used_at"),
    )
    _secrets("setup_link", _account(nullable=True), _now("created_at"), _time("expires_at", nullable=False))
    _secrets(
        "api_token",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        _account(),
        _now("created_at"),
        _time("expires_at"),
        _time("last_used_at"),
    )


def downgrade() -> None:
    for name in ("api_token", "setup_link", "account_session", "account"):
        op.drop_table(name)
