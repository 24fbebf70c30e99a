"""Store one row of changes for each statement: a row for each product took a tenth of an import's time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# An array holds at most a gigabyte; what an import writes at once is less than the first limit.
NOTE = """
    IF written_rows BETWEEN 1 AND 100000 THEN
        INSERT INTO product_change (product_ids, number) SELECT array_agg(id), written_rows FROM written;
    ELSE
        INSERT INTO product_change (product_ids, number)
        SELECT array_agg(id), count(*)
        FROM (SELECT id, row_number() OVER () / 100000 AS part FROM written) AS numbered GROUP BY part;
    END IF;
"""
# As before, one row a product.
NOTE_EACH = "INSERT INTO product_change (product_id) SELECT id FROM written;"
# The triggers are those of 0002 and 0004.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION product_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    written_rows bigint := (SELECT count(*) FROM written);
BEGIN
    {note}
    INSERT INTO product_count (delta) SELECT written_rows WHERE written_rows > 0;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION product_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    written_rows bigint := (SELECT count(*) FROM written);
    undo_table text := current_setting('product_importer.undo_table', true);
BEGIN
    {note}
    IF undo_table <> '' THEN
        EXECUTE format(
            'INSERT INTO %I SELECT id, version, name, description, active, attributes FROM overwritten', undo_table
        );
    END IF;
    RETURN NULL;
END $$;
"""
# Of a database that was made before, all that waits is taken over.
GATHER = """
INSERT INTO product_change (product_ids, number)
SELECT array_agg(product_id), count(*)
FROM (SELECT product_id, row_number() OVER () / 100000 AS part FROM product_change_before) AS numbered GROUP BY part
"""


def upgrade() -> None:
    op.rename_table("product_change", "product_change_before")
    op.create_table(
        "product_change",
        sa.Column("product_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
    )
    # They live for a minute: compressing them is not worth it.
    op.execute("ALTER TABLE product_change ALTER product_ids SET STORAGE EXTERNAL")
    op.execute(GATHER)
    op.drop_table("product_change_before")
    op.execute(FUNCTIONS.format(note=NOTE))


def downgrade() -> None:
    op.rename_table("product_change", "product_change_before")
    op.create_table("product_change", sa.Column("product_id", sa.Uuid(), nullable=False))
    op.execute("INSERT INTO product_change SELECT unnest(product_ids) FROM product_change_before")
    op.drop_table("product_change_before")
    op.execute(FUNCTIONS.format(note=NOTE_EACH))
