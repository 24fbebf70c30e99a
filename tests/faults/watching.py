"""Watch one import by REST, events and SQL while it runs: no value may ever go back."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from product_importer.core.db import is_lost
from tests.application import Application
from tests.faults.servers import Postgres

POLL_SECONDS = 0.05
# Like an EventSource, but faster.
RECONNECT_SECONDS = 0.3
COUNTS = ("created", "updated", "unchanged", "duplicates", "rejected")
RISING = ("percent", "rows_read", "processed_rows", *COUNTS)
ORDER = {"pending": 0, "processing": 1, "completed": 2, "failed": 2, "cancelled": 2}
ROW = """
SELECT fence, status, created + updated + unchanged + duplicates + rejected,
    ARRAY(SELECT number || ' at ' || done_at FROM import_range WHERE job_id = id AND done_at IS NOT NULL),
    (SELECT count(*) FROM import_range WHERE job_id = id AND done_at IS NULL)
FROM import_job WHERE id = %s
"""


@dataclass(frozen=True)
class Sight:
    """The job's row at one time: fencing token and decided rows; its ranges that are done, and when."""

    at: float
    fencing_token: int
    status: str
    decided: int
    done: frozenset[str]
    undone_count: int


@dataclass
class Watch:
    """Watches one import by REST, by its events and in the database; `errors` lists what went back."""

    application: Application = field(repr=False)
    postgres: Postgres = field(repr=False)
    job_id: str
    errors: list[str] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list, repr=False)
    last_event: dict[str, Any] | None = None

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._seen: dict[str, dict[str, Any]] = {}
        watchers = (self._poll_rest, self._poll_row, self._follow_events)
        self._threads = [threading.Thread(target=self._repeat, args=(watch,), daemon=True) for watch in watchers]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "an import's events have no end"

    def continued_at(self, fault_at: float) -> float:
        """Return when the import continued after the fault: with its next worker, if it got one."""
        before = [sight for sight in self.sights if sight.at <= fault_at]
        after = [sight for sight in self.sights if sight.at > fault_at]
        token = before[-1].fencing_token if before else 0
        taken_over = [sight.at for sight in after if sight.fencing_token > token]
        moved = [sight.at for sight in after if not before or sight.decided != before[-1].decided]
        return (taken_over or moved or [fault_at])[0]

    @property
    def has_seen_the_end(self) -> bool:
        """Whether an event had a final status."""
        return self.last_event is not None and ORDER[self.last_event["status"]] == 2

    def _repeat(self, watch: Callable[[httpx.Client], None]) -> None:
        with httpx.Client(base_url=self.application.url, timeout=30) as client:
            while not self._over.is_set():
                try:
                    watch(client)
                except Exception as error:
                    # The test has stopped the web process or PostgreSQL.
                    if not isinstance(error, httpx.TransportError) and not is_lost(error):
                        self.errors.append(f"{watch.__name__}: {error!r}")
                        raise
                self._over.wait(RECONNECT_SECONDS)

    def _poll_rest(self, client: httpx.Client) -> None:
        while not self._over.wait(POLL_SECONDS):
            self._check_response(client.get(f"/api/jobs/{self.job_id}"))

    def _check_response(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.OK:
            self._see("REST", answer.json())
        elif answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            self.errors.append(f"GET answers {answer.status_code}: {answer.text[:200]}")

    def _follow_events(self, client: httpx.Client) -> None:
        if self.has_seen_the_end:
            return
        with client.stream("GET", f"/api/jobs/{self.job_id}/events") as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    self.last_event = json.loads(line.removeprefix("data:"))
                    self._see("events", self.last_event)

    def _poll_row(self, _: httpx.Client) -> None:
        with self.postgres.connected() as ask:
            while not self._over.wait(POLL_SECONDS):
                [(token, status, decided, done, undone_count)] = ask(ROW, self.job_id)
                sight = Sight(time.monotonic(), token, status, decided, frozenset(done), undone_count)
                if self.sights:
                    self._compare_rows(self.sights[-1], sight)
                self.sights.append(sight)

    def _see(self, how: str, job: dict[str, Any]) -> None:
        before = self._seen.get(how, job)
        for name in RISING:
            if job[name] < before[name]:
                self.errors.append(f"{how}: {name} went back from {before[name]} to {job[name]}")
        if ORDER[job["status"]] < ORDER[before["status"]]:
            self.errors.append(f"{how}: {before['status']} became {job['status']}")
        if before["total_rows"] not in (None, job["total_rows"]):
            self.errors.append(f"{how}: the total of {before['total_rows']} became {job['total_rows']}")
        self._seen[how] = job

    def _compare_rows(self, before: Sight, now: Sight) -> None:
        if now.fencing_token < before.fencing_token or now.decided < before.decided:
            self.errors.append(f"the row went back from {before} to {now}")
        # The ranges are deleted with the end of the import.
        if now.status != "completed" and not before.done <= now.done:
            self.errors.append(f"ranges were done again: {before.done} became {now.done}")
