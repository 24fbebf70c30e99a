"""Imports that were begun before imports had ranges go on after the upgrade, or say why they do not."""

import unicodedata
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from sqlalchemy import Engine, text

from product_importer import migrations
from product_importer.imports.pipeline import dry_run
from tests.databases import contents, new_database

JOB = """
INSERT INTO import_job (id, filename, storage_key, size_bytes, sha256, header, fields, status, phase, choices,
    applied_at, rows_read, total_rows, staged_rows, created, updated, duplicates, rejected, percent, started_at,
    staging_table, preview_table, lane_ends, lane_checkpoints, lane_created)
VALUES (:id, 'f.csv', 'f', 9, '', '["sku"]', '["sku"]', :status, :phase,
    jsonb_build_object('dry_run', CAST(:dry_run AS boolean)), :applied_at, 9, 9, 8, 3, 1, 1, 1, 50, now(),
    :staging, :preview, :ends, :checkpoints, '{}')
"""
ENDS = ["b", "é", "𝒳", "\U0010fffd"]


@pytest.fixture
def before(servers: None, monkeypatch) -> Iterator[Engine]:
    """A database as the version before ranges left it."""
    with new_database("", monkeypatch) as engine:
        migrations.migrate("0009")
        yield engine


def add_import(
    engine: Engine,
    status: str,
    *,
    dry_run: bool = False,
    applied_at: str | None = None,
    phase: str = "merging",
    checkpoints: list[str] | None = None,
    ends: list[str] | None = None,
) -> UUID:
    """Add an import whose rows are staged in two parts; a dry run has outcomes."""
    job_id = uuid4()
    staging = f"import_staging_{job_id.hex}_3"
    preview = f"import_preview_{job_id.hex}" if dry_run else None
    ends = ENDS if ends is None else ends
    values = {
        "id": job_id,
        "status": status,
        "phase": phase,
        "dry_run": dry_run,
        "applied_at": applied_at,
        "staging": staging,
        "preview": preview,
        "ends": ends,
        "checkpoints": ["", *ends][: len(ends)] if checkpoints is None else checkpoints,
    }
    with engine.begin() as connection:
        connection.execute(text(JOB), values)
        connection.execute(
            text("INSERT INTO import_row_error VALUES (:id, 4, 'no_sku', 'It has none.', '[]')"), {"id": job_id}
        )
        connection.exec_driver_sql(f"CREATE UNLOGGED TABLE {staging} (line integer)")
        for part in (1, 2):
            connection.exec_driver_sql(f"CREATE UNLOGGED TABLE {staging}_{part} () INHERITS ({staging})")
        if preview:
            connection.exec_driver_sql(
                f"CREATE TABLE {preview} (sku_key text, line int, product_id uuid, version int, outcome text)"
            )
    return job_id


def job_of(engine: Engine, job_id: UUID) -> Any:
    with engine.connect() as connection:
        return connection.execute(text("SELECT * FROM import_job WHERE id = :id"), {"id": job_id}).one()


def ranges_of(engine: Engine, job_id: UUID) -> list[tuple[int, str | None, int | None, bool]]:
    """Return the number, the last key and the first number of each range, and whether it is done."""
    statement = text(
        "SELECT number, last_key, first_number, done_at IS NOT NULL FROM import_range WHERE job_id = :id ORDER BY 1"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement, {"id": job_id})]


def tables(engine: Engine, pattern: str) -> list[str]:
    return [name for kind, name in contents(engine) if kind == "r" and pattern in name]


@pytest.mark.parametrize("status", ["processing", "pending", "failed", "cancelled"])
def test_an_import_under_way_goes_on_behind_what_its_lanes_have_merged(before, status):
    """Lanes are done, half done, and not begun; keys of all planes are in the order of their bytes."""
    job_id = add_import(before, status, checkpoints=["b", "c", "é", "𝒴"])
    migrations.migrate()
    assert ranges_of(before, job_id) == [
        (0, "b", None, True),
        (1, "c", None, True),
        (2, "é", None, False),
        (3, "𝒳", None, False),
        (4, "𝒴", None, True),
        (5, None, None, False),
    ]
    job = job_of(before, job_id)
    assert (job.good_rows, job.unidata) == (8, unicodedata.unidata_version)
    assert (job.status, job.total_rows, job.created, job.rejected, job.percent) == (status, 9, 3, 1, 50)


@pytest.mark.parametrize(
    ("ends", "checkpoints", "ranges"),
    [
        (["b", "c"], ["b", "c"], [(0, "b", None, True), (1, None, None, True)]),
        (["b", "b", "c"], ["", "b", "b"], [(0, "b", None, False), (1, None, None, False)]),
        ([], [], [(0, None, None, False)]),
    ],
    ids=["all merged", "an empty lane", "no good rows"],
)
def test_lanes_without_rows_or_without_a_rest_become_no_empty_ranges(before, ends, checkpoints, ranges):
    job_id = add_import(before, "processing", ends=ends, checkpoints=checkpoints)
    migrations.migrate()
    assert ranges_of(before, job_id) == ranges


def test_imports_that_never_go_on_get_no_ranges(before):
    ended = add_import(before, "completed")
    undone, expired = add_import(before, "cancelled"), add_import(before, "failed")
    with before.begin() as connection:
        connection.execute(text("UPDATE import_job SET undo_status = 'undone' WHERE id = :id"), {"id": undone})
        connection.execute(text("UPDATE import_job SET file_deleted_at = now() WHERE id = :id"), {"id": expired})
    migrations.migrate()
    assert [ranges_of(before, job_id) for job_id in (ended, undone, expired)] == [[], [], []]


def test_a_dry_run_that_waits_to_be_applied_is_cancelled_with_a_reason(before):
    job_id = add_import(before, "previewed", dry_run=True, phase="finished")
    migrations.migrate()
    job = job_of(before, job_id)
    assert (job.status, job.error_code, job.preview_table) == ("cancelled", "upgraded", None)
    assert "Retry it" in job.error_message
    assert (ranges_of(before, job_id), tables(before, "import_preview")) == ([], [])


@pytest.mark.parametrize(("status", "phase"), [("processing", "reading"), ("pending", "waiting")])
def test_a_dry_run_under_way_begins_again(before, status, phase):
    job_id = add_import(before, status, dry_run=True, phase="previewing")
    migrations.migrate()
    job = job_of(before, job_id)
    assert (job.status, job.phase, job.percent, job.started_at, job.preview_table) == (status, phase, 0, None, None)
    assert (job.rows_read, job.total_rows, job.good_rows, job.unidata) == (0, None, None, None)
    assert (job.created, job.updated, job.unchanged, job.duplicates, job.rejected) == (0, 0, 0, 0, 0)
    with before.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM import_row_error").scalar() == 0
    assert (ranges_of(before, job_id), tables(before, "import_preview")) == ([], [])


def test_a_dry_run_that_is_being_applied_goes_on_with_what_it_has_found(before):
    job_id = add_import(before, "processing", dry_run=True, applied_at="2026-01-01", checkpoints=["b", *ENDS[:3]])
    migrations.migrate()
    job = job_of(before, job_id)
    assert (job.status, job.preview_table) == ("processing", dry_run.name(job_id))
    assert tables(before, "import_preview") == [dry_run.name(job_id)]
    assert [is_done for *_, is_done in ranges_of(before, job_id)] == [True, False, False, False]


def test_staging_tables_are_dropped_and_others_stay(before):
    for status in ("processing", "previewed"):
        add_import(before, status, dry_run=status == "previewed")
    with before.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE import_staging_{uuid4().hex}_1 ()")
        connection.exec_driver_sql("CREATE TABLE import_staging_of_a_user ()")
    migrations.migrate()
    assert tables(before, "import_staging") == ["import_staging_of_a_user"]


@pytest.mark.parametrize(("status", "is_refused"), [("processing", True), ("failed", True), ("completed", False)])
def test_a_downgrade_waits_until_no_import_can_go_on(before, status, is_refused):
    """The earlier version would merge again what is merged."""
    job_id = add_import(before, status)
    migrations.migrate()
    if is_refused:
        with pytest.raises(RuntimeError, match="1 imports are unfinished"):
            command.downgrade(migrations.config(), "0009")
        with before.begin() as connection:
            connection.execute(text("UPDATE import_job SET status = 'completed' WHERE id = :id"), {"id": job_id})
    command.downgrade(migrations.config(), "0009")
    assert job_of(before, job_id).staged_rows == 8
