"""Imports of several ranges: duplicates in different runs, and cuts that stay when an import goes on."""

import unicodedata
from uuid import UUID

import pytest

from product_importer.core.ids import id_prefix
from product_importer.core.settings import settings
from product_importer.core.storage import storage
from product_importer.imports import tasks
from product_importer.imports.parsing import opening
from product_importer.imports.parsing.csv import reader
from product_importer.imports.pipeline import spool
from product_importer.imports.pipeline.cuts import KeyRange
from product_importer.imports.pipeline.range_writer import RangeWriter
from product_importer.imports.progress import current
from tests.imports.conftest import execute, row_errors, upload
from tests.imports.pipeline.test_runner import counts, csv_of, fetch
from tests.imports.pipeline.test_undo import run_undo
from tests.imports.test_retry import ROWS, again, run_until_cancelled

# Each key twice, 3,000 rows apart: in another run.
KEYS = 3_000
FILE = csv_of(*(f"{'kK'[n // KEYS]}{n % KEYS:04},Name {n},Text" for n in range(2 * KEYS)))
EARLY = [(2 + n, "duplicate") for n in range(KEYS)]
LATE = [(2 + KEYS + n, "duplicate") for n in range(KEYS)]
ALL = [(2 + n, "duplicate_sku") for n in range(2 * KEYS)]


@pytest.fixture
def runs(monkeypatch) -> list[int]:
    """Read in small blocks and make small runs: return the number of rows of each one made."""
    monkeypatch.setattr(opening, "READ_BYTES", 4096)
    monkeypatch.setattr(reader, "BLOCK_CHARACTERS", 4096)
    monkeypatch.setattr(spool, "RUN_ROWS", 500)
    monkeypatch.setattr(spool, "BATCH_ROWS", 64)
    made: list[int] = []
    add = spool.Spool.add

    def noted(self, rows) -> None:
        made.append(rows.num_rows)
        add(self, rows)

    monkeypatch.setattr(spool.Spool, "add", noted)
    return made


@pytest.fixture
def written(monkeypatch) -> list[KeyRange]:
    """Note the ranges that are written."""
    noted: list[KeyRange] = []
    write = RangeWriter.write

    def note(self, connection, key_range, *arguments):
        noted.append(key_range)
        return write(self, connection, key_range, *arguments)

    monkeypatch.setattr(RangeWriter, "write", note)
    return noted


@pytest.mark.parametrize(
    ("choice", "expected", "errors", "other", "product"),
    [
        ("last", (KEYS, 0, 0, KEYS, 0), EARLY, KEYS + 2, [("K0000", f"Name {KEYS}")]),
        ("first", (KEYS, 0, 0, KEYS, 0), LATE, 2, [("k0000", "Name 0")]),
        ("reject", (0, 0, 0, 0, 2 * KEYS), ALL, KEYS + 2, []),
    ],
)
def test_rows_of_one_sku_in_different_runs_are_one_product(
    run_import, runs, choice, expected, errors, other, product
):
    job = run_import(FILE, duplicates=choice)
    assert len(runs) > 6 and sum(runs) == 2 * KEYS
    assert counts(job) == expected
    assert row_errors(job.id) == errors
    [(reason,)] = fetch("SELECT reason FROM import_row_error ORDER BY line LIMIT 1")
    assert reason.startswith(f"Line {other} has the same SKU")
    assert fetch("SELECT sku, name FROM product WHERE sku_key = 'k0000'") == product


def test_many_rows_of_one_sku_in_all_runs_are_one_product(run_import, products, runs):
    """One key fills more than a range."""
    rows = [f"same,Name {n},x" if n % 2 else f"other{n},Name,x" for n in range(6_000)]
    job = run_import(csv_of(*rows))
    assert counts(job) == (3_001, 0, 0, 2_999, 0)
    assert products()["same"] == ("Name 5999", "x")
    assert len(runs) > 6


def stored_ranges(job_id: UUID) -> list[tuple[int, str | None, bool]]:
    query = "SELECT number, last_key, done_at IS NOT NULL FROM import_range WHERE job_id = '{}' ORDER BY number"
    return [tuple(row) for row in fetch(query.format(job_id))]


def test_a_file_whose_rows_end_with_a_run_has_no_further_one(run_import, runs, monkeypatch):
    monkeypatch.setattr(spool, "RUN_ROWS", 1)
    rejected = ",no,sku\n" * 2_000
    job = run_import(csv_of(*(f"s{n},Name,x" for n in range(2_000))) + rejected)
    assert counts(job) == (2_000, 0, 0, 0, 2_000)
    assert sum(runs) == 2_000


@pytest.mark.parametrize("batch_size", [100, 1_000_000])
def test_an_import_goes_on_by_its_cuts_whatever_the_batch_size_is_then(database, monkeypatch, written, batch_size):
    """With the large size the file would not be cut at all."""
    job_id = upload(ROWS.encode())
    run_until_cancelled(job_id, monkeypatch)
    stored = stored_ranges(job_id)
    assert [is_done for _, _, is_done in stored] == [True] + [False] * (len(stored) - 1)
    written.clear()
    monkeypatch.setattr(settings(), "batch_size", batch_size)
    done = again(job_id)
    assert (done.status, counts(done)) == ("completed", (3_000, 0, 0, 1, 1))
    undone = [(number, last) for number, last, is_done in stored if not is_done]
    assert sorted((one.number, one.last) for one in written) == undone
    assert stored_ranges(job_id) == []
    assert row_errors(job_id) == [(3, "duplicate"), (3_003, "no_sku")]


def test_an_import_whose_ranges_are_all_done_only_ends(database, monkeypatch, written):
    job_id = upload(ROWS.encode())
    run_until_cancelled(job_id, monkeypatch)
    # As if the worker was killed before the end: here its rows were decided otherwise.
    execute("UPDATE import_range SET done_at = now()")
    execute("UPDATE import_job SET unchanged = good_rows - created - duplicates")
    written.clear()
    done = again(job_id)
    assert (done.status, done.error, written) == ("completed", None, [])


def test_an_import_with_cuts_but_without_good_rows_ends(database):
    """An earlier version has read its file, and the upgrade gave it a range."""
    job_id = upload(csv_of(",no,sku").encode())
    execute("UPDATE import_job SET rows_read = 1, total_rows = 1, good_rows = 0, rejected = 1")
    execute("INSERT INTO import_range (job_id, number) SELECT id, 0 FROM import_job")
    tasks.run_import(str(job_id))
    job = current(job_id)
    assert (job.status, job.error, counts(job)) == ("completed", None, (0, 0, 0, 0, 1))


@pytest.mark.parametrize("rules", [unicodedata.unidata_version, "2/1.0.0", f"1/{unicodedata.unidata_version}"])
def test_after_an_update_of_the_program_that_compares_skus_otherwise_an_import_fails(database, monkeypatch, rules):
    """The first rules are those of a version that knew no version of its own."""
    job_id = upload(ROWS.encode())
    stopped = run_until_cancelled(job_id, monkeypatch)
    assert fetch("SELECT unidata FROM import_job") == [(f"2/{unicodedata.unidata_version}",)]
    execute("UPDATE import_job SET unidata = %s", rules)
    failed = again(job_id)
    assert (failed.status, failed.error.code) == ("failed", "key_rules_changed")
    assert "Upload the file again" in failed.error.message
    assert failed.created == stopped.created
    assert fetch("SELECT count(*) FROM product") == [(stopped.created,)]


@pytest.mark.parametrize(
    "file", [ROWS + "late,Name,x\n", csv_of(*ROWS.splitlines()[2:]), csv_of(",no,sku"), csv_of()]
)
def test_a_file_with_another_number_of_good_rows_than_before_fails(database, monkeypatch, file):
    job_id = upload(ROWS.encode())
    stopped = run_until_cancelled(job_id, monkeypatch)
    [(key,)] = fetch("SELECT storage_key FROM import_job")
    other = storage().writer(key)
    other.write(file.encode())
    other.commit()
    failed = again(job_id)
    assert (failed.status, failed.error.code) == ("failed", "row_sum")
    assert fetch("SELECT count(*) FROM product") == [(stopped.created,)]


def test_ids_rise_with_the_keys_from_each_ranges_first_number_on(database, monkeypatch):
    job_id = upload(ROWS.encode())
    run_until_cancelled(job_id, monkeypatch)
    numbers = dict(fetch("SELECT number, first_number FROM import_range"))
    again(job_id)
    ids = [str(product_id) for (product_id,) in fetch("SELECT id FROM product ORDER BY sku_key")]
    assert ids == sorted(ids)
    places = [int(product_id[-8:], 16) for product_id in ids]
    assert set(numbers) == set(range(len(numbers))) and set(numbers.values()) <= set(places)


def test_ranges_without_a_first_number_number_their_products_by_line(database, monkeypatch):
    """These are the lanes of an import that an earlier version began."""
    job_id = upload(ROWS.encode())
    run_until_cancelled(job_id, monkeypatch)
    before = {product_id for (product_id,) in fetch("SELECT id FROM product")}
    execute("UPDATE import_range SET first_number = NULL")
    done = again(job_id)
    assert (done.status, counts(done)) == ("completed", (3_000, 0, 0, 1, 1))
    # The line of each row: a row of the header comes first, and s0001 occurs again at the end.
    lines = {f"s{n:04}": n + 2 for n in range(3_000)} | {"s0001": 3_002}
    new = [
        (sku, str(product_id)) for sku, product_id in fetch("SELECT sku, id FROM product") if product_id not in before
    ]
    assert new and len(new) == 3_000 - len(before)
    assert all(product_id.replace("-", "") == f"{id_prefix(job_id)}{lines[sku]:08x}" for sku, product_id in new)
    undone = run_undo(done)
    assert (undone.removed, undone.kept) == (3_000, 0)
