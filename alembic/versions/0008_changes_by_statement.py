"""what has changed since the text index, in one row a statement: a row a product cost a tenth of an import"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# An array holds at most a gigabyte. What an import writes at once is less than the first limit.
NOTE_WRITE = """
CREATE FUNCTION product_note_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    written_rows bigint := (SELECT count(*) FROM written);
BEGIN
    IF written_rows = 0 THEN
        RETURN NULL;
    ELSIF written_rows <= 100000 THEN
        INSERT INTO product_change (product_ids, number) SELECT array_agg(id), written_rows FROM written;
    ELSE
        INSERT INTO product_change (product_ids, number)
        SELECT array_agg(id), count(*)
        FROM (SELECT id, row_number() OVER () / 100000 AS part FROM written) AS numbered GROUP BY part;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO product_count (delta) VALUES (written_rows);
    END IF;
    RETURN NULL;
END $$;
"""
NOTE_ROWS = """
CREATE FUNCTION product_note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_change (product_id) SELECT id FROM written;
    INSERT INTO product_count (delta) SELECT count(*) FROM written HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE FUNCTION product_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_change (product_id) SELECT id FROM written;
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
    for event in ("insert", "update"):
        op.execute(f"DROP TRIGGER product_note_{event} ON product")
        op.execute(f"DROP FUNCTION product_note_{event}()")
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
    op.execute(NOTE_WRITE)
    _create_trigger("insert", "product_note_write")
    _create_trigger("update", "product_note_write")


def downgrade() -> None:
    for event in ("insert", "update"):
        op.execute(f"DROP TRIGGER product_note_{event} ON product")
    op.execute("DROP FUNCTION product_note_write()")
    op.rename_table("product_change", "product_change_before")
    op.create_table("product_change", sa.Column("product_id", sa.Uuid(), nullable=False))
    op.execute("INSERT INTO product_change SELECT unnest(product_ids) FROM product_change_before")
    op.drop_table("product_change_before")
    op.execute(NOTE_ROWS)
    _create_trigger("insert", "product_note_insert")
    _create_trigger("update", "product_note_update")


def _create_trigger(event: str, function: str) -> None:
    op.execute(
        f"CREATE TRIGGER product_note_{event} AFTER {event} ON product "
        f"REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )
