"""PostgreSQL ends at once in the middle of an import, and is started again by its supervisor.

Its unlogged staging table is empty then: the file is read again, and no row counts twice.
"""

import signal
from contextlib import ExitStack
from random import Random

import pytest

from tests.faults.conftest import LONG, SHELVES
from tests.faults.laboratory import Laboratory
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.embedded]

ROWS_MERGED, ROWS_READ = 10_000, 40_000
# What `pg_ctl -m immediate stop` sends, and kill -9 of the server's first process.
IMMEDIATE, KILL = signal.SIGQUIT, signal.SIGKILL
BOTH = (IMMEDIATE, KILL)
# The finish has written everything but the event of the import's end.
HOLD_EVENTS = "LOCK TABLE event IN SHARE MODE"


@pytest.mark.parametrize("how", BOTH if LONG else [KILL])
def test_in_the_middle_of_one_merge_and_one_copy(embedded: Laboratory, random: Random, how: signal.Signals):
    first, second = embedded.write(random, SHELVES[0], ROWS_MERGED), embedded.write(random, SHELVES[1], ROWS_READ)
    with ExitStack() as watched:
        with embedded.held_in_merge(first, random.uniform(0.2, 0.9)):
            merging = watched.enter_context(embedded.importing(first))
            embedded.wait_until_it_waits(merging)
            wait_for(lambda: merging.watch.sights[-1].decided > len(first.rejects), 30, "a part is merged")
            reading = watched.enter_context(embedded.importing(second))
            embedded.wait_until_reading(reading, random.randrange(1, ROWS_READ // 4))
            embedded.postgres.end(how)
        for run in (merging, reading):
            embedded.end(run)
    assert len(merging.watch.staging_tables) == 2, "what was staged was believed to be there still"
    embedded.expect_right(merging, reading)
    embedded.import_undisturbed(random, SHELVES[1], 200)


@pytest.mark.parametrize("how", BOTH if LONG else [IMMEDIATE])
def test_in_the_middle_of_the_finish(embedded: Laboratory, random: Random, how: signal.Signals):
    with ExitStack() as watched:
        with embedded.postgres.holding(HOLD_EVENTS):
            run = watched.enter_context(embedded.importing(embedded.write(random, SHELVES[0], ROWS_MERGED)))
            wait_for(lambda: run.watch.sights and run.watch.sights[-1].decided == run.file.total, 60, "all is merged")
            embedded.wait_until_it_waits(run)
            embedded.postgres.end(how)
        embedded.end(run)
    assert run.watch.sights[-1].fence == 2, "the import ended before PostgreSQL did"
    embedded.expect_right(run)
    embedded.import_undisturbed(random, SHELVES[0], 200)
