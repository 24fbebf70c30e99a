"""A hundred webhooks, of which one is dead: whether every event has arrived, or is known not to have."""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from soak.client import Client
from soak.ledger import Ledger
from soak.subject import Subject
from tests.application import ROOT, free_port
from tests.waiting import wait_for

WEBHOOKS = 100
DEAD = 1
ARRIVE_SECONDS = 420
TAKES_SECONDS = 0.01
DEAD_REASON = "no connection"
DELIVERIES = (
    "SELECT url, status, error, count(*) FROM webhook_delivery JOIN webhook w ON w.id = webhook_id GROUP BY 1, 2, 3"
)
EVENTS = "SELECT event_type, count(*) FROM event GROUP BY 1"
WAITING = "SELECT count(*) FROM event WHERE dispatched_at IS NULL"


class Receivers:
    """One process that answers for all living webhooks, and a port on which nobody listens."""

    def __init__(self, subject: Subject, ledger: Ledger):
        self._postgres, self._ledger = subject.postgres, ledger
        self._folder = tempfile.TemporaryDirectory(prefix="product-importer-soak-")
        self._log = Path(self._folder.name) / "received.jsonl"
        port = free_port()
        command = [sys.executable, "-m", "tests.webhooks.receiver", str(port), str(self._log), str(TAKES_SECONDS)]
        self._process = subprocess.Popen(command, cwd=ROOT)
        wait_for(self._log.exists, 10, "the receiver listens")
        self._living = f"http://127.0.0.1:{port}/"
        self._dead = f"http://127.0.0.1:{free_port()}/"

    def subscribe(self, client: Client) -> None:
        """Create the webhooks; all want every event."""
        for number in range(WEBHOOKS):
            url = self._dead if number < DEAD else f"{self._living}{number}"
            answer = client.send("POST", "/api/webhooks", json={"url": url})
            assert answer.status == 201, answer.body

    def check(self) -> None:
        """Wait for the last messages, and check that each event was recorded once and has all its deliveries."""
        wait_for(self._is_settled, ARRIVE_SECONDS, "all messages have been delivered")
        events = Counter(dict(self._postgres.ask(EVENTS)))
        self._check_events(events)
        deliveries = self._postgres.ask(DELIVERIES)
        total = sum(count for *_, count in deliveries)
        self._ledger.check(
            total == sum(events.values()) * WEBHOOKS, f"{total} deliveries of {sum(events.values())} events"
        )
        self._check_living(deliveries, sum(events.values()) * (WEBHOOKS - DEAD))
        reasons = Counter({error: count for url, _, error, count in deliveries if url == self._dead})
        known = all(error and error.startswith(DEAD_REASON) for error in reasons)
        self._ledger.check(known, f"the dead webhook's deliveries failed for {reasons}")
        print(f"{events.total():,} events, {total:,} deliveries; to the dead webhook: {dict(reasons)}")

    def close(self) -> None:
        """Stop the receiver, and remove its log."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def _is_settled(self) -> bool:
        """Whether every event was dispatched, and every delivery was tried; of the living, with success."""
        [(waiting,)] = self._postgres.ask(WAITING)
        open_ = [url for url, status, error, _ in self._postgres.ask(DELIVERIES) if status == "pending" and not error]
        living = self._postgres.ask(DELIVERIES)
        behind = [url for url, status, *_ in living if url != self._dead and status != "succeeded"]
        return not waiting and not open_ and not behind

    def _check_events(self, found: Counter[str]) -> None:
        for name in found | self._ledger.events:
            expected = self._ledger.events[name]
            is_right = expected <= found[name] <= expected + self._ledger.doubts[name]
            self._ledger.check(is_right, f"{found[name]} events {name}, not {expected}")

    def _check_living(self, deliveries: list[tuple[Any, ...]], expected: int) -> None:
        """Check that everything that is said to have arrived has."""
        with self._log.open() as lines:
            received = {(line["path"], line["headers"]["webhook-id"]) for line in map(json.loads, lines)}
        said = sum(count for url, status, _, count in deliveries if url != self._dead and status == "succeeded")
        self._ledger.check(
            len(received) == said == expected, f"{len(received)} messages arrived, {said} are said to, of {expected}"
        )
