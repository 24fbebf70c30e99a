"""A part of the catalogue whose SKUs begin alike, the oracle of it, and one person's work on it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any

import psycopg2

from product_importer.imports.models import FINAL
from soak.client import Answer, Client
from soak.ledger import Ledger
from soak.subject import Subject
from tests.faults.files import random_file
from tests.faults.oracle import File, Oracle, Outcome, Product

ENDED_SECONDS = 300
POLL_SECONDS = 0.2
PRODUCTS = "SELECT sku_key, sku, name, description, active, attributes FROM product WHERE sku_key LIKE %s"
RUNNING = """
SELECT 1 FROM import_job WHERE status IN ('pending', 'processing') AND action -> 'filter' ->> 'sku' = %s
"""
ROW_COUNTS = ("created", "updated", "unchanged", "duplicates", "rejected", "deleted")


class Shelf:
    """Products whose SKUs begin with `name`. Nobody else changes them, so that the oracle knows them."""

    def __init__(self, name: str, seed: str, subject: Subject, ledger: Ledger):
        self.name = name
        self.prefix = f"{name}-".lower()
        self.random = Random(f"{seed} {name}")
        self.oracle = Oracle({})
        self.client = Client(subject.urls)
        self.ledger = ledger
        self._postgres = subject.postgres
        self._seed = seed
        self._uploads = 0

    def write(self, rows: int) -> File:
        """Return a random file for the shelf as it is now."""
        return random_file(self.random, self.oracle, self.name, rows)

    def upload(self, file: File, **choices: str) -> str:
        """Upload a file once, even over an outage; return the id of its import."""
        self._uploads += 1
        # The same number means another file in another run.
        key = {"Idempotency-Key": f"{self._seed}-{self.name}-{self._uploads}"}
        files = {"file": (f"{self.name}.csv", file.content, "text/csv")}
        answer = self.client.send("POST", "/api/upload-csv", files=files, data=choices, headers=key)
        return str(self.must(answer, 202)["job_id"])

    def must(self, answer: Answer, *statuses: int) -> Any:
        """Return the body of an answer that must have one of these statuses."""
        assert answer.status in statuses, f"{self.name}: {answer.status} {answer.body}"
        return answer.body

    def command(self, job_id: str, verb: str, too_late: int = 409) -> bool:
        """Send a command to a job; return False if it is refused, which it may be if it was repeated."""
        answer = self.client.send("POST", f"/api/jobs/{job_id}/{verb}")
        if answer.status == too_late and (answer.repeated or verb == "cancel"):
            return False
        self.must(answer, 200, 202)
        return True

    def job(self, job_id: str) -> dict[str, Any]:
        return dict(self.client.get(f"/api/jobs/{job_id}"))

    def ended(self, job_id: str) -> dict[str, Any]:
        """Wait until a job has ended, and return it."""
        return self.until(job_id, lambda job: job["status"] in (*FINAL, "previewed"))

    def until(self, job_id: str, is_reached: Any) -> dict[str, Any]:
        """Wait until a job fulfils a condition, and return it."""
        deadline = time.monotonic() + ENDED_SECONDS
        while not is_reached(job := self.job(job_id)):
            assert time.monotonic() < deadline, f"{self.name}: job {job_id} does not get there: {job}"
            time.sleep(POLL_SECONDS)
        return job

    def expect_counts(self, job: dict[str, Any], outcome: Outcome, total: int, status: str = "completed") -> None:
        """Check an import's status and all its counts."""
        expected = dict.fromkeys(ROW_COUNTS, 0) | outcome.counts
        counts = {name: job[name] for name in ROW_COUNTS}
        is_right = (job["status"], counts, job["total_rows"]) == (status, expected, total)
        self.ledger.check(is_right, f"{self.name}: {expected} of {total} rows expected, {status}: {job}")

    def check(self) -> None:
        """Compare the shelf in the database with the oracle; go on with what is there."""
        held = {key: Product(*fields) for key, *fields in self._ask(PRODUCTS, f"{self.prefix}%")}
        expected = {key: replace(product, version=1) for key, product in self.oracle.products.items()}
        wrong = [key for key in held.keys() | expected.keys() if held.get(key) != expected.get(key)]
        if wrong:
            examples = [f"{held.get(key)}, not {expected.get(key)}" for key in sorted(wrong)[:3]]
            self.ledger.blame(f"{self.name}: {len(wrong)} products differ: {examples}")
            self.oracle = Oracle(held)

    @contextmanager
    def as_before(self) -> Iterator[None]:
        """Take the oracle back to what it was before the block."""
        before = dict(self.oracle.products)
        yield
        self.oracle = Oracle(before)

    def of(self, digit: str) -> list[str]:
        """Return the keys of the products of a sixteenth of the shelf."""
        return [key for key in self.oracle.products if key.startswith(self.beginning(digit))]

    def beginning(self, digit: str) -> str:
        """Return how the keys of a sixteenth of the shelf begin: all numbers of files begin with 0."""
        return f"{self.prefix}0{digit}"

    def wait_until_alone(self, sku: str) -> None:
        """Wait until no action on these products runs."""
        deadline = time.monotonic() + ENDED_SECONDS
        while self._ask(RUNNING, sku):
            assert time.monotonic() < deadline, f"{self.name}: an action on {sku} does not end"
            time.sleep(POLL_SECONDS)

    def _ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Query PostgreSQL, also when it has just been killed."""
        deadline = time.monotonic() + ENDED_SECONDS
        while True:
            try:
                return self._postgres.ask(query, *values)
            except psycopg2.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL does not come back"
                time.sleep(POLL_SECONDS)
