"""Redis is killed, silent or full during an import. It holds only progress and notifications."""

from contextlib import AbstractContextManager, ExitStack
from random import Random

import pytest

from tests.faults.conftest import LONG, SHELVES
from tests.faults.laboratory import RECOVERY_SECONDS, Laboratory
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.embedded]

ROWS_MERGED, ROWS_UPLOADED = 10_000, 10_000
SECONDS = (4, 20, 120) if LONG else (4,)


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("how", ["gone", pytest.param("silent", marks=pytest.mark.long_form), "full"])
def test_an_import_continues_without_redis(embedded: Laboratory, random: Random, how: str, seconds: int):
    """An upload is accepted without Redis, too. The short run only tests a killed Redis, because this takes long."""
    file = embedded.write(random, SHELVES[0], ROWS_MERGED)
    outage: AbstractContextManager[None] = getattr(embedded.valkey, how)(seconds)
    with ExitStack() as watched:
        with ExitStack() as held:
            held.enter_context(embedded.held_midway(file, random.uniform(0.1, 0.8)))
            runs = [watched.enter_context(embedded.importing(file))]
            embedded.wait_until_midway(runs[0])
            before = runs[0].watch.sights[-1].decided
            with outage:
                if LONG or how == "gone":
                    other = embedded.write(random, SHELVES[1], ROWS_UPLOADED)
                    runs.append(watched.enter_context(embedded.importing(other)))
                held.close()
                # If Redis is full, RQ's worker ends and is restarted later.
                if how != "full":
                    wait_for(lambda: runs[0].watch.sights[-1].decided > before, RECOVERY_SECONDS, "it goes on")
        for run in runs:
            embedded.end(run, seconds + RECOVERY_SECONDS)
    embedded.expect_right(*runs)
    embedded.import_undisturbed(random, SHELVES[0], 200)
