"""Every message arrives although receivers fail or do not answer, workers are killed and Redis is wiped.

`FAULTS=long` sends 10,000 messages instead of 1,000.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.application import ROOT, Application, catalogue, free_port
from tests.faults.processes import family, send
from tests.faults.servers import Valkey
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

LONG = os.environ.get("FAULTS") == "long"
ROWS = 10_000 if LONG else 1_000
ARRIVE_SECONDS = 600 if LONG else 300


@pytest.fixture(scope="module")
def application(own_servers):
    started = Application(WORKERS="1", WEBHOOK_ALLOW_CIDRS="127.0.0.0/8", **own_servers)
    started.start()
    yield started
    print(started.output.read_text()[-5000:])
    assert started.stop() == 0
    started.remove()


class Log:
    """Reads the receiver's log while it is written; each line once."""

    def __init__(self, path: Path):
        self._file = path.open()
        self._rest = ""
        self.lines: list[dict] = []
        self._accepted: set[str] = set()

    def accepted(self) -> int:
        """Return the number of messages that were answered with 200."""
        *whole, self._rest = (self._rest + self._file.read()).split("\n")
        fresh = [json.loads(line) for line in whole]
        self.lines += fresh
        self._accepted |= {line["headers"]["webhook-id"] for line in fresh if line["status"] == 200}
        return len(self._accepted)


@pytest.fixture
def messages(tmp_path) -> Iterator[tuple[str, Log]]:
    """The URL and the log of a receiver: 1% of the messages get a 500 at first, 1% no answer."""
    port, log = free_port(), tmp_path / "received.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.webhooks.receiver", str(port), str(log), "0.002", "0.01"], cwd=ROOT
    )
    wait_for(log.exists, 60, "the receiver listens")
    yield f"http://127.0.0.1:{port}/hook", Log(log)
    process.kill()
    process.wait()


def kill_senders(application: Application) -> None:
    found = family(application, "worker --queue webhooks")
    assert len(found) >= 2, "expected a worker and the process of its job"
    send(signal.SIGKILL, found)


def test_every_message_arrives_in_spite_of_faults(application: Application, messages, capsys):
    url, log = messages
    began = time.monotonic()
    made = application.client.post("/api/webhooks", json={"url": url, "import_events": "each"}).json()
    job_id = application.upload(catalogue(ROWS))
    job = application.finished(job_id)
    assert (job["status"], job["created"]) == ("completed", ROWS), job
    wait_for(lambda: log.accepted() > ROWS // 4, ARRIVE_SECONDS, "a quarter has arrived")
    kill_senders(application)
    wait_for(lambda: log.accepted() > ROWS // 2, ARRIVE_SECONDS, "a half has arrived")
    Valkey(application).client.flushdb()
    wait_for(lambda: log.accepted() >= ROWS + 1, ARRIVE_SECONDS, "every message has arrived")
    check(made, log.lines)
    deliveries = f"/api/webhooks/{made['id']}/deliveries"

    def is_recorded() -> bool:
        return application.client.get(f"{deliveries}?status=succeeded").json()["total"] == ROWS + 1

    wait_for(is_recorded, 60, "every delivery is recorded")
    assert application.client.get(f"{deliveries}?status=failed").json()["total"] == 0
    with capsys.disabled():
        print(f"\n{summary(log)}, {time.monotonic() - began:.0f} s")


def summary(log: Log) -> str:
    answered = [line for line in log.lines if line["status"] == 200]
    again, failed = len(answered) - log.accepted(), [line["status"] for line in log.lines if line["status"] != 200]
    return (
        f"{log.accepted():,} messages arrived, {again} of them more than once; answered with 500: "
        f"{failed.count(500)}, not at all: {failed.count(0)}"
    )


def check(made: dict, lines: list[dict]) -> None:
    """Check that every signature is valid, and that a repeated message has the same id and body."""
    verifier = Webhook(made["secret"])
    bodies = defaultdict(set)
    for line in lines:
        body = base64.b64decode(line["body"])
        verifier.verify(body, line["headers"])
        bodies[line["headers"]["webhook-id"]].add(body)
    assert all(len(same) == 1 for same in bodies.values())
    events = [json.loads(next(iter(same))) for same in bodies.values()]
    assert len({one["sku"] for one in events if one["event_type"] == "product_created"}) == ROWS
    assert [one["event_type"] for one in events if "sku" not in one] == ["import_completed"]
    faults = [line["status"] for line in lines if line["status"] != 200]
    assert 0 in faults and 500 in faults, "no attempt has failed, so the test has checked nothing"
