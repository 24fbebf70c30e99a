"""Kill random processes at random moments of an import: a hundred times with `FAULTS=long`, else once.

`FAULTS_ROUNDS` sets the number of kills, `FAULTS_ROWS` the size of the files.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from product_importer.imports.progress import READ_SHARE
from tests.faults.conftest import LONG, SEED, SHELVES
from tests.faults.laboratory import RECOVERY_SECONDS, Findings, Laboratory, Run
from tests.faults.processes import VICTIMS, parents, send
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

ROUNDS = int(os.environ.get("FAULTS_ROUNDS") or (100 if LONG else 1))
ROWS = int(os.environ.get("FAULTS_ROWS") or (20_000 if LONG else 8_000))


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

    def __str__(self) -> str:
        ordered = sorted(self.recoveries)
        return (
            f"rounds: {len(ordered)} of {ROWS:,} rows (FAULTS_SEED={SEED})\n"
            f"killed: {dict(self.kills)}\nwhile: {dict(self.phases)}\n"
            f"losses: {len(self.losses)}, duplicates: {len(self.duplicates)}, other faults: {len(self.others)}\n"
            f"recovery: longest {ordered[-1]:.1f} s, median {ordered[len(ordered) // 2]:.1f} s"
        )


def test_kills_at_random_moments(laboratory: Laboratory, random: Random, capsys: pytest.CaptureFixture[str]):
    tally = Tally()
    for number in range(1, ROUNDS + 1):
        tally.add(run_round(laboratory, random, tally))
        with capsys.disabled():
            print(f"\r{number} rounds, longest recovery {max(tally.recoveries):.1f} s ", end="", flush=True)
    with capsys.disabled():
        print(f"\n{tally}")
    assert (tally.losses, tally.duplicates, tally.others) == ([], [], [])
    laboratory.import_undisturbed(random, SHELVES[0], 200)


def run_round(laboratory: Laboratory, random: Random, tally: Tally) -> Findings:
    """Run one import, kill processes during it, and return what is wrong afterwards."""
    victims, moment = random.choice(list(VICTIMS)), random_moment(random)
    with laboratory.importing(laboratory.write(random, random.choice(SHELVES), ROWS)) as run:
        wait_for(lambda: moment(laboratory, run), RECOVERY_SECONDS, "the moment to kill has come")
        killed_at = time.monotonic()
        tally.phases[laboratory.application.job(run.job_id)["phase"]] += 1
        # There is no job process any more if the job has ended.
        send(signal.SIGKILL, VICTIMS[victims](laboratory.application) or parents(laboratory.application))
        wait_for(laboratory.application.is_ready, RECOVERY_SECONDS, "the application is ready again")
        ready_at = time.monotonic()
        laboratory.end(run)
    tally.kills[victims] += 1
    tally.recoveries.append(max(ready_at, run.watch.continued_at(killed_at)) - killed_at)
    return laboratory.check(run)


def random_moment(random: Random) -> Callable[[Laboratory, Run], bool]:
    """Return a check for a random moment: in the short reading phase, or at any percentage."""
    if random.random() < 0.4:
        rows = random.randrange(ROWS // 2)
        return lambda laboratory, run: laboratory.is_reading(run, rows) or is_at(laboratory, run, READ_SHARE)
    percent = random.uniform(0, 99.9)
    return lambda laboratory, run: is_at(laboratory, run, percent)


def is_at(laboratory: Laboratory, run: Run, percent: float) -> bool:
    job = laboratory.application.job(run.job_id)
    return job["percent"] >= percent or job["status"] == "completed"
