"""Files, dry runs and undo data are deleted after their number of days; the history is kept."""

import pytest

from product_importer.core import db
from product_importer.core.storage import storage
from product_importer.imports import retention
from product_importer.imports.progress import current
from tests.imports.conftest import execute, upload
from tests.imports.pipeline.test_runner import csv_of, fetch

FILE = csv_of("a,A,1", "b,B,2")
CHANGED = csv_of("a,A,1", "b,B,3")


def age(job, days: float) -> None:
    with db.engine().begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE import_job SET finished_at = now() - interval '{days} days' WHERE id = '{job.id}'"
        )


def tables() -> list:
    return fetch("SELECT tablename FROM pg_tables WHERE tablename ~ '^import_(preview|undo_of)_'")


@pytest.mark.parametrize(("days", "left"), [(6.9, True), (7.1, False)])
def test_the_file_and_the_undo_of_an_import_expire(run_import, days, left):
    age(run_import(FILE), 100)
    job = run_import(CHANGED)
    age(job, days)
    db.run(retention.prune)
    assert bool(list(storage().keys())) is left
    assert bool(tables()) is left
    read = current(job.id)
    assert (read.file_available, read.undo.status) == ((True, "possible") if left else (False, "expired"))
    assert (read.created, read.sha256) == (job.created, job.sha256)


def test_a_dry_run_that_was_not_applied_expires_with_its_file(run_import):
    job = run_import(FILE, dry_run="true")
    age(job, 7.1)
    db.run(retention.prune)
    assert tables() == []
    assert fetch("SELECT preview_table FROM import_job") == [(None,)]
    assert current(job.id).status == "previewed"


@pytest.mark.parametrize(("days", "left"), [(6.9, 2), (7.1, 0)])
def test_the_ranges_of_an_import_that_was_cancelled_expire_with_its_file(database, days, left):
    """Without the file, a retry has no use for them."""
    upload(FILE.encode())
    execute("INSERT INTO import_range (job_id, number) SELECT id, n FROM import_job, generate_series(0, 1) AS n")
    execute(f"UPDATE import_job SET status = 'cancelled', finished_at = now() - interval '{days} days'")
    db.run(retention.prune)
    assert fetch("SELECT count(*) FROM import_range") == [(left,)]


def test_an_unfinished_import_keeps_its_file(run_import):
    job = run_import(FILE)
    age(job, 30)
    with db.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE import_job SET status = 'processing'")
    db.run(retention.prune)
    assert len(list(storage().keys())) == 1
