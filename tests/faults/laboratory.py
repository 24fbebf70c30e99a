"""Run imports on one application with a known catalogue, and check everything after they end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.application import Application
from tests.faults.files import random_file
from tests.faults.oracle import File, Oracle, Outcome, Product
from tests.faults.servers import Postgres, Valkey
from tests.faults.watching import Watch
from tests.waiting import wait_for

# The time that an import may take to recover; other processes may share the two cores.
RECOVERY_SECONDS = 90
TIDY_SECONDS = 30
PRODUCTS = (
    "SELECT sku_key, sku, name, description, active, attributes, version, id, created_at, updated_at FROM product"
)
IS_COPIED = """
SELECT 1 FROM pg_stat_progress_copy JOIN pg_stat_activity USING (pid)
WHERE application_name = %s AND tuples_processed >= %s
"""
LOCK = "SELECT 1 FROM product WHERE sku_key = %s FOR UPDATE"
WAITS = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"


@dataclass
class Findings:
    """What is wrong after an import: lost products or rows, duplicates, and anything else."""

    losses: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.losses or self.duplicates or self.others)


@dataclass
class Run:
    """One import: its file, its expected outcome, and the watch on it."""

    job_id: str
    file: File
    outcome: Outcome
    watch: Watch


class Laboratory:
    """The application, its servers, and the oracle of its catalogue."""

    def __init__(self, application: Application):
        self.application = application
        self.postgres = Postgres(application)
        self.valkey = Valkey(application)
        self._identities: dict[str, tuple] = {}
        self.oracle = Oracle(self._products())

    def write(self, random: Random, shelf: str, rows: int) -> File:
        """Return a random file for the catalogue as it is now."""
        return random_file(random, self.oracle, shelf, rows)

    @contextmanager
    def importing(self, file: File) -> Iterator[Run]:
        """Upload a file, and watch its import during the block."""
        outcome = self.oracle.take(file)
        job_id = self.application.upload(file.content)
        with Watch(self.application, self.postgres, job_id) as watch:
            yield Run(job_id, file, outcome, watch)

    def import_undisturbed(self, random: Random, shelf: str, rows: int) -> None:
        """Import a random file without a fault, and check the result."""
        with self.importing(self.write(random, shelf, rows)) as run:
            self.end(run)
        self.expect_right(run)

    def wait_until_reading(self, run: Run, least: int = 1) -> None:
        """Wait until at least `least` rows have been copied towards the staging table."""
        self.postgres.wait_for_row(IS_COPIED, f"import {run.job_id}", least)

    def is_reading(self, run: Run, least: int = 1) -> bool:
        """Whether at least `least` rows have been copied towards the staging table."""
        return bool(self.postgres.ask(IS_COPIED, f"import {run.job_id}", least))

    def wait_until_blocked(self, run: Run) -> None:
        """Wait until the import's worker waits for a lock that a test holds."""
        self.postgres.wait_for_row(WAITS, f"import {run.job_id}")

    @contextmanager
    def held_in_merge(self, file: File, share: float) -> Iterator[None]:
        """Lock a product that the import of the file will change, `share` of the way through the sorted keys."""
        keys = self.oracle.changes(file)
        with self.postgres.holding(LOCK, keys[int(share * len(keys))]):
            yield

    def end(self, run: Run, seconds: float = RECOVERY_SECONDS) -> dict:
        """Wait until the application is ready and the import has ended, in its events, too; return the job."""
        wait_for(self.application.is_ready, seconds, "the application is ready again")
        job = self.application.finished(run.job_id, seconds)
        wait_for(lambda: run.watch.has_seen_the_end, seconds, "the events contain the end")
        return job

    def expect_right(self, *runs: Run) -> None:
        """Fail unless the imports have ended and the catalogue is correct."""
        found = self.check(*runs)
        assert not found, found

    def check(self, *runs: Run) -> Findings:
        """Return everything that is wrong with ended imports and the catalogue."""
        found = Findings()
        for run in runs:
            self._check_job(run, found)
            self._check_row_errors(run, found)
            self._check_events(run, found)
            found.others += run.watch.errors
        self._check_products(found)
        self._check_leftovers(found)
        return found

    def _check_job(self, run: Run, found: Findings) -> None:
        job = self.application.job(run.job_id)
        counts = {name: job[name] for name in run.outcome.counts}
        if job["status"] != "completed" or job["percent"] != 100 or job["error"]:
            found.others.append(f"it ended as {job}")
        if counts != run.outcome.counts or not job["total_rows"] == run.file.total == sum(counts.values()):
            found.others.append(f"counted {counts} of {job['total_rows']}, not {run.outcome.counts}")
        last = run.watch.last_event
        if last is None or last["status"] != job["status"] or last["processed_rows"] != job["processed_rows"]:
            found.others.append(f"the last event was {last}")

    def _check_row_errors(self, run: Run, found: Findings) -> None:
        stored = dict(self.postgres.ask("SELECT line, code FROM import_row_error WHERE job_id = %s", run.job_id))
        expected = run.outcome.row_errors
        found.losses += [f"line {line} is not reported" for line in expected.keys() - stored.keys()]
        found.others += [f"line {line}: {code}" for line, code in stored.items() if expected.get(line) != code]

    def _check_events(self, run: Run, found: Findings) -> None:
        rows = self.postgres.ask(
            "SELECT event_type, payload -> 'counts' FROM event WHERE payload ->> 'job_id' = %s", run.job_id
        )
        expected = ("import_completed", {"total": run.file.total, **run.outcome.counts})
        if expected not in rows:
            found.losses.append(f"{expected} is not among the events {rows}")
        if len(rows) > 1:
            found.duplicates.append(f"the events {rows}")

    def _check_products(self, found: Findings) -> None:
        before = self._identities
        stored, expected = self._products(), self.oracle.products
        found.losses += [
            f"{key}: {stored.get(key)}, not {it}" for key, it in expected.items() if stored.get(key) != it
        ]
        found.duplicates += [f"{stored[key]} is unexpected" for key in stored.keys() - expected.keys()]
        for key, (version, made, changed) in before.items():
            now = self._identities.get(key, (0, None, None))
            if now[1] != made or (now[0] == version) != (now[2] == changed):
                found.others.append(f"{key}: {(version, made, changed)} became {now}")
        total = self.application.client.get("/api/products").json()["total"]
        if total != len(expected):
            found.others.append(f"the list says {total} products, there are {len(expected)}")

    def _check_leftovers(self, found: Findings) -> None:
        left = Leftovers(self)
        try:
            wait_for(lambda: not left.tables(), TIDY_SECONDS, "no staging table is left")
        except AssertionError:
            found.others.append(f"left behind: {left.tables()}")
        found.others += [f"left behind: {name}" for name in left.files()]

    def _products(self) -> dict[str, Product]:
        """Read the catalogue, and keep the fields of each product that an import must not change."""
        products = {}
        self._identities = {}
        for key, *fields, product_id, created_at, updated_at in self.postgres.ask(PRODUCTS):
            products[key] = Product(*fields)
            self._identities[key] = (products[key].version, (product_id, created_at), updated_at)
        return products


class Leftovers:
    """Tables and files that must not exist while no import runs."""

    def __init__(self, laboratory: Laboratory):
        self._postgres = laboratory.postgres
        self._uploads = Path(laboratory.application.data) / "uploads"

    def tables(self) -> list[str]:
        return [
            name for (name,) in self._postgres.ask("SELECT relname FROM pg_class WHERE relname ~ '^import_staging_'")
        ]

    def files(self) -> set[str]:
        known = {key for (key,) in self._postgres.ask("SELECT storage_key FROM import_job")}
        return {path.name for path in self._uploads.iterdir()} - known
