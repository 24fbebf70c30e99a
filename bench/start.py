"""Measure the time from a start until everything answers, including a worker, with the page already built."""

import time

from bench.results import Section, median, ratio
from bench.subject import Subject
from tests.application import Application

ROUNDS = 3

NOTE = f"""Seconds from `python -m product_importer up` until `/api/ready` answers 200. Cold: in an empty `DATA_DIR`,
where PostgreSQL's cluster is created and migrated first. Warm: in the same folder again. The page was built before.
Median of {ROUNDS}."""


def measure(subject: Subject) -> Section:
    """Start twice in a folder, several times."""
    # Build the page now, outside the measurement.
    subject.application.is_ready()
    subject.close()
    cold, warm = zip(*(_starts() for _ in range(ROUNDS)), strict=True)
    section = Section("Start", NOTE, ("start", "s"))
    section.lines = [("cold", f"{median(cold):.2f}"), ("warm", f"{median(warm):.2f}")]
    cells = (f"{median(warm):.2f} s", f"cold: {median(cold):.2f} s", f"{ratio(warm, cold):.2f} × as long")
    section.summary = [("start, warm", *cells)]
    return section


def _starts() -> tuple[float, float]:
    application = Application(WORKERS="1")
    try:
        return _start(application), _start(application)
    finally:
        application.remove()


def _start(application: Application) -> float:
    began = time.monotonic()
    try:
        application.start()
        return time.monotonic() - began
    finally:
        application.stop()
