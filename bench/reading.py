"""Measure the phases of an import from outside, and the processor time of the worker and of PostgreSQL.

Reading is the worker's part: it decodes, checks and sorts the rows. Merging is that of both.
"""

import csv
import time
from dataclasses import dataclass
from pathlib import Path

from bench import processes
from bench.catalogue import Catalogue
from bench.results import Section, median
from bench.subject import Subject, send
from product_importer.imports.models import FINAL

ROUNDS = 3
LOOK_SECONDS = 0.005

NOTE = """Seconds of each phase that the import's row shows, looked at every {look:.0f} ms; "accepted" is the 202,
"picked up" the wait for a worker. Processor seconds are those of all processes of the worker and of PostgreSQL until
`completed`. Median of {rounds}. For comparison, `csv.reader` alone takes {alone:.2f} s of one processor to read the
file."""
HEAD = (
    "file",
    "accepted, s",
    "picked up, s",
    "reading, s",
    "merging, s",
    "whole, s",
    "worker's CPU, s",
    "PostgreSQL's CPU, s",
)


@dataclass(frozen=True)
class Course:
    """The seconds of one import by phase, of the whole, and of the processors."""

    phases: dict[str, float]
    whole: float
    worker: float
    server: float

    def cells(self) -> tuple[float, ...]:
        """Return the figures in the order of HEAD."""
        shown = (self.phases.get(phase, 0.0) for phase in ("accepted", "waiting", "reading", "merging"))
        return (*shown, self.whole, self.worker, self.server)


def measure(subject: Subject) -> Section:
    """Measure three kinds of files."""
    files = {
        "all new": Catalogue(subject.rows),
        "all unchanged": Catalogue(subject.rows),
        "all changed": Catalogue(subject.rows, revised=1, edition=2),
    }
    courses: dict[str, list[Course]] = {name: [] for name in files}
    for _ in range(ROUNDS):
        subject.empty()
        for name, catalogue in files.items():
            subject.settle()
            courses[name].append(follow_phases(subject, catalogue.file()))
    alone = median(_read_alone(files["all new"].file()) for _ in range(ROUNDS))
    section = Section("Phases", NOTE.format(look=LOOK_SECONDS * 1000, rounds=ROUNDS, alone=alone), HEAD)
    for name, runs in courses.items():
        figures = zip(*(run.cells() for run in runs), strict=True)
        section.lines.append((name, *(f"{median(values):.2f}" for values in figures)))
    return section


def follow_phases(subject: Subject, path: Path) -> Course:
    """Import a file, and note when each phase begins."""
    worker = processes.roots(subject.application.data)["worker"]
    with subject.connect() as connection, connection.cursor() as cursor:
        roots = (worker, processes.postgres(connection))
        before = [processes.processor_seconds(root) for root in roots]
        seen = {"accepted": time.monotonic()}
        job_id = send(subject.application.url, path)
        seen["waiting"] = time.monotonic()
        status = ""
        while status not in FINAL:
            time.sleep(LOOK_SECONDS)
            cursor.execute("SELECT status, phase FROM import_job WHERE id = %s", (job_id,))
            status, phase = cursor.fetchone()
            seen.setdefault(phase, time.monotonic())
        after = [processes.processor_seconds(root) for root in roots]
    job = subject.application.job(job_id)
    assert job["status"] == "completed", job
    began = list(seen.values())
    phases = {name: end - begin for name, begin, end in zip(seen, began, began[1:], strict=False)}
    taken = [end - begin for begin, end in zip(before, after, strict=True)]
    return Course(phases, began[-1] - began[0], *taken)


def _read_alone(path: Path) -> float:
    """Return the processor seconds of `csv.reader` for a file."""
    began = time.process_time()
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file, strict=True):
            pass
    return time.process_time() - began
