"""Migrations run beside an application, and a version goes on with the schema of a newer one that allows it."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from product_importer import health, migrations
from product_importer.core.embedded.servers import ServiceError
from tests.databases import new_database
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parent.parent
HEAD = str(ScriptDirectory.from_config(migrations.config()).get_current_head())
# It adds a column to the table of imports.
CHANGES_A_TABLE, BEFORE = "0017", "0016"
WAITS = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'import_job'::regclass"


@pytest.fixture
def empty(servers: None, monkeypatch) -> Iterator[Engine]:
    """An empty database on the same server."""
    migrations._note_once.cache_clear()
    with new_database("", monkeypatch) as engine:
        yield engine


def mark_as(engine: Engine, revision: str, oldest: str | None) -> None:
    """Let the schema be that of a newer version, which allows code from `oldest` on."""
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = %s", (revision,))
        if oldest is None:
            connection.exec_driver_sql("DROP TABLE schema_support")
        else:
            connection.exec_driver_sql("UPDATE schema_support SET oldest_revision = %s", (oldest,))


def run_migrate(engine: Engine, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command `migrate` in a process of its own."""
    environment = {"DATABASE_URL": engine.url.render_as_string(hide_password=False), "DATA_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "product_importer", "migrate"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def check() -> health.Check:
    [found] = [check for check in health.check().checks if check.name == "migrations"]
    return found


def test_a_migration_behind_a_long_transaction_blocks_nobody(empty, caplog, monkeypatch):
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0.2)
    migrations.migrate(BEFORE)
    with ThreadPoolExecutor(1) as pool, empty.connect() as other:
        with empty.connect() as long, long.begin():
            long.exec_driver_sql("SET LOCAL application_name = 'a long report'")
            long.exec_driver_sql("SELECT count(*) FROM import_job")
            work = pool.submit(migrations.migrate)
            wait_for(lambda: other.exec_driver_sql(WAITS).first(), 30, "the migration waits for the table")
            for _ in range(3):
                other.rollback()
                other.exec_driver_sql("SET LOCAL statement_timeout = '5s'")
                assert other.exec_driver_sql("SELECT count(*) FROM import_job").scalar() == 0
            other.rollback()
            wait_for(lambda: "waits for other transactions" in caplog.text, 30, "it says what it waits for")
            assert not work.done()
        work.result(60)
    assert "migration 0017 waits for other transactions (the oldest is of “a long report”, process " in caplog.text
    assert migrations.read_schema().state is migrations.State.CURRENT


def test_a_migration_gives_up_with_one_line_and_keeps_the_steps_before(empty, monkeypatch):
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(migrations, "MAX_LOCK_SECONDS", 0)
    migrations.migrate("0014")
    with empty.connect() as long, long.begin():
        long.exec_driver_sql("SELECT count(*) FROM import_job")
        with pytest.raises(
            ServiceError, match=r"waits for other transactions.*: end them, and start again"
        ) as raised:
            migrations.migrate()
    assert "\n" not in str(raised.value)
    assert migrations.read_schema().revision == "0015"
    migrations.migrate()


@pytest.mark.processes
def test_several_processes_migrate_at_once(empty, tmp_path):
    with ThreadPoolExecutor(3) as pool:
        for ended in pool.map(lambda _: run_migrate(empty, tmp_path), range(3)):
            assert (ended.returncode, ended.stdout) == (0, "The schema is up to date.\n"), ended.stderr
    assert migrations.read_schema().state is migrations.State.CURRENT


def test_a_newer_schema_that_allows_this_version_is_used(empty, caplog):
    migrations.migrate()
    mark_as(empty, "9999", HEAD)
    for _ in range(3):
        migrations.migrate()
    assert caplog.text.count("(9999) is that of a newer version, and this version can use it") == 1
    assert check().ok and "this version can use it" in check().detail


@pytest.mark.parametrize("oldest", ["9998", None])
def test_a_newer_schema_that_does_not_allow_it_is_refused_in_one_line(empty, oldest):
    migrations.migrate()
    mark_as(empty, "9999", oldest)
    with pytest.raises(ServiceError, match=r"\(9999\) is that of a newer version, and this version cannot use it"):
        migrations.migrate()
    assert not check().ok and "start the newer one" in check().detail


@pytest.mark.processes
@pytest.mark.parametrize(("allows", "code"), [(True, 0), (False, 1)])
def test_a_command_starts_again_on_a_newer_schema(empty, tmp_path, allows, code):
    migrations.migrate()
    mark_as(empty, "9999", HEAD if allows else "9998")
    ended = run_migrate(empty, tmp_path)
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ("this version can use it" if allows else "start the newer one") in ended.stderr


def test_a_downgrade_is_possible(empty):
    migrations.migrate()
    command.downgrade(migrations.config(), BEFORE)
    assert migrations.read_schema().state is migrations.State.OLDER
