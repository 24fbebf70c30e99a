"""Only the worker that claimed an import last can write."""

import psycopg2
import pytest
from psycopg2 import sql

from product_importer.core import db
from product_importer.imports import tasks
from product_importer.imports.pipeline import lease, range_writer, writers
from product_importer.imports.pipeline.lease import LeaseLost, claim
from product_importer.imports.progress import current
from tests.imports.conftest import execute, upload
from tests.waiting import wait_for

FILE = b"sku,name,description\n" + b"".join(b"S%d,Name,Text\n" % n for n in range(6_000))


def lapse(job_id) -> None:
    """End the lease, as if its holder had not renewed it."""
    execute("UPDATE import_job SET lease_until = now() - interval '1 second' WHERE id = %s", str(job_id))


class Killed(BaseException):
    """Simulates the end of the process."""


@pytest.fixture
def kill_after(monkeypatch):
    """End the work after a number of written ranges, as a kill would."""

    def arrange(ranges: int) -> None:
        write = range_writer.RangeWriter.write
        done: list[object] = []

        def counted(self, *arguments):
            if len(done) >= ranges:
                raise Killed
            done.append(arguments)
            return write(self, *arguments)

        monkeypatch.setattr(range_writer.RangeWriter, "write", counted)

    yield arrange


def test_a_claimed_import_is_not_claimed_again_until_its_lease_runs_out(database):
    job_id = upload(FILE)
    first = claim(job_id)
    assert first is not None
    assert claim(job_id) is None
    lapse(job_id)
    second = claim(job_id)
    assert second is not None and second.fence == first.fence + 1


def test_an_ended_import_is_not_claimed(run_import):
    job = run_import(b"sku,name,description\na,b,c\n")
    assert claim(job.id) is None


def test_an_outdated_fencing_token_writes_nothing(database):
    job_id = upload(FILE)
    old = claim(job_id)
    lapse(job_id)
    claim(job_id)
    with pytest.raises(LeaseLost), old.connect() as connection, old.transaction(connection):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO product (id, sku, sku_key, name) VALUES (gen_random_uuid(), 'x', 'x', 'x')")
        old.write(connection, sql.SQL("created = created + 1"))
    with db.engine().connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM product").scalar() == 0


def test_a_claim_closes_the_connections_of_the_earlier_holder(database):
    job_id = upload(FILE)
    old = claim(job_id)
    with old.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        lapse(job_id)
        claim(job_id)
        with pytest.raises(psycopg2.OperationalError):
            for _ in range(100):
                cursor.execute("SELECT pg_sleep(0.05)")


def backend(held) -> tuple[int, str]:
    """Return the process of a lease's connection in PostgreSQL, and its name there."""
    with held.connect() as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_setting('application_name')")
        return cursor.fetchone()


def live_backends(*pids: int) -> int:
    with db.engine().connect() as connection:
        statement = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
        return connection.exec_driver_sql(statement, (list(pids),)).scalar_one()


def test_a_lease_uses_one_connection_again_and_closes_it_at_its_end(database):
    job_id = upload(FILE)
    held = claim(job_id)
    pid, name = backend(held)
    assert (pid, name) == backend(held) and name == f"import {job_id}"
    held.close()
    wait_for(lambda: live_backends(pid) == 0, 10, "the connection is closed")


def test_a_claim_takes_the_connection_that_was_prepared_and_names_it(database):
    lease.prepare()
    with lease._prepared[0].connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    job_id = upload(FILE)
    held = claim(job_id)
    assert backend(held) == (pid, f"import {job_id}")
    assert not lease._prepared
    held.close()


def test_a_claim_replaces_a_prepared_connection_that_has_ended(database):
    lease.prepare()
    with lease._prepared[0].connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    execute("SELECT pg_terminate_backend(%s, 10000)", pid)
    held = claim(upload(FILE))
    assert held is not None and backend(held)[0] != pid
    held.close()


@pytest.mark.parametrize("ranges", [0, 1, 3])
def test_another_worker_continues_after_a_killed_one(database, kill_after, ranges, monkeypatch):
    job_id = upload(FILE)
    with monkeypatch.context() as patch:
        kill_after(ranges)
        with pytest.raises(Killed):
            tasks.run_import(str(job_id))
        patch.undo()
    monkeypatch.undo()
    before = current(job_id)
    assert before.status == "processing"
    lapse(job_id)
    tasks.run_import(str(job_id))
    after = current(job_id)
    assert (after.status, after.created, after.unchanged, after.total_rows) == ("completed", 6_000, 0, 6_000)
    assert after.percent == 100.0


def test_rejected_rows_are_stored_once_when_the_file_is_read_again(database, kill_after, monkeypatch):
    job_id = upload(FILE + b",rejected,\n")
    kill_after(2)
    with pytest.raises(Killed):
        tasks.run_import(str(job_id))
    monkeypatch.undo()
    lapse(job_id)
    tasks.run_import(str(job_id))
    job = current(job_id)
    assert (job.status, job.created, job.rejected, job.total_rows) == ("completed", 6_000, 1, 6_001)


def test_a_cancelled_import_stops_after_a_range_and_counts_its_rows(database, monkeypatch):
    from product_importer.imports import service

    job_id = upload(FILE)
    write = lease.Lease.write

    def cancel_then_write(self, connection, assignments, **values):
        if "unchanged" in values and not self.job.cancel_requested_at:
            self.job.cancel_requested_at = db.run(service.cancel_import, job_id).created_at
        return write(self, connection, assignments, **values)

    monkeypatch.setattr(lease.Lease, "write", cancel_then_write)
    tasks.run_import(str(job_id))
    job = current(job_id)
    assert job.status == "cancelled"
    assert 0 < job.created < 6_000
    with db.engine().connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM product").scalar() == job.created


def test_after_a_lost_database_connection_the_next_worker_continues(database, monkeypatch):
    job_id = upload(FILE)

    def gone(*_):
        raise psycopg2.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(writers.Writers, "run", gone)
    tasks.run_import(str(job_id))
    assert current(job_id).status == "processing"
    monkeypatch.undo()
    lapse(job_id)
    tasks.run_import(str(job_id))
    assert current(job_id).created == 6_000
