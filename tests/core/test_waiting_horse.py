"""A worker's jobs run in processes that were forked, and made ready, before the jobs arrived."""

import gzip
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from product_importer.commands.process_manager import kill_session
from product_importer.core import queue
from product_importer.imports.progress import current
from tests.application import ROOT
from tests.imports.conftest import upload
from tests.waiting import wait_for

# Runs a worker. Each job adds a line to a file: its process, and the modules that this process has imported itself.
WORKER = """
import os, sys
from rq.job import Job
from product_importer import worker

inherited, perform = set(), Job.perform

def report(job):
    result = perform(job)
    with open(sys.argv[1], "a") as output:
        print(os.getpid(), *sorted(set(sys.modules) - inherited), file=output)
    return result

Job.perform = report
os.register_at_fork(after_in_child=lambda: inherited.update(sys.modules))
worker.run(["imports"])
"""
# Runs a worker that is told to end while it forks.
ENDED_IN_FORK = """
import os, signal
from product_importer import worker

os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGTERM))
worker.run(["imports"])
"""
SECONDS = 180

CSV = 'sku,name,description\nA-1,Größe,Text\nA-1,Again,\n,rejected,\n"B-2","a ""b""","two\nlines"\n'


def zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("catalogue.csv", content)
    return target.getvalue()


class Worker:
    """An import worker in its own session."""

    def __init__(self, folder: Path):
        self.reports = folder / "reports"
        self.reports.touch()
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(self.reports)], cwd=ROOT, env=os.environ, start_new_session=True
        )
        wait_for(lambda: queue.live_workers("imports"), SECONDS, "a worker")

    def horse(self) -> psutil.Process:
        """Return the process that waits for a job."""
        return wait_for(self._horse, SECONDS, "a process waits for a job")

    def _horse(self) -> psutil.Process | None:
        for child in psutil.Process(self.process.pid).children():
            # That of the last job may end meanwhile.
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                if os.getpgid(child.pid) != child.pid and child.status() != psutil.STATUS_ZOMBIE:
                    return child
        return None

    def reported(self) -> list[list[str]]:
        return [line.split() for line in self.reports.read_text().splitlines()]


@pytest.fixture
def worker(database: None, tmp_path: Path) -> Iterator[Worker]:
    worker = Worker(tmp_path)
    yield worker
    kill_session(worker.process.pid)
    worker.process.wait()


def complete(job_id: UUID) -> None:
    wait_for(lambda: current(job_id).status == "completed", SECONDS, f"import {job_id} is completed")


def test_a_job_runs_in_the_process_that_waited_for_it_and_the_next_in_another(worker: Worker) -> None:
    horses = []
    for number in range(2):
        horses.append(str(worker.horse().pid))
        complete(upload(b"sku,name,description\nA-%d,Shirt,Blue\n" % number))
        wait_for(lambda: len(worker.reported()) == len(horses), SECONDS, "the job reports")
    assert [process for process, *_ in worker.reported()] == horses
    assert horses[0] != horses[1]


def test_a_job_imports_no_module_that_its_worker_has_not(worker: Worker) -> None:
    files = [CSV.encode(encoding) for encoding in ("utf-8", "utf-8-sig", "windows-1252", "utf-16", "utf-16-le")]
    files += [gzip.compress(files[0]), zipped(files[0])]
    for content in files:
        complete(upload(content))
    wait_for(lambda: len(worker.reported()) == len(files), SECONDS, "all jobs report")
    assert [modules for _, *modules in worker.reported()] == [[]] * len(files)


def test_a_waiting_process_that_was_killed_is_replaced_when_a_job_arrives(worker: Worker) -> None:
    killed = worker.horse()
    killed.kill()
    wait_for(lambda: killed.status() == psutil.STATUS_ZOMBIE, SECONDS, "it has ended")
    complete(upload(b"sku,name,description\nA-1,Shirt,Blue\n"))
    assert worker.process.poll() is None


def test_a_waiting_process_ends_when_its_worker_is_killed(worker: Worker) -> None:
    horse = worker.horse()
    worker.process.kill()
    horse.wait(SECONDS)


def test_a_signal_to_end_that_arrives_during_a_fork_is_not_lost(database: None) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDED_IN_FORK], cwd=ROOT, env=os.environ, timeout=SECONDS, check=False
    )
    assert ended.returncode == 0
