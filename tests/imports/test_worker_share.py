"""Large imports leave one worker to small ones."""

import gzip
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest

from product_importer.core import db, queue, redis
from product_importer.imports import tasks, worker_share
from product_importer.imports.pipeline.lease import claim
from product_importer.imports.progress import current
from product_importer.imports.reconciler import reconcile
from product_importer.imports.service import RUN_IMPORT
from product_importer.imports.upload import accepting
from tests.imports.conftest import execute, upload
from tests.imports.pipeline.test_runner import fetch

FILE = b"sku,name,description\na,b,c\n"


def large() -> UUID:
    """Upload a file that counts as large, with a time of one minute ago."""
    job_id = upload(FILE)
    execute("UPDATE import_job SET is_large = true, created_at = created_at - interval '1 minute'")
    return job_id


def lapse(job_id: UUID) -> None:
    execute("UPDATE import_job SET lease_until = now() - interval '1 second' WHERE id = %s", str(job_id))


def show_workers(count: int) -> None:
    """Report so many workers, for longer than a test takes."""
    redis.client().delete(queue.PRESENCE.format(queue="imports"))
    for number in range(count):
        redis.client().zadd(queue.PRESENCE.format(queue="imports"), {f"worker {number}": redis.now() + 60})


def queued() -> list[str]:
    return [name.partition("_")[0] for name in queue._queue("imports").get_job_ids()]


@pytest.mark.parametrize(("workers", "slots"), [(0, 1), (1, 1), (2, 1), (3, 2), (8, 7)])
def test_large_imports_may_use_all_workers_but_one(database, workers, slots):
    show_workers(workers)
    assert worker_share.slots() == slots


def test_a_large_import_that_would_take_the_last_worker_stays_pending(database):
    first, second, third = large(), large(), upload(FILE)
    assert claim(first, slots=1) is not None
    assert claim(second, slots=1) is None
    assert (current(second).status, fetch("SELECT sum(attempts)::int FROM import_job")) == ("pending", [(1,)])
    assert claim(second, slots=2) is not None
    assert claim(third, slots=1) is not None, "a small import never waits"


def test_an_import_outside_the_workers_neither_waits_nor_delays_others(database):
    first, second, third = large(), large(), large()
    assert claim(first) is not None
    assert claim(second, slots=1) is not None
    assert claim(third) is not None


def test_a_dead_worker_holds_no_slot(database):
    first, second = large(), large()
    claim(first, slots=1)
    lapse(first)
    assert claim(second, slots=1) is not None
    assert claim(first, slots=1) is None, "it must wait for its turn"
    lapse(second)
    assert claim(first, slots=1) is not None


def test_two_workers_never_take_the_same_slot(database):
    for _ in range(10):
        together = Barrier(4)

        def take(job_id: UUID, together: Barrier = together) -> bool:
            together.wait()
            return claim(job_id, slots=1) is not None

        with ThreadPoolExecutor(4) as pool:
            taken = list(pool.map(take, [large() for _ in range(4)]))
        assert sum(taken) == 1
        execute("UPDATE import_job SET status = 'completed'")


def test_the_end_of_an_import_queues_the_longest_waiting_one_at_the_front(database):
    first, second, third, small = large(), large(), large(), upload(FILE)
    execute("UPDATE import_job SET is_large = id <> %s", str(small))
    redis.client().delete("rq:queue:imports")
    queue.enqueue(RUN_IMPORT, small)
    tasks.run_import(str(first))
    assert queued() == [str(second), str(small)]
    tasks.run_import(str(third))
    assert queued() == [str(second), str(small)], "it must not be queued twice"


def test_a_declined_import_is_not_queued_before_its_turn(database):
    first, second = large(), large()
    claim(first, slots=1)
    tasks.run_import(str(second))
    redis.client().delete("rq:queue:imports")
    db.run(reconcile)
    assert (current(second).status, queued()) == ("pending", []), "it must not be queued before its turn"
    lapse(first)
    db.run(reconcile)
    assert queued() == [str(first)], "the older import, whose worker is dead, comes first"
    tasks.run_import(str(first))
    assert queued()[0] == str(second)


def test_small_imports_are_queued_while_large_ones_wait(database):
    first, second, small = large(), large(), large()
    claim(first, slots=1)
    execute("UPDATE import_job SET is_large = false WHERE id = %s", str(small))
    redis.client().delete("rq:queue:imports")
    db.run(reconcile)
    assert queued() == [str(small)]
    show_workers(3)
    db.run(reconcile)
    assert sorted(queued()) == sorted([str(small), str(second)])


def packed(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return made.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, packed], ids=["plain", "gzip", "zip"])
def test_the_unpacked_size_makes_an_import_large(database, monkeypatch, pack):
    monkeypatch.setattr(accepting, "LARGE_BYTES", 100_000)
    for size, is_large in ((99_000, False), (101_000, True)):
        job_id = upload(pack(FILE + b"d,e,%s\n" % (b"f" * size)))
        assert fetch(f"SELECT is_large FROM import_job WHERE id = '{job_id}'") == [(is_large,)]
