"""Break one import that several workers share: killed and suspended helpers, a killed worker, a lost Redis."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from random import Random

import psutil
import pytest

from product_importer.commands.process_manager import kill_session
from product_importer.core.queue import PRESENCE
from tests.faults.conftest import SHELVES
from tests.faults.laboratory import RECOVERY_SECONDS, WORKERS, Laboratory, Run
from tests.faults.processes import jobs, parents, send, suspended, wake
from tests.faults.test_stops import WRITTEN
from tests.faults.watching import Watch
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

ROWS = 10_000
# One worker is left to small imports: two can help.
FURTHER_WORKERS, HELPERS = 2, 2
# The products that are locked: more than all writers of all workers write at once.
HELD = 12
LOCK = "SELECT 1 FROM product WHERE sku_key = ANY(%s) ORDER BY sku_key FOR UPDATE"
MAKE_LARGE = "UPDATE import_job SET is_large = true WHERE id = %s RETURNING 1"
# A helper that is in the middle of a range: its session waits for a product that a test holds.
BLOCKED_HELPERS = """
SELECT count(DISTINCT application_name) FROM pg_stat_activity
WHERE starts_with(application_name, 'help ') AND wait_event_type = 'Lock'
"""
ANY_MOMENT = 5


@dataclass
class Shared:
    """An import whose own worker and helpers are all in the middle of a range."""

    run: Run
    owner: list[psutil.Process]
    helpers: list[psutil.Process]


@pytest.fixture(scope="module", autouse=True)
def further_workers(laboratory: Laboratory) -> Iterator[None]:
    """Start more workers beside those of the application."""
    application = laboratory.application
    started = [application.spawn("worker") for _ in range(FURTHER_WORKERS)]
    presence = PRESENCE.format(queue="imports")
    expected = WORKERS + FURTHER_WORKERS
    wait_for(lambda: laboratory.valkey.client.zcard(presence) == expected, RECOVERY_SECONDS, "all workers live")
    yield
    for process in started:
        kill_session(process.pid)
        process.wait()


@contextmanager
def sharing(laboratory: Laboratory, random: Random, watched: ExitStack) -> Iterator[Shared]:
    """Import a large file, and hold all workers that take part in it in the middle of a range during the block."""
    file = laboratory.write(random, random.choice(SHELVES), ROWS)
    changes = laboratory.oracle.changes(file)
    held = changes[:: len(changes) // HELD][:HELD]
    everyone = parents(laboratory.application)
    with laboratory.postgres.holding(LOCK, held):
        with suspended(everyone):
            run = watched.enter_context(laboratory.importing(file))
            with laboratory.postgres.connected() as ask:
                assert ask(MAKE_LARGE, run.job_id)
            # The others must not take it.
            wake(everyone[:1])
            laboratory.wait_until_blocked(run)
            owner = jobs(laboratory.application)
            assert len(owner) == 1
        yield Shared(run, owner, wait_for(lambda: helping(laboratory, owner), RECOVERY_SECONDS, "others help"))


def helping(laboratory: Laboratory, owner: list[psutil.Process]) -> list[psutil.Process]:
    """Return the processes that help, once all of them are in the middle of a range."""
    [(blocked,)] = laboratory.postgres.ask(BLOCKED_HELPERS)
    return [job for job in jobs(laboratory.application) if job not in owner] if blocked == HELPERS else []


def test_the_ranges_of_a_killed_helper_are_written_by_others(laboratory: Laboratory, random: Random):
    with ExitStack() as watched:
        with sharing(laboratory, random, watched) as shared:
            send(signal.SIGKILL, shared.helpers[:1])
        laboratory.end(shared.run)
    assert shared.run.watch.sights[-1].fencing_token == 1, "the import's own worker has gone on"
    laboratory.expect_right(shared.run)


def test_helpers_go_on_when_the_imports_own_worker_is_killed(laboratory: Laboratory, random: Random):
    with ExitStack() as watched:
        with sharing(laboratory, random, watched) as shared:
            send(signal.SIGKILL, shared.owner)
            owned = shared.run.watch.sights[-1]
        # The next worker has the rows that the killed one has shared: it need not read the file.
        laboratory.end(shared.run)
    sights = shared.run.watch.sights
    assert sights[-1].fencing_token == 2
    between = [sight for sight in sights if sight.fencing_token == 1 and sight.decided > owned.decided]
    assert between, "its helpers have waited for the next worker"
    assert "its file is read again" not in laboratory.application.output.read_text()
    laboratory.expect_right(shared.run)


def test_a_helper_that_was_suspended_for_longer_than_its_claims_changes_nothing(
    laboratory: Laboratory, random: Random
):
    with ExitStack() as watched:
        with sharing(laboratory, random, watched) as shared:
            [helper, *_] = shared.helpers
            stopped = [helper, helper.parent()]
            watched.enter_context(suspended(stopped))
        # Others take its ranges over, although its transactions are open.
        laboratory.end(shared.run)
        before = laboratory.postgres.ask(WRITTEN, shared.run.job_id)
        wake(stopped)
        wait_for(lambda: not helper.is_running(), RECOVERY_SECONDS, "the woken helper gives up")
        assert laboratory.postgres.ask(WRITTEN, shared.run.job_id) == before
    laboratory.expect_right(shared.run)


@pytest.mark.long_form
def test_an_imports_own_worker_that_is_suspended_is_replaced_while_helpers_go_on(
    laboratory: Laboratory, random: Random
):
    with ExitStack() as watched:
        with sharing(laboratory, random, watched) as shared:
            stopped = [*shared.owner, *(owner.parent() for owner in shared.owner)]
            watched.enter_context(suspended(stopped))
        laboratory.end(shared.run)
        assert shared.run.watch.sights[-1].fencing_token > 1
        before = laboratory.postgres.ask(WRITTEN, shared.run.job_id)
        wake(stopped)
        wait_for(lambda: not stopped[0].is_running(), RECOVERY_SECONDS, "the woken worker gives up")
        assert laboratory.postgres.ask(WRITTEN, shared.run.job_id) == before
    laboratory.expect_right(shared.run)


@pytest.mark.long_form
def test_helpers_go_on_without_redis_and_its_content(laboratory: Laboratory, random: Random):
    with ExitStack() as watched:
        with sharing(laboratory, random, watched) as shared:
            laboratory.valkey.client.flushall()
        laboratory.end(shared.run)
    assert shared.run.watch.sights[-1].fencing_token == 1
    laboratory.expect_right(shared.run)


@pytest.mark.long_form
def test_a_cancelled_shared_import_goes_on_after_a_retry(laboratory: Laboratory, random: Random):
    client = laboratory.application.client
    with ExitStack() as watched:
        with sharing(laboratory, random, watched) as shared:
            client.post(f"/api/jobs/{shared.run.job_id}/cancel").raise_for_status()
        laboratory.end(shared.run)
        stopped = laboratory.application.job(shared.run.job_id)
        assert stopped["status"] == "cancelled" and 0 < stopped["processed_rows"] < shared.run.file.total
    client.post(f"/api/jobs/{shared.run.job_id}/retry").raise_for_status()
    with Watch(laboratory.application, laboratory.postgres, shared.run.job_id) as watch:
        again = replace(shared.run, watch=watch)
        laboratory.end(again)
    laboratory.expect_right(again)


@pytest.mark.long_form
@pytest.mark.parametrize("attempt", range(ANY_MOMENT))
def test_any_of_them_is_killed_at_any_moment(laboratory: Laboratory, random: Random, attempt: int):
    with ExitStack() as watched:
        with sharing(laboratory, random, watched) as shared:
            victims = random.sample([*shared.owner, *shared.helpers], random.choice((1, 2)))
        # Somewhere in the rest of the import, which goes on now.
        done = random.randrange(1, 8)
        sights = shared.run.watch.sights
        wait_for(lambda: len(sights[-1].done) >= done, RECOVERY_SECONDS, "some ranges are done")
        for victim in victims:
            if victim.is_running():
                victim.kill()
        laboratory.end(shared.run)
    laboratory.expect_right(shared.run)
