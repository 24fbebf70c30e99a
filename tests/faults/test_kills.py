"""Kill processes or wipe Redis during two imports: nothing is lost or counted twice."""

import signal
from contextlib import ExitStack
from random import Random

import pytest

from tests.faults.conftest import LONG, SHELVES
from tests.faults.laboratory import Laboratory
from tests.faults.processes import VICTIMS, send
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

ROWS_MERGED, ROWS_READ = 10_000, 40_000


# The short form kills workers and their jobs separately only.
@pytest.mark.parametrize("fault", [name for name in (*VICTIMS, "redis") if LONG or name != "both"])
def test_a_reading_and_a_merging_import_both_complete(laboratory: Laboratory, random: Random, fault: str):
    first, second = laboratory.write(random, SHELVES[0], ROWS_MERGED), laboratory.write(random, SHELVES[1], ROWS_READ)
    with ExitStack() as watched:
        with laboratory.held_in_merge(first, random.uniform(0.1, 0.9)):
            merging = watched.enter_context(laboratory.importing(first))
            laboratory.wait_until_blocked(merging)
            wait_for(lambda: merging.watch.sights[-1].decided > len(first.rejects), 30, "a part is merged")
            reading = watched.enter_context(laboratory.importing(second))
            laboratory.wait_until_reading(reading, random.randrange(1, ROWS_READ // 4))
            inject(laboratory, fault)
        for run in (merging, reading):
            laboratory.end(run)
    laboratory.expect_right(merging, reading)
    laboratory.import_undisturbed(random, "Red", 200)


def inject(laboratory: Laboratory, fault: str) -> None:
    if fault == "redis":
        laboratory.valkey.client.flushall()
    else:
        send(signal.SIGKILL, VICTIMS[fault](laboratory.application))
