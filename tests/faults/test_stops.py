"""A worker that is suspended for longer than its lease writes nothing when it wakes up."""

from contextlib import ExitStack
from random import Random

import psutil
import pytest

from tests.faults.conftest import SHELVES
from tests.faults.laboratory import RECOVERY_SECONDS, Laboratory, Run
from tests.faults.processes import suspended, wake, workers
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

ROWS_MERGED, ROWS_READ = 10_000, 25_000
# Everything that a worker writes, except its heartbeat.
WRITTEN = """
SELECT j.status, j.phase, j.created, j.updated, j.unchanged, j.duplicates, j.rejected,
    (SELECT array_agg(number || ' at ' || done_at ORDER BY number) FROM import_range WHERE job_id = j.id),
    (SELECT count(*) FROM import_row_error), (SELECT count(*) FROM event),
    (SELECT array_agg(relname ORDER BY relname) FROM pg_class WHERE relname ~ '^import_'),
    (SELECT count(*) FROM product), (SELECT sum(version) FROM product), (SELECT max(updated_at) FROM product)
FROM import_job AS j WHERE id = %s
"""
IS_QUIET = """
SELECT 1 WHERE NOT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE application_name = %s AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Lock'
)
"""
PROLONG = "UPDATE import_job SET lease_until = now() + interval '5 minutes' WHERE id = %s RETURNING 1"


def test_a_worker_that_was_suspended_in_the_merge_changes_nothing(laboratory: Laboratory, random: Random):
    """The next worker is suspended while this one runs again, so every change would come from this one."""
    file = laboratory.write(random, SHELVES[0], ROWS_MERGED)
    with ExitStack() as watched:
        with laboratory.held_midway(file, 0.8), ExitStack() as early:
            early.enter_context(laboratory.held_midway(file, random.uniform(0.1, 0.5)))
            run = watched.enter_context(laboratory.importing(file))
            laboratory.wait_until_midway(run)
            first = working(laboratory)
            with suspended(first):
                # Its statement continues in PostgreSQL, and its transaction stays open.
                early.close()
                wait_until_taken_over(run)
                laboratory.wait_until_midway(run)
                second = [process for process in working(laboratory) if process not in first]
                with suspended(second):
                    expect_no_change(first, laboratory, run)
        laboratory.end(run)
    laboratory.expect_right(run)


@pytest.mark.long_form
def test_a_worker_that_was_suspended_while_reading_changes_nothing(laboratory: Laboratory, random: Random):
    file = laboratory.write(random, SHELVES[1], ROWS_READ)
    with laboratory.reading(file, random.uniform(0.3, 0.95)) as (run, upload):
        first = working(laboratory)
        with suspended(first):
            upload.release()
            wait_until_taken_over(run)
            laboratory.end(run)
            expect_no_change(first, laboratory, run)
    laboratory.expect_right(run)
    laboratory.import_undisturbed(random, SHELVES[1], 200)


def test_a_worker_that_was_suspended_between_reading_and_writing_changes_nothing(
    laboratory: Laboratory, random: Random
):
    """Its statement continues in PostgreSQL, so that its cuts are stored, but never committed."""
    with ExitStack() as watched:
        with laboratory.held_after_reading():
            run = watched.enter_context(laboratory.importing(laboratory.write(random, SHELVES[0], ROWS_MERGED)))
            laboratory.wait_until_read(run)
            first = working(laboratory)
            watched.enter_context(suspended(first))
        wait_until_taken_over(run)
        laboratory.end(run)
        expect_no_change(first, laboratory, run)
    laboratory.expect_right(run)


def working(laboratory: Laboratory) -> list[psutil.Process]:
    """Return the processes that run jobs, and their parents: whole workers."""
    jobs = workers(laboratory.application)[1]
    assert jobs, "no job runs"
    return jobs + [parent for job in jobs if (parent := job.parent())]


def wait_until_taken_over(run: Run) -> None:
    token = run.watch.sights[-1].fencing_token
    wait_for(lambda: run.watch.sights[-1].fencing_token > token, RECOVERY_SECONDS, "another worker has taken over")


def expect_no_change(woken: list[psutil.Process], laboratory: Laboratory, run: Run) -> None:
    """Wake a worker, wait until it has given up, and check that nothing has changed."""
    ask = laboratory.postgres.ask
    laboratory.postgres.wait_for_row(IS_QUIET, f"import {run.job_id}")
    # The current worker may be suspended as well: keep a third one from taking over meanwhile.
    with laboratory.postgres.connected() as write:
        write(PROLONG, run.job_id)
    before = ask(WRITTEN, run.job_id)
    wake(woken)
    wait_for(lambda: not woken[0].is_running(), RECOVERY_SECONDS, "the woken worker gives its job up")
    assert ask(WRITTEN, run.job_id) == before
