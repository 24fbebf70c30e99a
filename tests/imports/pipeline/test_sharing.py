"""One import over several workers: who may claim a range, and what becomes of the sorted rows that they share."""

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Event
from typing import Any
from uuid import UUID

import psycopg2
import pyarrow as pa
import pytest

from product_importer.core import db, outbox, queue, redis
from product_importer.core.ids import new_id
from product_importer.core.settings import settings
from product_importer.core.storage import ObjectStorage, storage
from product_importer.imports import service, spools, stored_files, tasks, worker_share
from product_importer.imports.columns.header import Header
from product_importer.imports.models import ImportJob
from product_importer.imports.parsing.records import Chunk
from product_importer.imports.pipeline import helping, lease, range_claims, shared_spool, sharing
from product_importer.imports.pipeline.lease import LeaseLost
from product_importer.imports.pipeline.range_claims import Claim
from product_importer.imports.pipeline.run_columns import RunColumns
from product_importer.imports.pipeline.spool import Spool
from product_importer.imports.pipeline.writers import COUNTED
from product_importer.imports.progress import current
from product_importer.imports.service import HELP_IMPORT
from product_importer.imports.upload import receiver
from tests import object_store
from tests.docs.documents import ROOT
from tests.imports.conftest import execute, upload
from tests.imports.pipeline.test_lease import lapse
from tests.imports.pipeline.test_runner import counts, csv_of, fetch
from tests.imports.pipeline.test_undo import run_undo
from tests.imports.test_worker_share import show_workers
from tests.waiting import wait_for

ROWS = 8_000
# A changed product in each of the first two ranges: while they are locked, the import's own worker cannot go on.
HELD = ("S00100", "S01500")
REPEATED = "S07000"
FILE = csv_of(*(f"S{n:05},Name,Text" for n in range(ROWS)), f"{REPEATED},Name,Text", ",rejected,").encode()
WHOLE = (ROWS - 2, 2, 0, 1, 1)
SECONDS = 30


@pytest.fixture
def held_products(run_import, monkeypatch) -> None:
    """The products that a test locks, three workers, and imports that share their rows at once."""
    run_import(csv_of(*(f"{sku},Before,x" for sku in HELD)))
    monkeypatch.setattr(sharing, "LOOK_SECONDS", 0.01)
    show_workers(3)


@contextmanager
def held(*skus: str) -> Iterator[None]:
    with db.engine().begin() as connection:
        connection.exec_driver_sql("SELECT FROM product WHERE sku = ANY(%s) FOR UPDATE", (list(skus or HELD),))
        yield


def large(content: bytes = FILE, **options: str) -> UUID:
    job_id = upload(content, **options)
    execute("UPDATE import_job SET is_large = true WHERE id = %s", str(job_id))
    redis.client().delete("rq:queue:imports")
    return job_id


def shared(job_id: UUID) -> UUID | None:
    """Return the id of the rows that an import shares, once a helper is called for."""
    [(spool_id,)] = fetch(f"SELECT spool_id FROM import_job WHERE id = '{job_id}'")
    return spool_id if str(spool_id) in queue.waiting_keys(HELP_IMPORT) else None


@contextmanager
def sharing_import(job_id: UUID) -> Iterator[tuple[UUID, Future[None]]]:
    """Run an import whose worker is held in its first two ranges; yield the id of its rows, and its work."""
    with ThreadPoolExecutor(1) as pool:
        with held():
            work = pool.submit(tasks.run_import, str(job_id))
            spool_id = wait_for(lambda: shared(job_id), SECONDS, "the import shares its rows")
            assert spool_id is not None
            yield spool_id, work
        work.result(SECONDS)


def holders() -> list[tuple[UUID, bool]]:
    """Return who claimed each range last, and whether it is done."""
    return [tuple(row) for row in fetch("SELECT holder, done_at IS NOT NULL FROM import_range ORDER BY number")]


def stored() -> list[str]:
    keys = storage().keys()
    return [key for key in keys if key.startswith("spool-")]


@pytest.fixture(params=["folder", "object store"])
def place(request, tmp_path, monkeypatch) -> Iterator[None]:
    """Keep the uploads, and what is shared, in a folder or in an object store."""
    with ExitStack() as stack:
        if request.param == "object store":
            environment = stack.enter_context(object_store.started()) | {
                "UPLOAD_DIR": f"s3://uploads/{tmp_path.name}"
            }
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            for cached in (settings, storage):
                cached.cache_clear()
                stack.callback(cached.cache_clear)
            assert isinstance(storage(), ObjectStorage)
        yield


def test_a_helper_writes_what_the_imports_own_worker_does_not_hold(place, held_products, products):
    job_id = large()
    with sharing_import(job_id) as (spool_id, _):
        assert stored() == [stored_files.spool_key(spool_id)]
        tasks.help_import(str(spool_id))
        assert [(holder == job_id, is_done) for holder, is_done in holders()] == [(True, False)] * 2 + [
            (False, True)
        ] * (len(holders()) - 2)
        assert current(job_id).processed_rows > ROWS / 2
    job = current(job_id)
    assert (job.status, job.percent, counts(job)) == ("completed", 100.0, WHOLE)
    assert len(products()) == ROWS and set(products().values()) == {("Name", "Text")}
    assert (stored(), fetch("SELECT spool_id FROM import_job")) == ([], [(None,), (None,)])


def test_helpers_at_once_write_each_range_once(held_products):
    job_id = large()
    show_workers(5)
    with sharing_import(job_id) as (spool_id, _), ThreadPoolExecutor(2) as pool:
        for help_ended in [pool.submit(tasks.help_import, str(spool_id)) for _ in range(2)]:
            help_ended.result(SECONDS)
    assert counts(current(job_id)) == WHOLE


def test_what_helpers_wrote_can_be_undone(held_products, run_import, products):
    """A helper is the first that overwrites something: it makes the table for that."""
    run_import(csv_of(f"{REPEATED},Before,x"))
    job_id = large()
    with sharing_import(job_id) as (spool_id, _):
        tasks.help_import(str(spool_id))
    assert counts(current(job_id)) == (ROWS - 3, 3, 0, 1, 1)
    run_undo(current(job_id))
    assert products() == dict.fromkeys((*HELD, REPEATED), ("Before", "x"))


def test_a_dry_run_that_was_shared_is_applied(held_products):
    job_id = large(dry_run="true")
    with ThreadPoolExecutor(2) as pool:
        with held_table():
            work = pool.submit(tasks.run_import, str(job_id))
            spool_id = wait_for(lambda: shared(job_id), SECONDS, "the dry run shares its rows")
            helped = pool.submit(tasks.help_import, str(spool_id))
            wait_for(lambda: len({holder for holder, _ in holders()} - {None}) == 2, SECONDS, "a helper has claims")
        helped.result(SECONDS)
        work.result(SECONDS)
    assert (current(job_id).status, counts(current(job_id))) == ("previewed", WHOLE)
    assert fetch("SELECT count(*) FROM product") == [(len(HELD),)]
    db.run(service.apply_import, job_id)
    with sharing_import(job_id) as (spool_id, _):
        tasks.help_import(str(spool_id))
    assert (current(job_id).status, counts(current(job_id)), stored()) == ("completed", WHOLE, [])


def test_the_worker_and_each_helper_report_the_rows_that_they_hold(place, held_products):
    """A helper has all rows of an object store in its own `SPOOL_DIR`, and none of a folder's."""
    job_id = large()
    program = "import sys; from product_importer.imports import tasks; tasks.help_import(sys.argv[1])"
    with ThreadPoolExecutor(1) as pool:
        with held_table():
            work = pool.submit(tasks.run_import, str(job_id))
            spool_id = wait_for(lambda: shared(job_id), SECONDS, "the import shares its rows")
            helper = subprocess.Popen([sys.executable, "-c", program, str(spool_id)], cwd=ROOT)
            wait_for(lambda: len({holder for holder, _ in holders()} - {None}) == 2, SECONDS, "a helper has claims")
            expected = [isinstance(storage(), ObjectStorage), True]
            wait_for(lambda: [held > ROWS for held in sorted(reports().values())] == expected, SECONDS, "both report")
            assert str(helper.pid) in str(reports().keys())
            assert spools.reported_bytes() == sum(reports().values())
        assert helper.wait(SECONDS) == 0
        work.result(SECONDS)
    assert (reports(), counts(current(job_id))) == ({}, WHOLE)


def reports() -> dict[str, int]:
    return {name: held for name, (_, held) in spools._reports().items()}


@contextmanager
def held_table() -> Iterator[None]:
    """Keep every range from being written."""
    with db.engine().begin() as connection:
        connection.exec_driver_sql("LOCK TABLE product IN SHARE MODE")
        yield


def test_each_product_gets_an_event_if_anyone_wanted_one_when_the_import_began(held_products, monkeypatch):
    job_id = large()
    monkeypatch.setattr(outbox, "WANTS_EACH", [lambda _: True])
    with sharing_import(job_id) as (spool_id, _):
        # Helpers do not ask again: either all products have events or none.
        monkeypatch.setattr(outbox, "WANTS_EACH", [])
        tasks.help_import(str(spool_id))
    events = fetch("SELECT event_type, count(*) FROM event WHERE batch_id IS NOT NULL GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in events] == [("product_created", ROWS - 2), ("product_updated", 2)]


def lose(job_id: UUID, work: Future[None]) -> None:
    """Let an import's own worker lose PostgreSQL, and its lease run out."""
    execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", f"import {job_id}")
    work.result(SECONDS)
    lapse(job_id)


@pytest.fixture
def half_done(held_products) -> tuple[UUID, UUID]:
    """An import whose own worker is lost after a helper has written all but two ranges; and the id of its rows."""
    job_id = large()
    with sharing_import(job_id) as (spool_id, work):
        tasks.help_import(str(spool_id))
        lose(job_id, work)
    assert current(job_id).status == "processing"
    return job_id, spool_id


def test_the_next_worker_takes_shared_rows_over_and_does_not_read_the_file(half_done):
    job_id, _ = half_done
    [(key,)] = fetch(f"SELECT storage_key FROM import_job WHERE id = '{job_id}'")
    storage().delete(key)
    tasks.run_import(str(job_id))
    assert (current(job_id).status, counts(current(job_id)), stored()) == ("completed", WHOLE, [])


@pytest.mark.parametrize("spoil", [lambda _: None, lambda whole: whole[:-1], lambda whole: whole[:9]])
def test_where_shared_rows_are_gone_or_broken_the_file_is_read_again(half_done, spoil):
    job_id, spool_id = half_done
    key = stored_files.spool_key(spool_id)
    with storage().open(key) as file:
        content = spoil(file.read())
    storage().delete(key)
    if content is not None:
        put(key, content)
    tasks.run_import(str(job_id))
    assert (current(job_id).status, counts(current(job_id)), stored()) == ("completed", WHOLE, [])


def put(key: str, content: bytes) -> None:
    writer = storage().writer(key)
    writer.write(content)
    writer.commit()


def helper_of(job_id: UUID) -> helping.HelperLease:
    """Return the lease of a helper that has claimed nothing yet."""
    holder = new_id()
    with db.session() as session:
        job = session.get(ImportJob, job_id)
    assert job is not None
    return helping.HelperLease(job, lease.pool(lease.helper_name(holder)), holder)


def claimed(held_lease: lease.Lease, count: int = 1) -> list[Claim]:
    with held_lease.connect() as connection, connection:
        return range_claims.claim(connection, held_lease.job.id, held_lease.holder, count)


def test_a_claim_is_outdated_once_another_worker_has_the_range(half_done):
    job_id, _ = half_done
    first, second = helper_of(job_id), helper_of(job_id)
    execute("UPDATE import_range SET lease_until = NULL")
    [old] = claimed(first)
    [other] = claimed(second)
    assert other.key_range.number != old.key_range.number
    execute(
        "UPDATE import_range SET lease_until = now() - interval '1 second' WHERE number = %s", old.key_range.number
    )
    [new] = claimed(second)
    assert (new.key_range, new.fence) == (old.key_range, old.fence + 1)
    with first.connect() as connection, connection:
        assert not range_claims.mark_done(connection, job_id, old)
        range_claims.renew(connection, job_id, first.holder)
        range_claims.release(connection, job_id, first.holder)
    with second.connect() as connection, connection:
        assert range_claims.left(connection, job_id) == (2, 0)
        assert range_claims.mark_done(connection, job_id, new)
        assert not range_claims.mark_done(connection, job_id, new)


def test_who_takes_a_range_over_ends_the_sessions_of_its_holder_only(half_done):
    """A stopped process would keep the locks on its products."""
    job_id, _ = half_done
    first, second, third = (helper_of(job_id) for _ in range(3))
    execute("UPDATE import_range SET lease_until = NULL")
    [old], [_] = claimed(first), claimed(third)
    with first.connect() as stopped, third.connect() as living, stopped.cursor() as cursor:
        cursor.execute("SELECT 1")
        execute(
            "UPDATE import_range SET lease_until = now() - interval '1 s' WHERE number = %s", old.key_range.number
        )
        [new] = claimed(second)
        assert new.key_range == old.key_range
        with pytest.raises(psycopg2.OperationalError):
            for _ in range(100):
                cursor.execute("SELECT pg_sleep(0.05)")
        with living, living.cursor() as other:
            other.execute("SELECT 1")


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE import_job SET spool_id = NULL",
        "UPDATE import_job SET spool_id = gen_random_uuid() WHERE spool_id IS NOT NULL",
        "UPDATE import_job SET status = 'cancelled'",
    ],
)
def test_a_helper_writes_nothing_for_an_import_that_no_longer_shares_its_rows(half_done, end):
    job_id, _ = half_done
    helper = helper_of(job_id)
    execute(end)
    with pytest.raises(LeaseLost), helper.connect() as connection, helper.transaction(connection):
        helper.write(connection, COUNTED, created=1, updated=0, unchanged=0, duplicates=0, rejected=0)
    before = counts(current(job_id))
    tasks.help_import(str(helper.token))
    assert counts(current(job_id)) == before


def test_a_helper_gives_way_to_a_large_import_that_waits(held_products):
    job_id = large()
    with sharing_import(job_id) as (spool_id, _):
        other = large(csv_of("other,Name,x").encode())
        assert worker_share.free_helpers() == 0
        tasks.help_import(str(spool_id))
        assert {holder for holder, _ in holders()} == {job_id, None}
        execute("UPDATE import_job SET status = 'cancelled' WHERE id = %s", str(other))
        show_workers(2)
        tasks.help_import(str(spool_id))
        assert {holder for holder, _ in holders()} == {job_id, None}, "one worker is left to small imports"
        show_workers(3)
        tasks.help_import(str(spool_id))
    assert counts(current(job_id)) == WHOLE


def test_a_helper_counts_as_a_worker_that_a_large_import_holds(half_done):
    job_id, _ = half_done
    execute("UPDATE import_range SET lease_until = NULL")
    show_workers(3)
    assert db.run(worker_share.free_slots) == 2
    claimed(helper_of(job_id), 2)
    assert db.run(worker_share.free_slots) == 1
    other = large(csv_of("other,Name,x").encode())
    assert lease.claim(other, slots=1) is None
    assert lease.claim(other, slots=2) is not None


def test_a_cancelled_import_stops_its_helpers_and_goes_on_after_a_retry(held_products):
    job_id = large()
    with ThreadPoolExecutor(2) as pool:
        with held_table():
            work = pool.submit(tasks.run_import, str(job_id))
            spool_id = wait_for(lambda: shared(job_id), SECONDS, "the import shares its rows")
            helped = pool.submit(tasks.help_import, str(spool_id))
            wait_for(lambda: len({holder for holder, _ in holders()} - {None}) == 2, SECONDS, "a helper has claims")
            db.run(service.cancel_import, job_id)
        helped.result(SECONDS)
        work.result(SECONDS)
    stopped = current(job_id)
    assert (stopped.status, stored()) == ("cancelled", [])
    assert fetch("SELECT count(*) FROM product") == [(len(HELD) + stopped.created,)]
    show_workers(3)
    redis.client().delete("rq:queue:imports")
    db.run(service.retry_import, job_id)
    tasks.run_import(str(job_id))
    assert (current(job_id).status, counts(current(job_id))) == ("completed", WHOLE)


def test_without_room_for_shared_rows_an_import_goes_on_alone(held_products, monkeypatch, caplog):
    """The folder that they should be written to does not exist."""
    monkeypatch.setattr(shared_spool, "spool_key", lambda spool_id: f"missing/{spool_id}")
    job_id = large()
    with ThreadPoolExecutor(1) as pool:
        with held():
            work = pool.submit(tasks.run_import, str(job_id))
            wait_for(lambda: "goes on without help" in caplog.text, SECONDS, "it says so")
        work.result(SECONDS)
    assert (current(job_id).status, counts(current(job_id))) == ("completed", WHOLE)


def test_an_import_that_does_not_count_as_large_is_not_shared(held_products, caplog):
    job_id = upload(FILE)
    caplog.set_level("INFO")
    tasks.run_import(str(job_id))
    assert counts(current(job_id)) == WHOLE
    assert "its rows are shared" not in caplog.text


def test_shared_rows_are_deleted_as_orphans_only_when_no_running_import_needs_them(half_done, monkeypatch):
    job_id, spool_id = half_done
    monkeypatch.setattr(receiver, "ORPHANED_SECONDS", 0)
    put(stored_files.spool_key(job_id), b"left by a process that was killed while it stored them")
    db.run(receiver.delete_orphans)
    assert stored() == [stored_files.spool_key(spool_id)]
    db.run(service.cancel_import, job_id)
    db.run(receiver.delete_orphans)
    assert stored() == []


def test_rows_are_fetched_as_they_were_stored(database):
    columns = RunColumns(Header(("sku", "name", "description"), ("sku", "name", "description")))
    with Spool(columns.schema) as spool:
        for part in range(3):
            spool.add(rows_of(columns, range(part, 5_000, 3)))
        spool_id = new_id()
        assert shared_spool.store(spool, spool_id, Event())
        with shared_spool.fetch(spool_id, columns.schema) as fetched:
            assert fetched.rows == spool.rows
            for after, last in (("", "s01000"), ("s01000", "s04000"), ("s04000", None)):
                assert fetched.between(after, last).equals(spool.between(after, last))
        other = columns.schema.append(pa.field("a0", pa.string()))
        with pytest.raises(shared_spool.SpoolMismatch):
            shared_spool.fetch(spool_id, other)
        over = Event()
        over.set()
        assert not shared_spool.store(spool, new_id(), over)
    assert stored() == [stored_files.spool_key(spool_id)]


def another_disk(*_: object, **__: object) -> None:
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


def only_with_names(path: Any, flags: int, *words: Any, opened: Any = os.open, **named: Any) -> int:
    if flags & os.O_TMPFILE == os.O_TMPFILE:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    return int(opened(path, flags, *words, **named))


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="NOT TESTED: this system has no files without a name")
@pytest.mark.parametrize(
    "refused",
    [{}, {"link": another_disk}, {"open": only_with_names}],
    ids=["same disk", "another", "no unnamed files"],
)
def test_rows_are_shared_without_a_copy_where_their_disk_has_the_uploads(database, monkeypatch, refused):
    for name, function in refused.items():
        monkeypatch.setattr(os, name, function)
    columns, spool_id = RunColumns(Header(("sku", "name", "description"), ("sku", "name", "description"))), new_id()
    with Spool(columns.schema) as spool:
        spool.add(rows_of(columns, range(100)))
        assert shared_spool.store(spool, spool_id, Event())
        with shared_spool.fetch(spool_id, columns.schema) as fetched:
            assert fetched.between("", None).equals(spool.between("", None))
            files = [os.fstat(one.file.fileno()) for one in (spool, fetched)]
        [name] = stored()
        assert (files[0].st_ino == files[1].st_ino) is not bool(refused)
        assert stat.S_IMODE(files[1].st_mode) == 0o600
        assert name == stored_files.spool_key(spool_id)


def rows_of(columns: RunColumns, numbers: range) -> pa.Table:
    lines = list(numbers)
    return pa.Table.from_batches([columns.batch(Chunk(lines, [[f"S{n:05}", "Name", "x"] for n in lines]))])
