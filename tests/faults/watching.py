"""What is seen of one import while it runs, in three ways: nothing of it may ever go back."""

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

LOOK_SECONDS = 0.05
# As an EventSource does, a little quicker.
RECONNECT_SECONDS = 0.3
COUNTS = ("created", "updated", "unchanged", "duplicates", "rejected")
RISING = ("percent", "rows_read", "processed_rows", *COUNTS)
ORDER = {"pending": 0, "processing": 1, "completed": 2, "failed": 2, "cancelled": 2}
ROW = """
SELECT fence, status, created + updated + unchanged + duplicates + rejected, lane_checkpoints, staging_table
FROM import_job WHERE id = %s
"""


@dataclass(frozen=True)
class Sight:
    """The job's row at a moment: who may write, how many rows are decided, how far each lane is."""

    at: float
    fence: int
    status: str
    decided: int
    checkpoints: list[str]
    staging_table: str | None


@dataclass
class Watch:
    """Looks at one import by REST, by its events and in the database; `faults` says what went back."""

    application: Application = field(repr=False)
    postgres: Postgres = field(repr=False)
    job_id: str
    faults: list[str] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list, repr=False)
    last_event: dict[str, Any] | None = None

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._seen: dict[str, dict[str, Any]] = {}
        looks = (self._look_by_rest, self._look_at_rows, self._follow_events)
        self._threads = [threading.Thread(target=self._repeat, args=(look,), daemon=True) for look in looks]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "an import's events have no end"

    def goes_on_at(self, struck_at: float) -> float:
        """Return when the import went on after the fault: under its next worker, if it got one."""
        before = [sight for sight in self.sights if sight.at <= struck_at]
        after = [sight for sight in self.sights if sight.at > struck_at]
        fence = before[-1].fence if before else 0
        taken_over = [sight.at for sight in after if sight.fence > fence]
        moved = [sight.at for sight in after if not before or sight.decided != before[-1].decided]
        return (taken_over or moved or [struck_at])[0]

    @property
    def has_seen_the_end(self) -> bool:
        """Whether an event has told of it."""
        return self.last_event is not None and ORDER[self.last_event["status"]] == 2

    @property
    def staging_tables(self) -> set[str]:
        """The tables from which it has merged."""
        return {sight.staging_table for sight in self.sights if sight.staging_table}

    def _repeat(self, look: Callable[[httpx.Client], None]) -> None:
        with httpx.Client(base_url=self.application.url, timeout=30) as client:
            while not self._over.is_set():
                try:
                    look(client)
                except Exception as error:
                    # The web process or PostgreSQL is away: that is what is being tested.
                    if not isinstance(error, httpx.TransportError) and not is_lost(error):
                        self.faults.append(f"{look.__name__}: {error!r}")
                        raise
                self._over.wait(RECONNECT_SECONDS)

    def _look_by_rest(self, client: httpx.Client) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._look_at_answer(client.get(f"/api/jobs/{self.job_id}"))

    def _look_at_answer(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.OK:
            self._see("REST", answer.json())
        elif answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            self.faults.append(f"GET answers {answer.status_code}: {answer.text[:200]}")

    def _follow_events(self, client: httpx.Client) -> None:
        if self.has_seen_the_end:
            return
        with client.stream("GET", f"/api/jobs/{self.job_id}/events") as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    self.last_event = json.loads(line.removeprefix("data:"))
                    self._see("events", self.last_event)

    def _look_at_rows(self, _: httpx.Client) -> None:
        with self.postgres.connected() as ask:
            while not self._over.wait(LOOK_SECONDS):
                [(fence, status, decided, checkpoints, table)] = ask(ROW, self.job_id)
                sight = Sight(time.monotonic(), fence, status, decided, checkpoints or [], table)
                if self.sights:
                    self._compare_rows(self.sights[-1], sight)
                self.sights.append(sight)

    def _see(self, how: str, job: dict[str, Any]) -> None:
        before = self._seen.get(how, job)
        for name in RISING:
            if job[name] < before[name]:
                self.faults.append(f"{how}: {name} went back from {before[name]} to {job[name]}")
        if ORDER[job["status"]] < ORDER[before["status"]]:
            self.faults.append(f"{how}: {before['status']} became {job['status']}")
        if before["total_rows"] not in (None, job["total_rows"]):
            self.faults.append(f"{how}: the total of {before['total_rows']} became {job['total_rows']}")
        self._seen[how] = job

    def _compare_rows(self, before: Sight, now: Sight) -> None:
        if now.fence < before.fence or now.decided < before.decided:
            self.faults.append(f"the row went back from {before} to {now}")
        # In the order of code points, which is that of bytes in UTF-8, which is the keys' own.
        if any(new < old for old, new in zip(before.checkpoints, now.checkpoints, strict=False)):
            self.faults.append(f"a checkpoint went back from {before.checkpoints} to {now.checkpoints}")
