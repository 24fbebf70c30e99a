"""The reconciler queues lost imports again, and ends those that make no progress."""

from product_importer.core import db, queue, redis
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.imports.pipeline.lease import claim
from product_importer.imports.progress import current
from product_importer.imports.reconciler import MAX_ATTEMPTS, reconcile
from product_importer.imports.service import RUN_IMPORT
from tests.imports.conftest import execute, upload
from tests.imports.pipeline.test_runner import fetch

FILE = b"sku,name,description\na,b,c\n"


def test_a_lost_job_is_queued_again_only_once(database):
    job_id = upload(FILE)
    redis.client().flushdb()
    execute("UPDATE import_job SET created_at = now() - interval '1 minute'")
    db.run(reconcile)
    db.run(reconcile)
    assert queue.waiting_keys(RUN_IMPORT) == {str(job_id)}
    assert redis.client().llen("rq:queue:imports") == 1


def test_an_import_that_a_worker_has_is_left_alone(database):
    job_id = upload(FILE)
    claim(job_id)
    redis.client().flushdb()
    db.run(reconcile)
    assert queue.waiting_keys(RUN_IMPORT) == set()


def test_an_import_whose_lease_has_expired_is_queued(database):
    job_id = upload(FILE)
    claim(job_id)
    redis.client().flushdb()
    execute("UPDATE import_job SET lease_until = now() - interval '1 second'")
    db.run(reconcile)
    assert queue.waiting_keys(RUN_IMPORT) == {str(job_id)}


def test_an_import_that_kills_every_worker_fails_with_a_reason(database):
    job_id = upload(FILE)
    claim(job_id)
    execute("INSERT INTO import_range (job_id, number) SELECT id, 0 FROM import_job")
    execute(f"UPDATE import_job SET lease_until = now() - interval '1 second', attempts = {MAX_ATTEMPTS}")
    db.run(reconcile)
    job = current(job_id)
    assert (job.status, job.error.code) == ("failed", "gave_up")
    assert fetch("SELECT number FROM import_range") == [(0,)], "a retry goes on with its ranges"
    with db.engine().connect() as connection:
        assert connection.exec_driver_sql("SELECT event_type FROM event").fetchall() == [("import_failed",)]


def test_only_one_process_reconciles_at_a_time(database):
    upload(FILE)
    redis.client().flushdb()
    execute("UPDATE import_job SET created_at = now() - interval '1 minute'")
    with db.engine().begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({AdvisoryLock.RECONCILE_IMPORTS})")
        db.run(reconcile)
    assert queue.waiting_keys(RUN_IMPORT) == set()
