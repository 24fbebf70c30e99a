"""Redis goes away, says nothing, or takes nothing in the middle of an import: it only holds a view and hints."""

from contextlib import AbstractContextManager, ExitStack
from random import Random

import pytest

from tests.faults.conftest import LONG, SHELVES
from tests.faults.laboratory import RECOVERY_SECONDS, Laboratory
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.embedded]

ROWS_MERGED, ROWS_READ = 10_000, 40_000
SECONDS = (4, 20, 120) if LONG else (4,)


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("how", ["gone", "silent", "full"])
def test_an_import_goes_on_without_redis_and_an_upload_waits_for_it(
    embedded: Laboratory, random: Random, how: str, seconds: int
):
    merged, read = embedded.write(random, SHELVES[0], ROWS_MERGED), embedded.write(random, SHELVES[1], ROWS_READ)
    outage: AbstractContextManager[None] = getattr(embedded.valkey, how)(seconds)
    with ExitStack() as watched:
        with ExitStack() as held:
            held.enter_context(embedded.held_in_merge(merged, random.uniform(0.1, 0.9)))
            merging = watched.enter_context(embedded.importing(merged))
            embedded.wait_until_it_waits(merging)
            with outage:
                waiting = watched.enter_context(embedded.importing(read))
                before = merging.watch.sights[-1].decided
                held.close()
                if how != "full":
                    wait_for(lambda: merging.watch.sights[-1].decided > before, RECOVERY_SECONDS, "it goes on")
        for run in (merging, waiting):
            embedded.end(run, seconds + RECOVERY_SECONDS)
    embedded.expect_right(merging, waiting)
    embedded.import_undisturbed(random, SHELVES[0], 200)
