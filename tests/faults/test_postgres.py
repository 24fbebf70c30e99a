"""Kill PostgreSQL during an import; its supervisor restarts it.

What is committed stays, and the file is read again. No row counts twice.
"""

import signal
from contextlib import ExitStack
from random import Random

import pytest

from tests.faults.conftest import LONG, SHELVES
from tests.faults.laboratory import Laboratory
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.embedded]

ROWS_MERGED, ROWS_READ = 10_000, 25_000
# The signal of `pg_ctl -m immediate stop`, and kill -9 of the server's first process.
IMMEDIATE, KILL = signal.SIGQUIT, signal.SIGKILL
BOTH = (IMMEDIATE, KILL)
# Blocks the last step of an import, after everything but its event has been written.
HOLD_EVENTS = "LOCK TABLE event IN SHARE MODE"


@pytest.mark.parametrize("how", BOTH if LONG else [KILL])
def test_killed_during_a_merge_and_a_reading(embedded: Laboratory, random: Random, how: signal.Signals):
    first, second = embedded.write(random, SHELVES[0], ROWS_MERGED), embedded.write(random, SHELVES[1], ROWS_READ)
    with ExitStack() as watched:
        with embedded.held_midway(first, random.uniform(0.2, 0.8)):
            merging = watched.enter_context(embedded.importing(first))
            embedded.wait_until_midway(merging)
            reading, upload = watched.enter_context(embedded.reading(second, random.uniform(0.3, 0.95)))
            embedded.postgres.end(how)
            upload.release()
        for run in (merging, reading):
            embedded.end(run)
    assert merging.watch.sights[-1].fencing_token > 1, "no other worker read the file again"
    embedded.expect_right(merging, reading)
    embedded.import_undisturbed(random, SHELVES[1], 200)


@pytest.mark.parametrize("how", BOTH if LONG else [KILL])
def test_killed_between_reading_and_writing(embedded: Laboratory, random: Random, how: signal.Signals):
    with ExitStack() as watched:
        with embedded.held_after_reading():
            run = watched.enter_context(embedded.importing(embedded.write(random, SHELVES[1], ROWS_MERGED)))
            embedded.wait_until_read(run)
            embedded.postgres.end(how)
        embedded.end(run)
    assert run.watch.sights[-1].fencing_token > 1, "no other worker read the file again"
    embedded.expect_right(run)


@pytest.mark.parametrize("how", BOTH if LONG else [IMMEDIATE])
def test_killed_during_the_last_step(embedded: Laboratory, random: Random, how: signal.Signals):
    with ExitStack() as watched:
        with embedded.postgres.holding(HOLD_EVENTS):
            run = watched.enter_context(embedded.importing(embedded.write(random, SHELVES[0], ROWS_MERGED)))
            wait_for(lambda: run.watch.sights and run.watch.sights[-1].decided == run.file.total, 60, "all is merged")
            embedded.wait_until_blocked(run)
            embedded.postgres.end(how)
        embedded.end(run)
    assert run.watch.sights[-1].fencing_token == 2, "the import ended before PostgreSQL did"
    embedded.expect_right(run)
    embedded.import_undisturbed(random, SHELVES[0], 200)
