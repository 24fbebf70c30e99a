"""Run imports on one application with a known catalogue, and check everything after they end."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from product_importer.imports.models import FINAL
from tests.application import Application
from tests.faults.files import random_file
from tests.faults.leftovers import Leftovers
from tests.faults.oracle import File, Oracle, Outcome, Product
from tests.faults.pipes import HeldUpload
from tests.faults.processes import parents, suspended
from tests.faults.servers import Postgres, Valkey
from tests.faults.watching import Watch
from tests.waiting import wait_for

WORKERS = 2
# The time that an import may take to recover; other processes may share the two cores.
RECOVERY_SECONDS = 90
TIDY_SECONDS = 30
PRODUCTS = (
    "SELECT sku_key, sku, name, description, active, attributes, version, id, created_at, updated_at FROM product"
)
# The worker stores how many rows it has read twice a second.
IS_READING = "SELECT 1 FROM import_job WHERE id = %s AND phase = 'reading' AND rows_read > 0"
LOCK = "SELECT 1 FROM product WHERE sku_key IN (%s, %s) FOR UPDATE"
# Blocks an import that has read its file, and has not stored its ranges of keys yet.
HOLD_RANGES = "LOCK TABLE import_range IN SHARE MODE"
WAITS = """
SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock' HAVING count(*) >= %s
"""
# The first statement after reading. The heartbeat, which renews ranges, may wait for them before that.
STORES_RANGES = WAITS.replace(" HAVING", " AND query LIKE 'COPY%%' HAVING")
# Writers take ranges at the same time; products so far apart are in two ranges.
WRITERS = 2
APART = 0.15
STORED_KEY = "SELECT storage_key FROM import_job WHERE id = %s"


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
    """One import: its file, its expected outcome, the watch on it, and how often it failed before."""

    job_id: str
    file: File
    outcome: Outcome
    watch: Watch
    failures: int = 0


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

    @contextmanager
    def reading(self, file: File, share: float) -> Iterator[tuple[Run, HeldUpload]]:
        """Upload a file of which only the first `share` can be read at first; wait until its import has read that."""
        outcome = self.oracle.take(file)
        # No worker may open it before it is held, nor one that is started meanwhile.
        wait_for(lambda: len(parents(self.application)) == WORKERS, RECOVERY_SECONDS, "all workers have been started")
        with suspended(parents(self.application)):
            job_id = self.application.upload(file.content)
            upload = HeldUpload(self.stored(job_id), share)
        with closing(upload), Watch(self.application, self.postgres, job_id) as watch:
            self.postgres.wait_for_row(IS_READING, job_id)
            yield Run(job_id, file, outcome, watch), upload

    @contextmanager
    def retrying(self, job_id: str, file: File) -> Iterator[Run]:
        """Retry an import that has failed, and watch it during the block."""
        outcome = self.oracle.take(file)
        self.application.client.post(f"/api/jobs/{job_id}/retry").raise_for_status()
        with Watch(self.application, self.postgres, job_id) as watch:
            yield Run(job_id, file, outcome, watch, failures=1)

    def import_undisturbed(self, random: Random, shelf: str, rows: int) -> None:
        """Import a random file without a fault, and check the result."""
        with self.importing(self.write(random, shelf, rows)) as run:
            self.end(run)
        self.expect_right(run)

    def take_as_it_is(self) -> None:
        """Expect the catalogue as it is now, after something else than an import has changed it."""
        self.oracle = Oracle(self._products())

    def stored(self, job_id: str) -> Path:
        """Return where the uploaded file of an import is stored."""
        [(key,)] = self.postgres.ask(STORED_KEY, job_id)
        return Path(self.application.data) / "uploads" / key

    def wait_until_blocked(self, run: Run, sessions: int = 1) -> None:
        """Wait until so many sessions of the import's worker wait for locks that a test holds."""
        self.postgres.wait_for_row(WAITS, f"import {run.job_id}", sessions)

    def wait_until_read(self, run: Run) -> None:
        """Wait until an import that `held_after_reading` stops has read its file."""
        self.postgres.wait_for_row(STORES_RANGES, f"import {run.job_id}", 1)

    def wait_until_midway(self, run: Run) -> None:
        """Wait until all writers of an import wait for the products that `held_midway` has locked."""
        self.wait_until_blocked(run, WRITERS)
        sights = run.watch.sights
        wait_for(lambda: sights and sights[-1].undone_count >= WRITERS, RECOVERY_SECONDS, "the watch sees it")

    @contextmanager
    def held_midway(self, file: File, share: float) -> Iterator[None]:
        """Lock products that the import of the file will change, `share` of the way through its sorted keys.

        Each of its two writers stops at one of them, in different ranges.
        """
        keys = self.oracle.changes(file)
        places = [int(min(part, 0.99) * len(keys)) for part in (share, share + APART)]
        with self.postgres.holding(LOCK, *(keys[place] for place in places)):
            yield

    @contextmanager
    def held_after_reading(self) -> Iterator[None]:
        """Stop imports that are too large for one range between reading and writing."""
        with self.postgres.holding(HOLD_RANGES):
            yield

    def end(self, run: Run, seconds: float = RECOVERY_SECONDS) -> dict:
        """Wait until the application is ready and the import has ended, in its events, too; return the job."""
        wait_for(self.application.is_ready, seconds, "the application is ready again")
        job = wait_for(lambda: self._ended(run), seconds, "the import ends")
        assert job is not None
        wait_for(lambda: run.watch.has_seen_the_end, seconds, "the events contain the end")
        return job

    def _ended(self, run: Run) -> dict | None:
        """Return the job if it has ended. A web process that was just killed may have said that it is ready."""
        with suppress(httpx.TransportError):
            job = self.application.job(run.job_id)
            return job if job.get("status") in FINAL else None
        return None

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
        if len(rows) != 1 + run.failures:
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
        left = Leftovers(self.application, self.postgres)
        try:
            # The process of a job ends a moment later than its import.
            wait_for(lambda: not left.all(), TIDY_SECONDS, "nothing is left")
        except AssertionError:
            found.others += [f"left behind: {name}" for name in left.all()]

    def _products(self) -> dict[str, Product]:
        """Read the catalogue, and keep the fields of each product that an import must not change."""
        products = {}
        self._identities = {}
        for key, *fields, product_id, created_at, updated_at in self.postgres.ask(PRODUCTS):
            products[key] = Product(*fields)
            self._identities[key] = (products[key].version, (product_id, created_at), updated_at)
        return products
