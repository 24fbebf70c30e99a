"""Kill PostgreSQL's primary in the middle of two imports, and promote its standby: nothing is lost or counted twice.

`DATABASE_URL` names both hosts. But in the last test, the primary acknowledges a commit when the standby has it, too.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

import pytest

from tests.clusters import DATABASE, ROLE, Cluster, versions
from tests.faults.conftest import SHELVES, opened
from tests.faults.laboratory import Laboratory
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.embedded, pytest.mark.long_form]

ROWS_MERGED, ROWS_READ = 10_000, 25_000
# Blocks the last step of an import, after everything but its event has been written.
HOLD_EVENTS = "LOCK TABLE event IN SHARE MODE"


class Pair:
    """A primary and its standby, and the application on both; each fail-over makes a new standby."""

    def __init__(self, primary: Cluster):
        self.primary = primary
        self.standby = primary.make_standby()
        self.made = [primary, self.standby]

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}@{self.primary.address},{self.standby.address}/{DATABASE}"

    def fail_over(self) -> None:
        """Kill the primary as the end of its machine does, and promote the standby."""
        self.primary.kill()
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def rebuild(self, *, is_synchronous: bool = True) -> None:
        """Make a new standby at the address of the killed primary."""
        gone = self.standby
        self.standby = self.primary.make_standby(gone.port, is_synchronous=is_synchronous)
        self.made.append(self.standby)


@pytest.fixture(scope="module", params=list(versions()))
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    primary = Cluster(versions()[request.param])
    primary.create()
    made = Pair(primary)
    yield made
    for cluster in made.made:
        cluster.remove()


@pytest.fixture(scope="module")
def replicated(pair: Pair) -> Iterator[Laboratory]:
    """The application on a primary and its standby."""
    yield from opened({"DATABASE_URL": pair.url, "REDIS_URL": ""})


def test_a_fail_over_during_a_merge_and_a_reading(
    pair: Pair, replicated: Laboratory, random: Random, capsys: pytest.CaptureFixture[str]
):
    first, second = replicated.write(random, SHELVES[0], ROWS_MERGED), replicated.write(random, SHELVES[1], ROWS_READ)
    with ExitStack() as watched:
        with replicated.held_midway(first, random.uniform(0.2, 0.8)):
            merging = watched.enter_context(replicated.importing(first))
            replicated.wait_until_midway(merging)
            reading, upload = watched.enter_context(replicated.reading(second, random.uniform(0.3, 0.95)))
            began = time.monotonic()
            pair.fail_over()
            upload.release()
        for run in (merging, reading):
            replicated.end(run)
        with capsys.disabled():
            print(f"\nboth imports were right {time.monotonic() - began:.1f} s after the primary was killed")
    assert merging.watch.sights[-1].fencing_token > 1, "no other worker read the file again"
    replicated.expect_right(merging, reading)


def test_a_fail_over_during_the_last_step(pair: Pair, replicated: Laboratory, random: Random):
    pair.rebuild()
    with ExitStack() as watched:
        with replicated.postgres.holding(HOLD_EVENTS):
            run = watched.enter_context(replicated.importing(replicated.write(random, SHELVES[0], ROWS_MERGED)))
            wait_for(lambda: run.watch.sights and run.watch.sights[-1].decided == run.file.total, 60, "all is merged")
            replicated.wait_until_blocked(run)
            pair.fail_over()
        replicated.end(run)
    assert run.watch.sights[-1].fencing_token == 2, "the import ended before the primary did"
    replicated.expect_right(run)
    replicated.import_undisturbed(random, SHELVES[1], 200)


def test_an_import_repeats_what_an_asynchronous_standby_has_not_got(
    pair: Pair, replicated: Laboratory, random: Random
):
    """Even its end is lost: it was acknowledged."""
    pair.rebuild(is_synchronous=False)
    file = replicated.write(random, SHELVES[0], ROWS_MERGED)
    with ExitStack() as watched:
        with replicated.held_midway(file, random.uniform(0.3, 0.7)):
            run = watched.enter_context(replicated.importing(file))
            replicated.wait_until_midway(run)
            pair.standby.cut_off()
        replicated.end(run)
        pair.fail_over()
        [(status,)] = replicated.postgres.ask("SELECT status FROM import_job WHERE id = %s", run.job_id)
        assert status == "processing", "the standby knows of its end"
        replicated.end(run)
    assert any("went back" in error for error in run.watch.errors)
    run.watch.errors.clear()
    replicated.expect_right(run)
