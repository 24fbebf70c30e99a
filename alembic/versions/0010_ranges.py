"""Store the ranges of keys of an import; staging tables and their lanes go.

An import under way goes on behind what it has merged: a lane becomes a range that is done, up to its checkpoint, and
one that is not. New products of these ranges get ids by line, which lanes never used.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LANE_COLUMNS = ("staging_table", "lane_ends", "lane_checkpoints", "lane_created")
# An import that may still go on: by a worker, or when somebody retries it.
GOES_ON = """
    (status IN ('pending', 'processing')
        OR status IN ('failed', 'cancelled') AND file_deleted_at IS NULL AND undo_status IS NULL)
"""
IS_DRY_RUN = "coalesce((choices ->> 'dry_run')::boolean, false) AND applied_at IS NULL"
# Parts first: they inherit from the table that they belong to.
STAGING = """
SELECT tablename FROM pg_tables
WHERE schemaname = current_schema() AND tablename ~ '^import_staging_[0-9a-f]{32}_[0-9]+(_[0-9]+)?$'
ORDER BY length(tablename) DESC, tablename
"""
LANES = f"""
SELECT id, lane_ends, lane_checkpoints FROM import_job
WHERE lane_ends IS NOT NULL AND {GOES_ON} AND NOT ({IS_DRY_RUN})
"""
NOTE_RULES = "UPDATE import_job SET unidata = :unidata WHERE id = :id"
# A dry run shows changes from its table of outcomes alone now, and earlier ones did not store the values there. One
# that has been applied keeps its table: the merge reads only keys and versions from it, so it goes on.
OUTCOMES = f"SELECT preview_table FROM import_job WHERE preview_table IS NOT NULL AND {IS_DRY_RUN}"
CANCEL_SHOWN = f"""
UPDATE import_job
SET status = 'cancelled', error_code = 'upgraded', error_message = 'An upgrade dropped what this dry run had found. '
    'Retry it to see its changes, and apply it then.'
WHERE status = 'previewed' AND preview_table IS NOT NULL AND {IS_DRY_RUN}
"""
FORGET_OUTCOMES = f"UPDATE import_job SET preview_table = NULL WHERE {IS_DRY_RUN}"
# A dry run under way begins again: what it has found is gone.
FORGET_ERRORS = f"""
DELETE FROM import_row_error WHERE job_id IN (
    SELECT id FROM import_job WHERE status IN ('pending', 'processing') AND {IS_DRY_RUN}
)
"""
BEGIN_AGAIN = f"""
UPDATE import_job
SET phase = CASE status WHEN 'pending' THEN 'waiting' ELSE 'reading' END, percent = 0, started_at = NULL,
    rows_read = 0, total_rows = NULL, good_rows = NULL, created = 0, updated = 0, unchanged = 0, duplicates = 0,
    rejected = 0
WHERE status IN ('pending', 'processing') AND {IS_DRY_RUN}
"""
UNFINISHED = f"""
SELECT count(*) FROM import_job
WHERE status IN ('pending', 'processing') OR {GOES_ON} AND id IN (SELECT job_id FROM import_range)
"""


def upgrade() -> None:
    ranges = op.create_table(
        "import_range",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_key", sa.Text(collation="C"), nullable=True),
        sa.Column("first_number", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_import_range")),
    )
    op.alter_column("import_job", "staged_rows", new_column_name="good_rows")
    op.add_column("import_job", sa.Column("unidata", sa.Text(), nullable=True))
    _turn_lanes_into_ranges(ranges)
    _forget_dry_runs()
    _drop(op.get_bind().execute(sa.text(STAGING)).scalars())
    for name in LANE_COLUMNS:
        op.drop_column("import_job", name)


def downgrade() -> None:
    unfinished = op.get_bind().execute(sa.text(UNFINISHED)).scalar()
    if unfinished:
        raise RuntimeError(
            f"{unfinished} imports are unfinished, and the earlier version could not go on with them. Let them end;"
            " retry those that failed or were cancelled, or undo them. Then downgrade again."
        )
    op.drop_table("import_range")
    op.drop_column("import_job", "unidata")
    op.alter_column("import_job", "good_rows", new_column_name="staged_rows")
    op.add_column("import_job", sa.Column("staging_table", sa.Text(), nullable=True))
    for name in ("lane_ends", "lane_checkpoints"):
        op.add_column("import_job", sa.Column(name, sa.ARRAY(sa.Text()), nullable=True))
    op.add_column("import_job", sa.Column("lane_created", sa.ARRAY(sa.Integer()), nullable=True))


def _turn_lanes_into_ranges(ranges: sa.Table) -> None:
    connection = op.get_bind()
    for job_id, ends, checkpoints in connection.execute(sa.text(LANES)).fetchall():
        rows = [{"job_id": job_id, **one} for one in _ranges(ends, checkpoints)]
        op.bulk_insert(ranges, rows)
        connection.execute(sa.text(NOTE_RULES), {"id": job_id, "unidata": unicodedata.unidata_version})


def _ranges(ends: Sequence[str], checkpoints: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the ranges of lanes, in the order of keys; the last one goes to the end.

    A file without good rows has no lanes, and gets one range.
    """
    cuts: list[tuple[str, bool]] = []
    before = ""
    for end, checkpoint in zip(ends, checkpoints, strict=True):
        # Nothing of a lane, or all of it, may be done: then it is one range.
        cuts += [(checkpoint, True)] if checkpoint > before else []
        cuts += [(end, False)] if end > checkpoint else []
        before = end
    for number, (last_key, is_done) in enumerate(cuts or [("", False)]):
        yield {
            "number": number,
            "last_key": None if number >= len(cuts) - 1 else last_key,
            "done_at": datetime.now(UTC) if is_done else None,
        }


def _forget_dry_runs() -> None:
    _drop(op.get_bind().execute(sa.text(OUTCOMES)).scalars())
    for statement in (CANCEL_SHOWN, FORGET_OUTCOMES, FORGET_ERRORS, BEGIN_AGAIN):
        op.execute(statement)


def _drop(tables: Iterable[str]) -> None:
    for table in list(tables):
        op.drop_table(table, if_exists=True)
