"""Measure deliveries per second to a receiver that takes 50 ms, and the delay of first attempts."""

import base64
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.results import Section
from bench.subject import Subject
from product_importer.webhooks.delivery.queue import MAX_IN_FLIGHT_PER_WEBHOOK
from tests.application import ROOT, Application, free_port
from tests.waiting import wait_for

WEBHOOKS = (1, 10, 100)
DELIVERIES = 2_000
TAKES_SECONDS = 0.05
PACE = 100
PACED_SECONDS = 10

NOTE = f"""To a receiver on loopback that takes {TAKES_SECONDS:g} s for each message. Deliveries per second: an import
of so many products that there are {DELIVERIES:,} deliveries, one for each product and webhook. First attempts: {PACE}
products a second, created by REST for {PACED_SECONDS} s. A webhook gets at most
{MAX_IN_FLIGHT_PER_WEBHOOK} messages at once, so with such a receiver at most
{MAX_IN_FLIGHT_PER_WEBHOOK / TAKES_SECONDS:,.0f}/s."""


def measure(subject: Subject) -> Section:
    """Measure the throughput, and the delay of first attempts."""
    application = subject.application
    section = Section("Webhooks", NOTE, ("to", "measured"))
    for webhooks in WEBHOOKS:
        rate = f"{throughput(application, webhooks):,.0f} deliveries/s"
        section.lines.append((f"{webhooks} webhook{'s' * (webhooks > 1)}", rate))
    p50, p99 = delays(application)
    section.lines.append((f"first attempt after the commit, {PACE} events/s", f"p50 {p50:.2f} s, p99 {p99:.2f} s"))
    section.summary.append(("webhook deliveries, 100 webhooks", section.lines[-2][1], "", ""))
    section.summary.append(
        (f"first attempt of a delivery, {PACE} events/s", f"p50 {p50:.2f} s", f"p99 {p99:.2f} s", "")
    )
    return section


def throughput(application: Application, webhooks: int) -> float:
    """Return the deliveries per second after an import, with each product sent to each webhook."""
    products = DELIVERIES // webhooks
    with receiver(application, webhooks, event_types=["product_created"], import_events="each") as log:
        lines = (f"{webhooks}-{time.time_ns()}-{n},Name,Text" for n in range(products))
        content = "sku,name,description\n" + "\n".join(lines)
        application.finished(application.upload(content.encode()))
        wait_for(lambda: count(log) >= products * webhooks, 300, "every message has arrived")
        times = [line["at"] for line in read(log)]
    return (len(times) - 1) / (max(times) - min(times))


def delays(application: Application) -> tuple[float, float]:
    """Return the median and the 99th percentile of the seconds from an event to its first attempt."""
    with receiver(application, 1, event_types=["product_created"]) as log:
        began = time.monotonic()
        for number in range(PACE * PACED_SECONDS):
            time.sleep(max(0.0, began + number / PACE - time.monotonic()))
            made = {"sku": f"paced-{time.time_ns()}", "name": "Name"}
            application.client.post("/api/products", json=made).raise_for_status()
        wait_for(lambda: count(log) >= PACE * PACED_SECONDS, 60, "every message has arrived")
        lines = read(log)
    seconds = [line["at"] - json.loads(base64.b64decode(line["body"]))["timestamp"] for line in lines]
    return statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]


@contextmanager
def receiver(
    application: Application, webhooks: int, takes: float = TAKES_SECONDS, **given: object
) -> Iterator[Path]:
    """Run a receiver in its own process, with webhooks that send to it; yield the path of its log."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "received.jsonl"
        command = [sys.executable, "-m", "tests.webhooks.receiver", str(port), str(log), str(takes)]
        process = subprocess.Popen(command, cwd=ROOT)
        wait_for(log.exists, 10, "the receiver listens")
        try:
            made = [create(application.client, f"http://127.0.0.1:{port}/{n}", given) for n in range(webhooks)]
            yield log
            for webhook in made:
                application.client.delete(f"/api/webhooks/{webhook}").raise_for_status()
        finally:
            process.kill()
            process.wait()


def create(client: httpx.Client, url: str, given: dict[str, object]) -> str:
    return client.post("/api/webhooks", json={"url": url, **given}).raise_for_status().json()["id"]


def count(log: Path) -> int:
    return log.read_bytes().count(b"\n")


def read(log: Path) -> list[dict]:
    return [json.loads(line) for line in log.read_text().splitlines()]
