"""Processes killed for real in the middle of an import: nothing is lost, nothing counts twice."""

import os
import signal
from collections.abc import Callable

import psutil
import pytest

from tests.application import Application, catalogue
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

ROWS = 150_000
# What the contract promises after a worker is back.
RECOVERY_SECONDS = 60


@pytest.fixture(scope="module")
def application(own_servers):
    started = Application(WORKERS="1", BATCH_SIZE="2000", **own_servers)
    started.start()
    yield started
    assert started.stop() == 0
    wait_for(lambda: not family(started), 30, "no process is left")
    started.remove()


def family(application: Application, words: str = "") -> list[psutil.Process]:
    """Return the application's processes whose command has these words."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        environment = process.info["environ"] or {}
        if environment.get("DATA_DIR") == str(application.data) and words in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


def workers(application: Application) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Return the workers' own processes, and the processes that run their jobs."""
    everyone = family(application, "product_importer worker")
    pids = {process.pid for process in everyone}
    parents = [process for process in everyone if process.ppid() not in pids]
    return parents, [process for process in everyone if process.ppid() in pids]


def kill(processes: list[psutil.Process]) -> None:
    assert processes, "there is nothing to kill"
    for process in processes:
        os.kill(process.pid, signal.SIGKILL)


def kill_parent(application: Application) -> None:
    kill(workers(application)[0])


def kill_job(application: Application) -> None:
    kill(workers(application)[1])


def kill_both(application: Application) -> None:
    parents, jobs = workers(application)
    kill(parents + jobs)


def kill_web(application: Application) -> None:
    kill(family(application, "product_importer web"))


def wipe_redis(application: Application) -> None:
    from redis import Redis

    url = application.environment.get("REDIS_URL")
    if url is None:
        [path] = (application.data / "valkey" / "socket").iterdir()
        url = f"unix://{path}"
    Redis.from_url(url).flushdb()


@pytest.mark.parametrize("phase", ["reading", "merging"])
@pytest.mark.parametrize("fault", [kill_parent, kill_job, kill_both, kill_web, wipe_redis])
def test_an_import_ends_right_whoever_is_killed(
    application: Application, fault: Callable[[Application], None], phase: str
):
    name = f"{fault.__name__} {phase}"
    before = application.client.get("/api/products").json()["total"]
    first = 10_000_000 + before
    content = catalogue(ROWS, name=name, first=first) + b",rejected,\n"
    job_id = application.upload(content)
    wait_for(lambda: began(application, job_id, phase), 60, f"the import is {phase}")
    fault(application)
    wait_for(application.is_ready, RECOVERY_SECONDS, "the application is whole again")
    job = application.finished(job_id, RECOVERY_SECONDS)
    assert job["status"] == "completed", job
    assert job["processed_rows"] == job["total_rows"] == ROWS + 1
    # Counted once: what was merged before the kill must not come again as unchanged.
    assert (job["created"], job["unchanged"], job["rejected"]) == (ROWS, 0, 1)
    assert application.client.get("/api/products").json()["total"] == before + ROWS


def began(application: Application, job_id: str, phase: str) -> bool:
    job = application.job(job_id)
    assert job["status"] in ("pending", "processing"), f"too quick to be killed: {job}"
    return job["phase"] == phase and (phase == "reading" or job["created"] > 0)
