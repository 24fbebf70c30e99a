"""The disk of the spool is full, or the folder is deleted while rows are spooled."""

import shutil
import signal
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.application import ROOT, catalogue
from tests.faults.conftest import BATCH_SIZE, SHELVES
from tests.faults.disks import DISK_BYTES, on_small_disk
from tests.faults.laboratory import Laboratory
from tests.faults.leftovers import Leftovers
from tests.faults.processes import jobs, parents, send, suspended

pytestmark = pytest.mark.e2e

# The first do not fit on the disk, the second do; a file that is read from a pipe must be larger.
ROWS_TOO_MANY, ROWS_FEW, ROWS, ROWS_PIPED = 15_000, 2_000, 10_000, 25_000
# Of a plain file so large the spool's size is estimated before it is read.
ROWS_ESTIMATED = 250_000
RUN = "import sys; from product_importer.imports import tasks; tasks.run(sys.argv[1])"
SECONDS = 120


def test_a_spool_on_a_full_disk_fails_the_import_until_it_is_retried(
    laboratory: Laboratory, random: Random, tmp_path: Path
):
    """Afterwards the disk is empty again: a smaller import fits."""
    file = laboratory.write(random, SHELVES[0], ROWS_TOO_MANY)
    assert len(file.content) > 1.2 * DISK_BYTES
    with suspended(parents(laboratory.application)):
        job_id = laboratory.application.upload(file.content)
        run_on_small_disk(laboratory, job_id, tmp_path)
    expect_spool_full(laboratory, job_id, tmp_path)
    with ExitStack() as watched:
        with suspended(parents(laboratory.application)):
            run = watched.enter_context(laboratory.importing(laboratory.write(random, SHELVES[1], ROWS_FEW)))
            run_on_small_disk(laboratory, run.job_id, tmp_path)
        laboratory.end(run)
    assert run.watch.sights[-1].fencing_token == 1
    laboratory.expect_right(run)
    # The other workers have room.
    with laboratory.retrying(job_id, file) as retried:
        laboratory.end(retried)
    laboratory.expect_right(retried)


def test_a_file_whose_spool_cannot_fit_is_not_read(laboratory: Laboratory, tmp_path: Path):
    with suspended(parents(laboratory.application)):
        job_id = laboratory.application.upload(catalogue(ROWS_ESTIMATED))
        kind = run_on_small_disk(laboratory, job_id, tmp_path)
    job = expect_spool_full(laboratory, job_id, tmp_path)
    # A limit on the size of files is only met when they are written.
    assert ("needs about" in job["error"]["message"]) == ("tmpfs" in kind)


@pytest.mark.parametrize("moment", ["reading", pytest.param("read", marks=pytest.mark.long_form)])
def test_an_import_goes_on_without_the_folder_of_its_spool(laboratory: Laboratory, random: Random, moment: str):
    folder = Path(laboratory.application.data) / "spool"
    left = Leftovers(laboratory.application, laboratory.postgres)
    file = laboratory.write(random, SHELVES[1], ROWS_PIPED if moment == "reading" else ROWS)
    with ExitStack() as watched:
        if moment == "reading":
            run, upload = watched.enter_context(laboratory.reading(file, random.uniform(0.3, 0.95)))
            shutil.rmtree(folder)
            upload.release()
        else:
            with laboratory.held_after_reading():
                run = watched.enter_context(laboratory.importing(file))
                laboratory.wait_until_read(run)
                assert left.open_spools(), "the rows are not spooled"
                shutil.rmtree(folder)
        laboratory.end(run)
    assert run.watch.sights[-1].fencing_token == 1, "the import began again"
    laboratory.expect_right(run)
    laboratory.import_undisturbed(random, SHELVES[0], BATCH_SIZE * 2)
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IRWXU


@pytest.mark.long_form
def test_an_import_whose_job_was_killed_makes_the_deleted_folder_again(laboratory: Laboratory, random: Random):
    folder = Path(laboratory.application.data) / "spool"
    with ExitStack() as watched:
        with laboratory.held_after_reading():
            file = laboratory.write(random, SHELVES[0], ROWS)
            run = watched.enter_context(laboratory.importing(file))
            laboratory.wait_until_read(run)
            shutil.rmtree(folder)
            send(signal.SIGKILL, jobs(laboratory.application))
        laboratory.end(run)
    laboratory.expect_right(run)
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IRWXU


def run_on_small_disk(laboratory: Laboratory, job_id: str, folder: Path) -> str:
    """Run an import in a process of its own, with spools on a disk of one megabyte; return the kind of disk."""
    kind, words = on_small_disk(folder)
    print(f"The disk is {kind}.")
    environment = laboratory.application.environment | {"SPOOL_DIR": str(folder), "BATCH_SIZE": str(BATCH_SIZE)}
    subprocess.run(
        [*words, sys.executable, "-c", RUN, job_id], cwd=ROOT, env=environment, timeout=SECONDS, check=True
    )
    return kind


def expect_spool_full(laboratory: Laboratory, job_id: str, folder: Path) -> dict:
    """Fail unless an import has failed for want of room, says what to do, and has changed nothing; return it."""
    job = laboratory.application.job(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "spool_full")
    for words in (str(folder), "SPOOL_DIR", "retry"):
        assert words in job["error"]["message"]
    assert job["processed_rows"] == 0
    assert laboratory.postgres.ask("SELECT 1 FROM import_range WHERE job_id = %s", job_id) == []
    assert list(folder.iterdir()) == []
    laboratory.expect_right()
    return job
