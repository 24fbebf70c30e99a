"""A failed or cancelled import goes on where it stopped."""

from uuid import UUID

import pytest

from product_importer.core import db, queue, redis
from product_importer.core.errors import Conflict
from product_importer.core.storage import storage
from product_importer.imports import lease, merge, service, tasks
from product_importer.imports.progress import current
from product_importer.imports.schemas import ImportRead

from .conftest import upload
from .test_engine import counts, csv_of, fetch

ROWS = csv_of(*(f"s{n:04},Name {n},x" for n in range(3_000)), "s0001,Twice,x", ",no,sku")


def again(job_id: UUID) -> ImportRead:
    db.run(service.retry_import, job_id)
    tasks.run_import(str(job_id))
    return current(job_id)


def test_a_cancelled_import_goes_on_behind_what_is_in(run_import, monkeypatch):
    write = lease.Lease.write

    def cancel_then_write(self, connection, assignments, **values):
        if "lane" in values and not self.job.cancel_requested_at:
            self.job.cancel_requested_at = db.run(service.cancel_import, self.job.id).created_at
        return write(self, connection, assignments, **values)

    monkeypatch.setattr(merge, "MOST_LANES", 1)
    job_id = upload(ROWS.encode())
    with monkeypatch.context() as patch:
        patch.setattr(lease.Lease, "write", cancel_then_write)
        tasks.run_import(str(job_id))
    stopped = current(job_id)
    assert stopped.status == "cancelled"
    versions = fetch("SELECT sku, version, xmin::text FROM product")
    assert len(versions) == stopped.created == 999

    done = again(job_id)
    assert (done.status, counts(done)) == ("completed", (3_000, 0, 0, 1, 1))
    assert set(versions) <= set(fetch("SELECT sku, version, xmin::text FROM product")), "what was in is left alone"
    assert fetch("SELECT count(*) FROM event WHERE event_type LIKE 'import_%%'") == [(1,)]


def test_a_failed_import_is_tried_again_from_its_file(run_import):
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


def test_what_has_not_failed_is_not_tried_again(run_import):
    done = run_import(ROWS)
    waiting = upload(b"sku,name,description\n")
    for job_id in (done.id, waiting):
        with pytest.raises(Conflict) as refused:
            db.run(service.retry_import, job_id)
        assert refused.value.kind == "not-retryable"


def test_without_its_file_nothing_is_tried_again(run_import):
    job_id = upload(ROWS.encode())
    db.run(service.cancel_import, job_id)
    with db.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE import_job SET file_deleted_at = now()")
    with pytest.raises(Conflict, match="Upload it again"):
        db.run(service.retry_import, job_id)
    assert current(job_id).file_available is False


def test_a_retry_nudges_a_worker(run_import):
    job_id = upload(ROWS.encode())
    db.run(service.cancel_import, job_id)
    redis.client().flushdb()
    read = db.run(service.retry_import, job_id)
    assert (read.status, read.phase, read.finished_at) == ("pending", "waiting", None)
    assert queue.waiting_keys(service.RUN_IMPORT) == {str(job_id)}
