"""Kill processes or wipe Redis during two imports: nothing is lost or counted twice."""

import signal
from contextlib import ExitStack
from random import Random

import pytest

from tests.faults.conftest import BATCH_SIZE, LONG, SHELVES
from tests.faults.laboratory import Laboratory
from tests.faults.leftovers import Leftovers
from tests.faults.processes import VICTIMS, jobs, send

pytestmark = pytest.mark.e2e

ROWS_MERGED, ROWS_READ = 10_000, 25_000
# Blocks the last step of an import, after everything but its event has been written.
HOLD_EVENTS = "LOCK TABLE event IN SHARE MODE"


# The short form kills workers and their jobs separately only.
@pytest.mark.parametrize("fault", [name for name in (*VICTIMS, "redis") if LONG or name not in ("both", "parents")])
def test_a_reading_and_a_merging_import_both_complete(laboratory: Laboratory, random: Random, fault: str):
    first, second = laboratory.write(random, SHELVES[0], ROWS_MERGED), laboratory.write(random, SHELVES[1], ROWS_READ)
    with ExitStack() as watched:
        with laboratory.held_midway(first, random.uniform(0.1, 0.8)):
            merging = watched.enter_context(laboratory.importing(first))
            laboratory.wait_until_midway(merging)
            reading, upload = watched.enter_context(laboratory.reading(second, random.uniform(0.3, 0.95)))
            inject(laboratory, fault)
            upload.release()
        for run in (merging, reading):
            laboratory.end(run)
    laboratory.expect_right(merging, reading)
    laboratory.import_undisturbed(random, "Red", 200)


def test_a_job_that_is_killed_between_reading_and_writing_leaves_nothing(laboratory: Laboratory, random: Random):
    left = Leftovers(laboratory.application, laboratory.postgres)
    with ExitStack() as watched:
        with laboratory.held_after_reading():
            file = laboratory.write(random, SHELVES[0], ROWS_MERGED)
            run = watched.enter_context(laboratory.importing(file))
            laboratory.wait_until_read(run)
            assert left.open_spools(), "the rows are not spooled"
            send(signal.SIGKILL, jobs(laboratory.application))
        laboratory.end(run)
    assert run.watch.sights[-1].fencing_token == 2, "no other worker read the file again"
    laboratory.expect_right(run)


def test_a_job_that_is_killed_between_two_ranges_goes_on_behind_them(laboratory: Laboratory, random: Random):
    file = laboratory.write(random, SHELVES[1], ROWS_MERGED)
    with ExitStack() as watched:
        with laboratory.held_midway(file, random.uniform(0.2, 0.8)):
            run = watched.enter_context(laboratory.importing(file))
            laboratory.wait_until_midway(run)
            send(signal.SIGKILL, jobs(laboratory.application))
        laboratory.end(run)
    tokens = [sight.fencing_token for sight in run.watch.sights]
    killed = run.watch.sights[tokens.index(2) - 1]
    assert tokens[-1] == 2 and killed.done, "no range was done before"
    # The watch has seen that no range was done twice.
    laboratory.expect_right(run)


@pytest.mark.long_form
def test_a_small_import_that_is_killed_in_its_only_transaction_is_repeated(laboratory: Laboratory, random: Random):
    file = laboratory.write(random, SHELVES[0], BATCH_SIZE // 2)
    with ExitStack() as watched:
        with laboratory.postgres.holding(HOLD_EVENTS):
            run = watched.enter_context(laboratory.importing(file))
            laboratory.wait_until_blocked(run)
            send(signal.SIGKILL, jobs(laboratory.application))
        laboratory.end(run)
    assert run.watch.sights[-1].fencing_token == 2, "the import ended before it was killed"
    assert {sight.decided for sight in run.watch.sights} <= {0, file.total}, "a part was committed"
    laboratory.expect_right(run)


@pytest.mark.parametrize("action", ["deactivate", "delete"])
def test_an_action_that_is_killed_goes_on_behind_its_batches_and_can_be_undone(
    laboratory: Laboratory, random: Random, action: str
):
    client, postgres = laboratory.application.client, laboratory.postgres
    [(total,)] = postgres.ask("SELECT count(*) FROM product")
    # Its writers each stop at one of the last products.
    with postgres.holding("SELECT id FROM product ORDER BY id DESC LIMIT 700 FOR UPDATE"):
        started = client.post("/api/products/actions?confirm=true", json={"action": action}).raise_for_status().json()
        postgres.wait_for_row(
            "SELECT 1 FROM import_action_batch WHERE job_id = %s AND done_at IS NOT NULL",
            started["job_id"],
        )
        send(signal.SIGKILL, jobs(laboratory.application))
    job = laboratory.application.finished(started["job_id"])
    assert job["status"] == "completed"
    assert (job["total_rows"], job["updated"] + job["deleted"] + job["unchanged"]) == (total, total)
    assert postgres.ask("SELECT fence FROM import_job WHERE id = %s", job["id"]) == [(2,)], "it was not killed"
    assert not postgres.ask("SELECT 1 FROM product WHERE active LIMIT 1")
    client.post(f"/api/jobs/{job['id']}/undo").raise_for_status()
    postgres.wait_for_row("SELECT 1 FROM import_job WHERE id = %s AND undo_status = 'undone'", job["id"])
    undo = laboratory.application.job(job["id"])["undo"]
    assert (undo["restored"], undo["kept"]) == (job["updated"] + job["deleted"], 0)
    assert postgres.ask("SELECT count(*) FROM product") == [(total,)]
    laboratory.take_as_it_is()
    laboratory.import_undisturbed(random, "Red", 200)


def inject(laboratory: Laboratory, fault: str) -> None:
    if fault == "redis":
        laboratory.valkey.client.flushall()
    else:
        send(signal.SIGKILL, VICTIMS[fault](laboratory.application))
