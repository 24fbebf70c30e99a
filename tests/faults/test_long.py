"""Kill random processes at random moments of an import: a hundred times.

`FAULTS_ROUNDS` sets the number of kills, `FAULTS_ROWS` the size of the files.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random

import pytest

from tests.faults.conftest import SEED, SHELVES
from tests.faults.laboratory import RECOVERY_SECONDS, Findings, Laboratory, Run
from tests.faults.oracle import File
from tests.faults.processes import VICTIMS, parents, send
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

ROUNDS = int(os.environ.get("FAULTS_ROUNDS") or 100)
ROWS = int(os.environ.get("FAULTS_ROWS") or 20_000)

# An import at the moment to kill, and what lets it go on afterwards.
Moment = tuple[Run, Callable[[], None]]


@dataclass
class Tally:
    """The results of all rounds."""

    kills: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def add(self, found: Findings) -> None:
        self.losses += found.losses
        self.duplicates += found.duplicates
        self.others += found.others

    @property
    def fault_count(self) -> int:
        """The number of everything that was found wrong so far."""
        return len(self.losses) + len(self.duplicates) + len(self.others)

    def __str__(self) -> str:
        ordered = sorted(self.recoveries)
        return (
            f"rounds: {len(ordered)} of {ROWS:,} rows (FAULTS_SEED={SEED})\n"
            f"killed: {dict(self.kills)}\nwhile: {dict(self.phases)}\n"
            f"losses: {len(self.losses)}, duplicates: {len(self.duplicates)}, other faults: {len(self.others)}\n"
            f"recovery: longest {ordered[-1]:.1f} s, median {ordered[len(ordered) // 2]:.1f} s"
        )


@pytest.mark.long_form
def test_kills_at_random_moments(laboratory: Laboratory, random: Random, capsys: pytest.CaptureFixture[str]):
    tally = Tally()
    for number in range(1, ROUNDS + 1):
        tally.add(run_round(laboratory, random, tally))
        with capsys.disabled():
            longest = f"longest recovery {max(tally.recoveries):.1f} s"
            print(f"\r{number} rounds, {tally.fault_count} faults, {longest} ", end="", flush=True)
    with capsys.disabled():
        print(f"\n{tally}")
    assert (tally.losses, tally.duplicates, tally.others) == ([], [], [])
    laboratory.import_undisturbed(random, SHELVES[0], 200)


def run_round(laboratory: Laboratory, random: Random, tally: Tally) -> Findings:
    """Run one import, kill processes during it, and return what is wrong afterwards."""
    victims, moment = random.choice(list(VICTIMS)), random.choice(MOMENTS)
    with moment(laboratory, random, laboratory.write(random, random.choice(SHELVES), ROWS)) as (run, let_go):
        killed_at = time.monotonic()
        tally.phases[laboratory.application.job(run.job_id)["phase"]] += 1
        # There is no job process any more if the job has ended.
        send(signal.SIGKILL, VICTIMS[victims](laboratory.application) or parents(laboratory.application))
        let_go()
        wait_for(laboratory.application.is_ready, RECOVERY_SECONDS, "the application is ready again")
        ready_at = time.monotonic()
        laboratory.end(run)
    tally.kills[victims] += 1
    tally.recoveries.append(max(ready_at, run.watch.continued_at(killed_at)) - killed_at)
    return laboratory.check(run)


@contextmanager
def while_reading(laboratory: Laboratory, random: Random, file: File) -> Iterator[Moment]:
    """Import a file as far as a random place in it."""
    with laboratory.reading(file, random.uniform(0, 0.99)) as (run, upload):
        yield run, upload.release


@contextmanager
def after_reading(laboratory: Laboratory, _: Random, file: File) -> Iterator[Moment]:
    """Read a file, and stop its import before it writes anything."""
    with ExitStack() as held:
        held.enter_context(laboratory.held_after_reading())
        with laboratory.importing(file) as run:
            laboratory.wait_until_read(run)
            yield run, held.close


@contextmanager
def at_any_percent(laboratory: Laboratory, random: Random, file: File) -> Iterator[Moment]:
    """Import a file as far as a random percentage."""
    percent = random.uniform(0, 99.9)
    with laboratory.importing(file) as run:
        wait_for(lambda: is_at(laboratory, run, percent), RECOVERY_SECONDS, "the moment to kill has come")
        yield run, lambda: None


# Most kills come while ranges are written.
MOMENTS = (while_reading, while_reading, after_reading, *[at_any_percent] * 4)


def is_at(laboratory: Laboratory, run: Run, percent: float) -> bool:
    job = laboratory.application.job(run.job_id)
    return job["percent"] >= percent or job["status"] == "completed"
