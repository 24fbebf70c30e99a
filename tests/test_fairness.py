"""With at least two workers, small imports never wait for the end of large ones."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from uuid import UUID

import psutil
import pytest

from product_importer.commands.process_manager import kill_session
from product_importer.core import db, queue, redis
from product_importer.imports.progress import current
from product_importer.imports.reconciler import reconcile
from product_importer.imports.upload.accepting import LARGE_BYTES
from tests.application import ROOT
from tests.faults.processes import leads_group
from tests.imports.conftest import run_import, upload
from tests.waiting import wait_for

__all__ = ["run_import"]

HEADER = b"sku,name,description\n"
SMALL = HEADER + b"small,Small,x\n"
COMMAND = [sys.executable, "-m", "product_importer", "worker"]
START_SECONDS = 180
END_SECONDS = 90


def large(name: str) -> bytes:
    """Return a file just large enough to count as large, which changes the product “held”."""
    text = b"x" * 90_000
    rows = b"".join(b"%s-%d,Large,%s\n" % (name.encode(), n, text) for n in range(LARGE_BYTES // len(text) + 1))
    return HEADER + b"held,%s,changed\n" % name.encode() + rows


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """Run an import worker during the block, and wait until it is registered."""
    before = queue.live_workers("imports")
    with spawned() as process:
        wait_for(lambda: queue.live_workers("imports") > before, START_SECONDS, "the worker is registered")
        yield process


@contextmanager
def spawned() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(COMMAND, cwd=ROOT, env=os.environ, start_new_session=True)
    try:
        yield process
    finally:
        kill_session(process.pid)
        process.wait()


@pytest.fixture
def workers() -> Iterator[list[subprocess.Popen[bytes]]]:
    with ExitStack() as stack:
        yield [stack.enter_context(worker()) for _ in range(2)]


@contextmanager
def held() -> Iterator[None]:
    """Lock the product that every large import changes, so that none of them can end."""
    with db.engine().begin() as connection:
        connection.exec_driver_sql("SELECT FROM product WHERE sku = 'held' FOR UPDATE")
        yield


@pytest.fixture
def product(run_import) -> None:
    """Create the product that is locked."""
    run_import(HEADER + b"held,Held,x\n")


def status(job_id: UUID) -> str:
    return current(job_id).status


def wait_until(job_id: UUID, wanted: str) -> None:
    wait_for(lambda: status(job_id) == wanted, END_SECONDS, f"{job_id} is {wanted}")


def finished_at(job_id: UUID) -> datetime:
    at = current(job_id).finished_at
    assert at is not None
    return at


def test_small_imports_complete_while_large_ones_are_blocked_and_those_complete_later(product, workers):
    with held():
        # Of two that wait, either may be claimed first.
        first = upload(large("first"))
        wait_until(first, "processing")
        second = upload(large("second"))
        small = [upload(SMALL) for _ in range(3)]
        for job_id in small:
            wait_until(job_id, "completed")
        assert (status(first), status(second)) == ("processing", "pending")
    # There is no reconciler here: the end of the first import starts the second.
    wait_until(first, "completed")
    wait_until(second, "completed")


def test_a_waiting_large_import_runs_after_the_worker_of_another_is_killed(product, workers):
    with held():
        first = upload(large("first"))
        wait_until(first, "processing")
        second = upload(large("second"))
        wait_until(upload(SMALL), "completed")
        # RQ runs a job in a child of the worker.
        wait_for(lambda: len(busy(workers)) == 1, END_SECONDS, "one worker has a job")
        kill_session(busy(workers)[0].pid)
    wait_for(lambda: are_completed(first, second), END_SECONDS, "both imports are completed")


def busy(workers: list[subprocess.Popen[bytes]]) -> list[subprocess.Popen[bytes]]:
    """Return the workers that run a job; a child that waits for one is in the worker's process group."""
    return [process for process in workers if any(map(leads_group, psutil.Process(process.pid).children()))]


def are_completed(*jobs: UUID) -> bool:
    """Reconcile as a web process does, and return whether all imports are completed."""
    db.run(reconcile)
    return all(status(job_id) == "completed" for job_id in jobs)


def test_a_single_worker_runs_all_imports_in_order(product):
    jobs = [upload(content) for content in (large("first"), SMALL, large("second"), SMALL)]
    with worker():
        for job_id in jobs:
            wait_until(job_id, "completed")
    assert sorted(jobs, key=finished_at) == jobs


def test_a_killed_worker_and_its_successor_count_as_one(database):
    with worker() as first:
        kill_session(first.pid)
        first.wait()
        assert queue.live_workers("imports") == 1, "a killed worker stays registered until its time is over"
        with spawned() as second:
            wait_for(lambda: str(second.pid) in registered(), START_SECONDS, "the second worker is registered")
            assert queue.live_workers("imports") == 1


def registered() -> str:
    """Return the registered workers as text."""
    return repr(redis.client().zrange(queue.PRESENCE.format(queue="imports"), 0, -1))
