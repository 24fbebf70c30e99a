"""Measure the upload rate on loopback, and the latency of other requests meanwhile."""

import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import httpx

from bench.catalogue import Catalogue
from bench.results import Section, median, ratio
from bench.subject import Subject, send, sent_bytes
from tests.waiting import wait_for

ROUNDS = 5
FILE_ROWS = 50_000
MEGABYTES_A_THOUSAND_ROWS = 1
PACE_SECONDS = 0.01
ALONE_SECONDS = 2
FINAL = ("completed", "failed", "cancelled")

NOTE = """One upload of {megabytes:,.0f} MB from a separate process, until its 202: it is stored, hashed and checked
meanwhile; then the import is cancelled. During the upload, and for as long without one, another client requests the
first page of products a hundred times a second. Measured in turn, median of {rounds}."""


def measure(subject: Subject) -> Section:
    """Upload files, and request products at the same time."""
    path = Catalogue(FILE_ROWS).file()
    subject.hold(Catalogue(FILE_ROWS))
    copies = max(1, round(subject.rows / 1000 * MEGABYTES_A_THOUSAND_ROWS * 1e6 / path.stat().st_size))
    size = sent_bytes(path, copies) / 1e6
    rates, alone, beside = [], [], []
    url = subject.application.url
    # A process of its own: in this one the upload and the requests would share the interpreter lock.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(time.sleep, 0).result()
        for _ in range(ROUNDS):
            alone.append(_p95(_request_until(url, threading.Timer(ALONE_SECONDS, int))))
            upload = pool.submit(partial(timed_send, url, path, copies))
            beside.append(_p95(_request_until(url, threading.Thread(target=upload.result))))
            seconds, job_id = upload.result()
            rates.append(size / seconds)
            _cancel(subject, job_id)
    section = Section("Upload", NOTE.format(megabytes=size, rounds=ROUNDS), ("what", "measured"))
    section.lines = [
        ("upload on loopback", f"{median(rates):,.0f} MB/s"),
        ("p95 of another request meanwhile", f"{median(beside):.1f} ms"),
        ("p95 of that request alone", f"{median(alone):.1f} ms"),
    ]
    cells = (f"{median(beside):.1f} ms", f"without: {median(alone):.1f} ms", f"{ratio(beside, alone):.1f} × as long")
    section.summary = [(f"another request's p95 during an upload at {median(rates):,.0f} MB/s", *cells)]
    return section


def timed_send(url: str, path: Path, copies: int) -> tuple[float, str]:
    began = time.monotonic()
    job_id = send(url, path, copies)
    return time.monotonic() - began, job_id


def _request_until(url: str, other: threading.Thread) -> list[float]:
    """Request products a hundred times a second until a thread ends; return the latencies in milliseconds."""
    taken: list[float] = []
    with httpx.Client(base_url=url, timeout=30) as client:
        client.get("/api/products")
        other.start()
        while other.is_alive() or not taken:
            began = time.perf_counter()
            client.get("/api/products").raise_for_status()
            taken.append((time.perf_counter() - began) * 1000)
            time.sleep(max(0.0, PACE_SECONDS - taken[-1] / 1000))
    return taken


def _p95(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)]


def _cancel(subject: Subject, job_id: str) -> None:
    application = subject.application
    application.client.post(f"/api/jobs/{job_id}/cancel")
    wait_for(lambda: application.job(job_id)["status"] in FINAL, 600, "the import has been cancelled")
    subject.settle()
