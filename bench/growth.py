"""Whether ten times the rows cost ten times the time and no more memory, in an empty catalogue and in a full one."""

from dataclasses import dataclass
from itertools import count

from bench.catalogue import Catalogue
from bench.memory import Peak
from bench.results import Section, median
from bench.subject import Subject

ROUNDS = 3
# Larger ones are imported once into a full catalogue, where each leaves minutes of work to the text index.
LARGEST_IN_ROUNDS = 500_000
SMALLEST = 50_000

NOTE = """All rows new, median of three; more than 500,000 into a full catalogue once. That holds {rows:,}
products, and the keys of the new ones lie between theirs. Memory is the peak of the process and its children,
sampled every 0.2 s; what processes share is counted once."""


@dataclass(frozen=True)
class Run:
    """What one import cost."""

    seconds: float
    worker: float
    web: float


def measure(subject: Subject) -> Section:
    """Import catalogues of growing size."""
    head = ("rows", "into", "s", "µs a row", "worker, MB", "web, MB")
    section = Section("Growth", NOTE.format(rows=subject.rows), head)
    for rows in sizes(subject.rows):
        note(section, rows, "an empty one", [into_empty(subject, rows) for _ in range(ROUNDS)])
    # The largest of them, imported last, is the full catalogue.
    suffixes = (f"-{number}" for number in count())
    for rows in sizes(subject.rows):
        rounds = ROUNDS if rows <= LARGEST_IN_ROUNDS else 1
        runs = [into_full(subject, rows, next(suffixes)) for _ in range(rounds)]
        note(section, rows, "a full catalogue", runs)
    summarise(section)
    return section


def into_empty(subject: Subject, rows: int) -> Run:
    subject.empty()
    return run(subject, Catalogue(rows))


def into_full(subject: Subject, rows: int, suffix: str) -> Run:
    """Import what lies evenly between the keys of the full catalogue; what earlier runs added stays there."""
    subject.settle()
    return run(subject, Catalogue(rows, suffix=suffix, spread=subject.rows // rows))


def sizes(rows: int) -> list[int]:
    """Return the sizes from the smallest to what was asked for, ten times the one before."""
    found = [min(SMALLEST, rows // 10 or 1)]
    while found[-1] * 10 < rows:
        found.append(found[-1] * 10)
    return [*found, rows]


def run(subject: Subject, catalogue: Catalogue) -> Run:
    path = catalogue.file()
    with Peak(subject.application.data) as peak:
        done = subject.run(path)
    assert done.job["created"] == catalogue.rows, done.job
    return Run(done.seconds, peak.megabytes["worker"], peak.megabytes["web"])


def note(section: Section, rows: int, into: str, runs: list[Run]) -> None:
    seconds = median(run.seconds for run in runs)
    worker, web = median(run.worker for run in runs), median(run.web for run in runs)
    figures = (f"{seconds:.2f}", f"{seconds / rows * 1e6:.1f}", f"{worker:.0f}", f"{web:.0f}")
    section.lines.append((f"{rows:,}", into, *figures))


def summarise(section: Section) -> None:
    """Compare the smallest import with the largest: first and last line of each half."""
    half = len(section.lines) // 2
    for lines in (section.lines[:half], section.lines[half:]):
        few, many = lines[0], lines[-1]
        what = f"time of a row, {many[0]} rows into {many[1]}"
        section.summary.append((what, f"{many[3]} µs", f"{few[0]} rows: {few[3]} µs", _parts(many[3], few[3])))
    few, many = section.lines[0], section.lines[half - 1]
    what = f"memory of the worker, {many[0]} rows"
    section.summary.append((what, f"{many[4]} MB", f"{few[0]} rows: {few[4]} MB", _parts(many[4], few[4])))


def _parts(figure: str, other: str) -> str:
    return f"{float(figure) / float(other):.2f} × as much"
