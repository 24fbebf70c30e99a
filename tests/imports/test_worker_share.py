"""Large imports leave one worker to the small ones, as the database sees it."""

import gzip
import io
import time
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
from product_importer.imports.upload import receiver
from tests.imports.conftest import execute, upload
from tests.imports.pipeline.test_runner import fetch

FILE = b"sku,name,description\na,b,c\n"


def large() -> UUID:
    """Upload a file that counts as large, a minute ago."""
    job_id = upload(FILE)
    execute("UPDATE import_job SET is_large = true, created_at = created_at - interval '1 minute'")
    return job_id


def lapse(job_id: UUID) -> None:
    execute("UPDATE import_job SET lease_until = now() - interval '1 second' WHERE id = %s", str(job_id))


def show_workers(count: int) -> None:
    redis.client().delete(queue.PRESENCE.format(queue="imports"))
    for number in range(count):
        redis.client().zadd(queue.PRESENCE.format(queue="imports"), {f"worker {number}": time.time()})


def notified() -> list[str]:
    return [name.partition("_")[0] for name in queue._queue("imports").get_job_ids()]


@pytest.mark.parametrize(("workers", "slots"), [(0, 1), (1, 1), (2, 1), (3, 2), (8, 7)])
def test_large_imports_may_hold_all_workers_but_one(database, workers, slots):
    show_workers(workers)
    assert worker_share.slots() == slots


def test_a_large_import_that_would_take_the_last_worker_is_left_where_it_is(database):
    first, second, third = large(), large(), upload(FILE)
    assert claim(first, slots=1) is not None
    assert claim(second, slots=1) is None
    assert (current(second).status, fetch("SELECT sum(attempts)::int FROM import_job")) == ("pending", [(1,)])
    assert claim(second, slots=2) is not None
    assert claim(third, slots=1) is not None, "small ones always are in turn"


def test_whoever_brought_a_process_along_neither_waits_nor_lets_others_wait(database):
    first, second, third = large(), large(), large()
    assert claim(first) is not None
    assert claim(second, slots=1) is not None
    assert claim(third) is not None


def test_a_worker_that_is_gone_holds_nothing(database):
    first, second = large(), large()
    claim(first, slots=1)
    lapse(first)
    assert claim(second, slots=1) is not None
    assert claim(first, slots=1) is None, "its turn comes again"
    lapse(second)
    assert claim(first, slots=1) is not None


def test_two_workers_never_find_the_same_turn_free(database):
    for _ in range(10):
        together = Barrier(4)

        def take(job_id: UUID, together: Barrier = together) -> bool:
            together.wait()
            return claim(job_id, slots=1) is not None

        with ThreadPoolExecutor(4) as pool:
            taken = list(pool.map(take, [large() for _ in range(4)]))
        assert sum(taken) == 1
        execute("UPDATE import_job SET status = 'completed'")


def test_an_end_nudges_for_the_one_that_has_waited_longest_before_all_others(database):
    first, second, third, small = large(), large(), large(), upload(FILE)
    execute("UPDATE import_job SET is_large = id <> %s", str(small))
    redis.client().delete("rq:queue:imports")
    queue.enqueue(RUN_IMPORT, small)
    tasks.run_import(str(first))
    assert notified() == [str(second), str(small)]
    tasks.run_import(str(third))
    assert notified() == [str(second), str(small)], "once is enough"


def test_a_declined_import_has_no_nudge_until_it_is_in_turn(database):
    first, second = large(), large()
    claim(first, slots=1)
    tasks.run_import(str(second))
    redis.client().delete("rq:queue:imports")
    db.run(reconcile)
    assert (current(second).status, notified()) == ("pending", []), "no worker is asked again and again"
    lapse(first)
    db.run(reconcile)
    assert notified() == [str(first)], "the one whose worker is gone, which began before"
    tasks.run_import(str(first))
    assert notified()[0] == str(second)


def test_small_ones_are_nudged_for_whatever_large_ones_wait(database):
    first, second, small = large(), large(), large()
    claim(first, slots=1)
    execute("UPDATE import_job SET is_large = false WHERE id = %s", str(small))
    redis.client().delete("rq:queue:imports")
    db.run(reconcile)
    assert notified() == [str(small)]
    show_workers(3)
    db.run(reconcile)
    assert sorted(notified()) == sorted([str(small), str(second)])


def packed(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return made.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, packed], ids=["plain", "gzip", "zip"])
def test_what_is_large_goes_by_what_a_file_holds_unpacked(database, monkeypatch, pack):
    monkeypatch.setattr(receiver, "LARGE_BYTES", 100_000)
    for size, is_large in ((99_000, False), (101_000, True)):
        job_id = upload(pack(FILE + b"d,e,%s\n" % (b"f" * size)))
        assert fetch(f"SELECT is_large FROM import_job WHERE id = '{job_id}'") == [(is_large,)]
