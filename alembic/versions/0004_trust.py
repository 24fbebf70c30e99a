"""Add formats, options, dry runs, undo, saved column mappings and kept uploads to imports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = postgresql.JSONB(astext_type=sa.Text())
MOMENT = sa.DateTime(timezone=True)


# What an import overwrites is noted by the statement that overwrites it, where its transaction asks for that.
NOTE_UPDATE = """
CREATE OR REPLACE FUNCTION product_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    undo_table text := current_setting('product_importer.undo_table', true);
BEGIN
    INSERT INTO product_change (product_id) SELECT id FROM written;
    IF undo_table <> '' THEN
        EXECUTE format(
            'INSERT INTO %I SELECT id, version, name, description, active, attributes FROM overwritten', undo_table
        );
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER product_note_update ON product;
CREATE TRIGGER product_note_update AFTER UPDATE ON product
    REFERENCING OLD TABLE AS overwritten NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION product_note_update();
"""
# As 0002 made it.
NOTE_UPDATE_BEFORE = """
CREATE OR REPLACE FUNCTION product_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_change (product_id) SELECT id FROM written;
    RETURN NULL;
END $$;
DROP TRIGGER product_note_update ON product;
CREATE TRIGGER product_note_update AFTER UPDATE ON product
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION product_note_update();
"""


def _job_columns() -> list[sa.Column]:
    return [
        sa.Column("format", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("choices", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("lane_created", sa.ARRAY(sa.Integer()), nullable=True),
        sa.Column("preview_table", sa.Text(), nullable=True),
        sa.Column("applied_at", MOMENT, nullable=True),
        sa.Column("undo_table", sa.Text(), nullable=True),
        sa.Column("undo_status", sa.Text(), nullable=True),
        sa.Column("undo_requested_at", MOMENT, nullable=True),
        sa.Column("undone_at", MOMENT, nullable=True),
        *(
            sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
            for name in ("undo_removed", "undo_restored", "undo_kept")
        ),
        sa.Column("file_deleted_at", MOMENT, nullable=True),
    ]


def upgrade() -> None:
    for column in _job_columns():
        op.add_column("import_job", column)
    op.create_unique_constraint(op.f("uq_import_job_idempotency_key"), "import_job", ["idempotency_key"])
    op.create_table(
        "import_mapping",
        sa.Column("header_key", sa.Text(), nullable=False),
        sa.Column("columns", JSON, nullable=False),
        sa.Column("accepted_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("header_key", name=op.f("pk_import_mapping")),
    )
    op.create_table(
        "import_undo_kept",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["import_job.id"], name=op.f("fk_import_undo_kept_job_id_import_job"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "product_id", name=op.f("pk_import_undo_kept")),
    )
    op.create_table(
        "import_undo_restored",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("as_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("restored_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "version", "as_version", name=op.f("pk_import_undo_restored")),
    )
    op.execute(NOTE_UPDATE)


def downgrade() -> None:
    op.execute(NOTE_UPDATE_BEFORE)
    for pair in op.get_bind().execute(sa.text("SELECT undo_table, preview_table FROM import_job")).fetchall():
        for table in filter(None, pair):
            op.drop_table(table, if_exists=True)
    op.drop_table("import_undo_restored")
    op.drop_table("import_undo_kept")
    op.drop_table("import_mapping")
    for column in reversed(_job_columns()):
        op.drop_column("import_job", column.name)
