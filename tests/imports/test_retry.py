"""A failed or cancelled import continues where it stopped."""

from uuid import UUID

import pytest

from product_importer.core import db, queue, redis
from product_importer.core.errors import Conflict
from product_importer.core.settings import settings
from product_importer.core.storage import storage
from product_importer.imports import dry_runs, service, tasks
from product_importer.imports.pipeline import lease
from product_importer.imports.progress import current
from product_importer.imports.schemas import ChangesQuery, ImportRead
from tests.imports.conftest import upload
from tests.imports.pipeline.test_runner import counts, csv_of, fetch

ROWS = csv_of(*(f"s{n:04},Name {n},x" for n in range(3_000)), "s0001,Twice,x", ",no,sku")


def again(job_id: UUID) -> ImportRead:
    db.run(service.retry_import, job_id)
    tasks.run_import(str(job_id))
    return current(job_id)


def run_until_cancelled(job_id: UUID, monkeypatch) -> ImportRead:
    """Cancel an import while its first range is being written."""
    write = lease.Lease.write

    def cancel_then_write(self, connection, assignments, **values):
        if "unchanged" in values and not self.job.cancel_requested_at:
            self.job.cancel_requested_at = db.run(service.cancel_import, self.job.id).created_at
        return write(self, connection, assignments, **values)

    with monkeypatch.context() as patch:
        patch.setattr(settings(), "import_writers", 1)
        patch.setattr(lease.Lease, "write", cancel_then_write)
        tasks.run_import(str(job_id))
    stopped = current(job_id)
    assert stopped.status == "cancelled"
    return stopped


def test_a_cancelled_import_continues_after_the_merged_rows(run_import, monkeypatch):
    job_id = upload(ROWS.encode())
    stopped = run_until_cancelled(job_id, monkeypatch)
    versions = fetch("SELECT sku, version, xmin::text FROM product")
    assert 0 < len(versions) == stopped.created < 3_000

    done = again(job_id)
    assert (done.status, counts(done)) == ("completed", (3_000, 0, 0, 1, 1))
    assert set(versions) <= set(fetch("SELECT sku, version, xmin::text FROM product")), (
        "merged rows must not be merged again"
    )
    assert fetch("SELECT count(*) FROM event WHERE event_type LIKE 'import_%%'") == [(1,)]


def test_a_cancelled_dry_run_compares_everything_again(run_import, monkeypatch):
    run_import(csv_of(*(f"s{n:04},Name {n},x" for n in range(500))))
    job_id = upload(ROWS.replace(",x", ",y").encode(), dry_run="true")
    assert run_until_cancelled(job_id, monkeypatch).processed_rows > 0

    shown = again(job_id)
    assert (shown.status, counts(shown)) == ("previewed", (2_500, 500, 0, 1, 1))
    page = db.run(dry_runs.list_changes, job_id, ChangesQuery(page=3_000, page_size=1))
    assert (page.total, len(page.items)) == (3_000, 1), "every change must be listed"
    db.run(service.apply_import, job_id)
    tasks.run_import(str(job_id))
    assert counts(current(job_id)) == (2_500, 500, 0, 1, 1)


def test_a_dry_run_cancelled_before_it_began_is_repeated(run_import):
    job_id = upload(ROWS.encode(), dry_run="true")
    db.run(service.cancel_import, job_id)
    assert counts(again(job_id)) == (3_000, 0, 0, 1, 1)


def test_a_failed_import_is_retried_from_its_file(run_import):
    job_id = upload(ROWS.encode())
    key = next(iter(storage().keys()))
    with storage().open(key) as stream:
        content = stream.read()
    storage().delete(key)
    tasks.run_import(str(job_id))
    assert (current(job_id).status, current(job_id).error.code) == ("failed", "upload_missing")
    writer = storage().writer(key)
    writer.write(content)
    writer.commit()
    done = again(job_id)
    assert (done.status, done.error, counts(done)) == ("completed", None, (3_000, 0, 0, 1, 1))


def test_an_import_that_has_not_failed_is_not_retried(run_import):
    done = run_import(ROWS)
    waiting = upload(b"sku,name,description\n")
    for job_id in (done.id, waiting):
        with pytest.raises(Conflict) as error:
            db.run(service.retry_import, job_id)
        assert error.value.kind == "not-retryable"


def test_an_import_without_its_file_is_not_retried(run_import):
    job_id = upload(ROWS.encode())
    db.run(service.cancel_import, job_id)
    with db.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE import_job SET file_deleted_at = now()")
    with pytest.raises(Conflict, match="Upload it again"):
        db.run(service.retry_import, job_id)
    assert current(job_id).file_available is False


def test_a_retry_notifies_a_worker(run_import):
    job_id = upload(ROWS.encode())
    db.run(service.cancel_import, job_id)
    redis.client().flushdb()
    read = db.run(service.retry_import, job_id)
    assert (read.status, read.phase, read.finished_at) == ("pending", "waiting", None)
    assert queue.waiting_keys(service.RUN_IMPORT) == {str(job_id)}
