"""Web process and worker of an older version go on beside this version's schema, and imports go through both.

The older version is a commit of this repository. It ran before the schema said which versions may use it: it goes on,
but is not ready any more, and does not start again.
"""

import io
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import psutil
import pytest
from alembic.script import ScriptDirectory

from product_importer import migrations
from tests.application import ROOT, Application
from tests.faults.conftest import BATCH_SIZE, ROWS_AT_FIRST, SHELVES
from tests.faults.laboratory import RECOVERY_SECONDS, WRITERS, Laboratory, Run
from tests.faults.processes import jobs, parents, send, suspended
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.embedded, pytest.mark.long_form]

OLDER = "f6fdee39d303efa407c7369113eaddebbd3ae43d"
ROWS = 10_000
SETTINGS = {
    "IMPORT_WRITERS": str(WRITERS),
    "BATCH_SIZE": str(BATCH_SIZE),
    "DATABASE_URL": "",
    "REDIS_URL": "",
}
REVISION = "SELECT version_num FROM alembic_version"


@pytest.fixture(scope="module")
def older_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the older version, or a skip where the history does not reach so far."""
    made = subprocess.run(["git", "archive", OLDER], cwd=ROOT, capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"NOT TESTED: an older version beside this one needs commit {OLDER[:7]}: git fetch --unshallow")
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def older(older_code: Path) -> Iterator[Application]:
    """The older version with one worker, on embedded servers of its own."""
    application = Application(WORKERS="1", **SETTINGS)
    application.root = older_code
    application.start()
    yield application
    assert application.stop() == 0
    application.remove()


@pytest.fixture(scope="module")
def newer(older: Application) -> Iterator[Application]:
    """A web process and a worker of this version with the same data; they are started by the test."""
    application = Application(**SETTINGS)
    application.shares(older.data)
    yield application
    for process in of(application, parents(application)):
        process.terminate()
        process.wait(60)
    if application.process is not None:
        application.stop()


def of(version: Application, processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return the processes that run the code of one version."""
    return [process for process in processes if Path(process.cwd()) == version.root]


def take_over(
    laboratory: Laboratory, random: Random, receiver: Application, first: Application, then: Application
) -> Run:
    """Upload to one version, let a worker of `first` begin the import, kill its job, and let one of `then` end it."""
    ready, laboratory.application = laboratory.application, receiver
    file = laboratory.write(random, random.choice(SHELVES), ROWS)
    with ExitStack() as watched:
        with laboratory.held_midway(file, random.uniform(0.2, 0.8)), suspended(of(then, parents(then))):
            run = watched.enter_context(laboratory.importing(file))
            laboratory.wait_until_midway(run)
            watched.enter_context(suspended(of(first, parents(first))))
            send(signal.SIGKILL, of(first, jobs(first)))
        laboratory.application = ready
        laboratory.end(run)
    assert run.watch.sights[-1].fencing_token > 1, "no other worker has taken over"
    return run


def test_imports_go_through_both_versions(older: Application, newer: Application, random: Random):
    laboratory = Laboratory(older)
    for shelf in SHELVES:
        laboratory.import_undisturbed(random, shelf, ROWS_AT_FIRST)
    before = laboratory.postgres.ask(REVISION)

    with ExitStack() as watched:
        file = laboratory.write(random, SHELVES[0], ROWS)
        with laboratory.held_midway(file, 0.5):
            run = watched.enter_context(laboratory.importing(file))
            laboratory.wait_until_midway(run)
            newer.start("web", until="/api/health")
            wait_for(lambda: laboratory.postgres.ask(REVISION) != before, RECOVERY_SECONDS, "it is migrated")
        newer.spawn("worker")
        # Only this version is ready with its own schema.
        laboratory.application = newer
        laboratory.end(run)
    assert run.watch.sights[-1].fencing_token == 1, "the older worker has not ended its import"
    laboratory.expect_right(run)
    head = ScriptDirectory.from_config(migrations.config()).get_current_head()
    assert laboratory.postgres.ask(REVISION) == [(head,)]

    wait_for(lambda: of(newer, parents(newer)), RECOVERY_SECONDS, "the newer worker runs")
    for receiver, first, then in ((older, older, newer), (newer, newer, older), (older, newer, older)):
        laboratory.expect_right(take_over(laboratory, random, receiver, first, then))
    for receiver in (older, newer):
        assert receiver.client.get("/api/products").json()["total"] == len(laboratory.oracle.products)
