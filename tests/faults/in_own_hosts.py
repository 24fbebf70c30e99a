"""Three workers, a web process, PostgreSQL with a standby, and Redis, each on a host of its own: see `test_hosts`.

A host that is cut off hears nothing, and nobody hears from it: no connection is closed.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from random import Random

import pytest

from tests.clusters import DATABASE, ROLE, Cluster
from tests.faults.conftest import BATCH_SIZE, LONG, ROWS_AT_FIRST, SHELVES
from tests.faults.hosts import Host, HostedApplication, Redis, lay_cables
from tests.faults.laboratory import RECOVERY_SECONDS, WRITERS, Laboratory, Run
from tests.faults.leftovers import Leftovers
from tests.faults.processes import both, family, jobs, suspended
from tests.faults.test_shared import HELD, LOCK, MAKE_LARGE
from tests.faults.test_stops import WRITTEN
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

ROWS = 10_000
REDIS_SECONDS = 120 if LONG else 8
# Connections to a host that has vanished end after half a minute.
SECONDS = 2 * RECOVERY_SECONDS
WAITING_AT = """
SELECT DISTINCT host(client_addr) FROM pg_stat_activity WHERE application_name ~ %s AND wait_event_type = 'Lock'
"""


@dataclass
class Machines:
    """All hosts, and what runs on them."""

    redis_host: Host
    primary_host: Host
    standby_host: Host
    primary: Cluster
    standby: Cluster
    web: HostedApplication
    workers: list[HostedApplication]
    laboratory: Laboratory

    def at_work(self, run: Run) -> list[HostedApplication]:
        """Return the workers of which a session waits for a lock in this import of theirs."""
        return self._waiting(f"^import {run.job_id}$")

    def helping(self) -> list[HostedApplication]:
        """Return the workers of which a session waits for a lock in an import that they help with."""
        return self._waiting("^help ")

    def _waiting(self, name: str) -> list[HostedApplication]:
        found = [address for (address,) in self.laboratory.postgres.ask(WAITING_AT, name)]
        return [worker for worker in self.workers if worker.address in found]

    def expect_right(self, *runs: Run) -> None:
        """Fail unless the imports have ended, the catalogue is correct, and no host keeps rows."""
        self.laboratory.expect_right(*runs)
        for worker in self.workers:
            left = Leftovers(worker, self.laboratory.postgres)
            wait_for(lambda left=left: not left.open_spools(), RECOVERY_SECONDS, "no row is spooled")  # type: ignore[misc]

    def fail_over(self) -> None:
        """Promote the standby; the other host gets a new one by `rebuild`."""
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary
        self.primary_host, self.standby_host = self.standby_host, self.primary_host

    def rebuild(self) -> None:
        """Make a new standby in the place of the former primary."""
        port, place = self.standby.port, self.standby.place
        # A former primary that was cut off still writes.
        self.standby.remove()
        self.standby_host.join()
        self.standby = self.primary.make_standby(port, place)

    def remove_clusters(self) -> None:
        """Remove those that are there now."""
        self.standby.remove()
        self.primary.remove()


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    lay_cables()
    with ExitStack() as started:
        hosts = [Host(number) for number in range(2, 9)]
        for host in hosts:
            started.callback(host.close)
        yield from opened(started, hosts)


def opened(started: ExitStack, hosts: list[Host]) -> Iterator[Machines]:
    """Start everything on its host; stop the application before its servers."""
    redis_host, primary_host, standby_host, *others = hosts
    redis = Redis(redis_host)
    started.callback(redis.close)
    primary = Cluster(place=primary_host.place)
    primary.create()
    standby = primary.make_standby(place=standby_host.place)
    environment = {
        "DATABASE_URL": f"postgresql://{ROLE}@{primary.address},{standby.address}/{DATABASE}",
        "REDIS_URL": redis.url,
        "IMPORT_WRITERS": str(WRITERS),
        "BATCH_SIZE": str(BATCH_SIZE),
    }
    web, *workers = start_application(started, others, environment)
    laboratory = Laboratory(web)
    made = Machines(redis_host, primary_host, standby_host, primary, standby, web, workers, laboratory)
    started.callback(made.remove_clusters)
    for shelf in SHELVES:
        laboratory.import_undisturbed(Random(shelf), shelf, ROWS_AT_FIRST)
    yield made
    for application in (*workers, web):
        assert application.stop() == 0
        wait_for(lambda gone=application: not family(gone), 30, "no process is left")  # type: ignore[misc]
        application.remove()


def start_application(started: ExitStack, hosts: list[Host], environment: dict[str, str]) -> list[HostedApplication]:
    """Start the web process, and a worker on each further host; the folder of uploads is shared."""
    web = HostedApplication(hosts[0], **environment)
    shared = {"UPLOAD_DIR": str(web.data / "uploads")}
    web.start("web", until="/api/health")
    workers = [HostedApplication(host, **environment, **shared) for host in hosts[1:]]
    for worker in workers:
        worker.start_worker()
    wait_for(web.is_ready, SECONDS, "a worker is ready")
    return [web, *workers]


@pytest.mark.parametrize("rejoins", ["in_the_middle", pytest.param("after_the_end", marks=pytest.mark.long_form)])
def test_a_worker_that_is_cut_off_in_mid_range_writes_nothing_twice_when_it_joins_again(
    machines: Machines, random: Random, rejoins: str
):
    laboratory = machines.laboratory
    first, second = (laboratory.write(random, shelf, ROWS) for shelf in SHELVES)
    with ExitStack() as watched:
        with laboratory.held_midway(first, random.uniform(0.2, 0.8)):
            run = watched.enter_context(laboratory.importing(first))
            laboratory.wait_until_midway(run)
            other = watched.enter_context(laboratory.importing(second))
            cut = machines.at_work(run)[0]
            its_jobs = jobs(cut)
            cut.host.cut_off()
            if rejoins == "in_the_middle":
                # Its statements still wait in PostgreSQL, beside those of the worker that has taken over.
                wait_for(lambda: machines.at_work(run) != [cut], SECONDS, "another worker has taken over")
                cut.host.join()
        for one in (run, other):
            laboratory.end(one, SECONDS)
        others = [worker for worker in machines.workers if worker is not cut]
        assert any(run.job_id in worker.output.read_text() for worker in others), "nobody has taken over"
        before = laboratory.postgres.ask(WRITTEN, run.job_id)
        cut.host.join()
        wait_for(lambda: not any(job.is_running() for job in its_jobs), SECONDS, "the cut-off worker has given up")
        assert laboratory.postgres.ask(WRITTEN, run.job_id) == before
    machines.expect_right(run, other)
    # Alone, the worker that has joined again imports.
    with suspended([process for worker in others for process in both(worker)]):
        laboratory.import_undisturbed(random, SHELVES[0], 200)


@contextmanager
def sharing(machines: Machines, random: Random, watched: ExitStack) -> Iterator[tuple[Run, HostedApplication]]:
    """Share a large import between two workers, and hold both in the middle of a range during the block.

    The third one is left to small imports.
    """
    laboratory = machines.laboratory
    file = laboratory.write(random, random.choice(SHELVES), ROWS)
    changes = laboratory.oracle.changes(file)
    owner, *others = random.sample(machines.workers, len(machines.workers))
    with laboratory.postgres.holding(LOCK, changes[:: len(changes) // HELD][:HELD]):
        with suspended([process for other in others for process in both(other)]):
            with suspended(both(owner)):
                run = watched.enter_context(laboratory.importing(file))
                with laboratory.postgres.connected() as ask:
                    assert ask(MAKE_LARGE, run.job_id)
            laboratory.wait_until_blocked(run)
        wait_for(machines.helping, SECONDS, "another worker helps")
        yield run, owner


@pytest.mark.parametrize("whose", ["a_helper", "the_owner"])
def test_one_of_two_that_share_an_import_is_cut_off_in_mid_range(machines: Machines, random: Random, whose: str):
    laboratory = machines.laboratory
    with ExitStack() as watched:
        with sharing(machines, random, watched) as (run, owner):
            [cut] = [owner] if whose == "the_owner" else machines.helping()
            its_jobs = jobs(cut)
            cut.host.cut_off()
        laboratory.end(run, SECONDS)
        before = laboratory.postgres.ask(WRITTEN, run.job_id)
        cut.host.join()
        wait_for(lambda: not any(job.is_running() for job in its_jobs), SECONDS, "the cut-off worker has given up")
        assert laboratory.postgres.ask(WRITTEN, run.job_id) == before
    assert run.watch.sights[-1].fencing_token == (2 if whose == "the_owner" else 1)
    # The next owner has the rows that the first one has stored.
    assert not any("its file is read again" in worker.output.read_text() for worker in machines.workers)
    machines.expect_right(run)
    laboratory.import_undisturbed(random, SHELVES[0], 200)


@pytest.mark.parametrize("how", ["killed", pytest.param("cut_off", marks=pytest.mark.long_form)])
def test_a_standby_is_promoted_when_its_primary_is(machines: Machines, random: Random, how: str):
    """A primary that is cut off lives on, and acknowledges nothing, for its standby is synchronous."""
    laboratory = machines.laboratory
    first, second = (laboratory.write(random, shelf, ROWS) for shelf in SHELVES)
    with ExitStack() as watched:
        with laboratory.held_midway(first, random.uniform(0.2, 0.8)):
            run = watched.enter_context(laboratory.importing(first))
            laboratory.wait_until_midway(run)
            other = watched.enter_context(laboratory.importing(second))
            if how == "killed":
                machines.primary.kill()
            else:
                machines.primary_host.cut_off()
            machines.fail_over()
        for one in (run, other):
            laboratory.end(one, SECONDS)
    machines.rebuild()
    machines.expect_right(run, other)
    laboratory.import_undisturbed(random, SHELVES[1], 200)


def test_redis_is_gone_for_minutes(machines: Machines, random: Random):
    """An import goes on, and an upload is accepted meanwhile."""
    laboratory = machines.laboratory
    first, second = (laboratory.write(random, shelf, ROWS) for shelf in SHELVES)
    with ExitStack() as watched:
        with laboratory.held_midway(first, random.uniform(0.2, 0.8)):
            run = watched.enter_context(laboratory.importing(first))
            laboratory.wait_until_midway(run)
            before = run.watch.sights[-1].decided
            # From here on its cable is out, also while the products are let go.
            gone = ExitStack()
            gone.enter_context(machines.redis_host.gone(REDIS_SECONDS))
            other = watched.enter_context(laboratory.importing(second))
        with gone:
            wait_for(lambda: run.watch.sights[-1].decided > before, RECOVERY_SECONDS, "it goes on")
        for one in (run, other):
            laboratory.end(one, SECONDS)
    machines.expect_right(run, other)
    laboratory.import_undisturbed(random, SHELVES[0], 200)
