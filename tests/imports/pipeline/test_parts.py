"""Staging in several parts gives the same result as in one table."""

import pytest

from product_importer.core import db
from product_importer.core.storage import storage
from product_importer.imports import tasks
from product_importer.imports.parsing import opening
from product_importer.imports.parsing.csv import reader
from product_importer.imports.pipeline import staging_table
from product_importer.imports.progress import current
from tests.imports.conftest import row_errors, upload
from tests.imports.pipeline.test_runner import counts, fetch

# Each key twice, 3,000 rows apart: in another part.
KEYS = 3_000
FILE = "sku,name,description\n" + "".join(f"K{n % KEYS:04},Name {n},Text\n" for n in range(2 * KEYS))
EARLY = [(2 + n, "duplicate") for n in range(KEYS)]
LATE = [(2 + KEYS + n, "duplicate") for n in range(KEYS)]
ALL = [(2 + n, "duplicate_sku") for n in range(2 * KEYS)]


@pytest.fixture
def parts(monkeypatch) -> list[str]:
    """Make parts of a quarter of the file, however small it is; return the names of those that are made."""
    monkeypatch.setattr(staging_table, "MIN_PART_BYTES", 1)
    monkeypatch.setattr(opening, "READ_BYTES", 4096)
    monkeypatch.setattr(reader, "BLOCK_CHARACTERS", 4096)
    made: list[str] = []
    create_part = staging_table.create_part

    def noted(*args) -> str:
        made.append(create_part(*args))
        return made[-1]

    monkeypatch.setattr(staging_table, "create_part", noted)
    return made


def tables() -> list:
    return fetch(f"SELECT relname FROM pg_class WHERE relname ~ '^{staging_table.PREFIX}'")


@pytest.mark.parametrize(
    ("choice", "expected", "errors", "name"),
    [
        ("last", (KEYS, 0, 0, KEYS, 0), EARLY, f"Name {KEYS}"),
        ("first", (KEYS, 0, 0, KEYS, 0), LATE, "Name 0"),
        ("reject", (0, 0, 0, 0, 2 * KEYS), ALL, None),
    ],
)
def test_rows_of_one_sku_in_two_parts_are_one_product(run_import, products, parts, choice, expected, errors, name):
    job = run_import(FILE, duplicates=choice)
    assert len(parts) == staging_table.PARTS
    assert counts(job) == expected
    assert row_errors(job.id) == errors
    assert products().get("K0000", (None,))[0] == name
    assert tables() == []


def test_every_part_is_indexed_before_the_merge(run_import, parts):
    run_import(FILE, dry_run="true")
    indexed = {
        name for (name,) in fetch(f"SELECT tablename FROM pg_indexes WHERE tablename ~ '^{staging_table.PREFIX}'")
    }
    assert indexed == {parts[0].rpartition("_")[0], *parts}


def test_a_cancelled_import_leaves_no_part(run_import, parts, monkeypatch):
    copy = staging_table.copy

    def cancelled_in_the_third(*args) -> None:
        copy(*args)
        if len(parts) == 3:
            with db.engine().begin() as connection:
                connection.exec_driver_sql("UPDATE import_job SET cancel_requested_at = now()")

    monkeypatch.setattr(staging_table, "copy", cancelled_in_the_third)
    job = run_import(FILE)
    # The text of one more may have been made already.
    assert job.status == "cancelled" and len(parts) in (3, 4)
    assert tables() == []


def test_a_worker_that_was_overtaken_between_parts_adds_no_further_one(run_import, parts, monkeypatch):
    copy = staging_table.copy

    def overtaken_in_the_second(*args) -> None:
        copy(*args)
        if len(parts) == 2:
            with db.engine().begin() as connection:
                connection.exec_driver_sql("UPDATE import_job SET fence = fence + 1")

    monkeypatch.setattr(staging_table, "copy", overtaken_in_the_second)
    job = run_import(FILE)
    assert (job.status, len(parts)) == ("processing", 2)
    # The second was not committed; who has overtaken drops what was left.
    left = {name for (name,) in tables()}
    assert parts[0] in left and parts[1] not in left


def test_what_makes_a_file_unreadable_is_told_from_a_later_part_too(database, parts):
    job_id = upload(FILE.encode())
    [(key,)] = fetch("SELECT storage_key FROM import_job")
    damaged = storage().writer(key)
    damaged.write(FILE.encode() + b"K9999,\xff,Text\n")
    damaged.commit()
    tasks.run_import(str(job_id))
    job = current(job_id)
    assert (job.status, job.error.code) == ("failed", "undecodable")
    assert len(parts) > 2 and tables() == []
