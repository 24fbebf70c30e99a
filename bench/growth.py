"""Measure whether ten times the rows take ten times as long and no more memory."""

from dataclasses import dataclass
from itertools import count

from bench.catalogue import Catalogue
from bench.memory import Peak
from bench.results import Section, median, ratio
from bench.subject import Subject

ROUNDS = 3
# Larger files are imported into a full catalogue only once: each leaves minutes of work for the text index.
LARGEST_IN_ROUNDS = 500_000
SMALLEST = 50_000

NOTE = """All rows new, each size in turn, median of three; more than 500,000 into a full catalogue once. The full
catalogue has {rows:,} products, and the keys of the new rows are between theirs. The last column is the median of
each turn's ratio to the size before. Memory is the peak of the anonymous memory of the process and its children,
sampled twenty times a second; what they share is counted once. It is without libraries and other files. The summary
has the highest peak of all imports of a size. `IMPORT_WRITERS` is the default, 2."""
EMPTY, FULL = "an empty catalogue", "a full catalogue"


@dataclass(frozen=True)
class Run:
    """The seconds of one import, and the peak memory in MB."""

    seconds: float
    worker: float
    web: float


def measure(subject: Subject) -> Section:
    """Import catalogues of growing size, one after the other again and again."""
    head = ("rows", "into", "s", "µs a row", "worker, MB", "web, MB", "to the size before")
    section = Section("Growth", NOTE.format(rows=subject.rows), head)
    empty: dict[int, list[Run]] = {rows: [] for rows in sizes(subject.rows)}
    full: dict[int, list[Run]] = {rows: [] for rows in empty}
    for _ in range(ROUNDS):
        for rows, runs in empty.items():
            runs.append(into_empty(subject, rows))
    # The largest of them, imported last, is the full catalogue.
    suffixes = (f"-{number}" for number in count())
    for turn in range(ROUNDS):
        for rows, runs in full.items():
            if rows <= LARGEST_IN_ROUNDS or turn == ROUNDS - 1:
                runs.append(into_full(subject, rows, next(suffixes)))
    note(section, EMPTY, empty)
    note(section, FULL, full)
    note_memory(section, {rows: empty[rows] + full[rows] for rows in empty})
    return section


def into_empty(subject: Subject, rows: int) -> Run:
    subject.empty()
    return run(subject, Catalogue(rows))


def into_full(subject: Subject, rows: int, suffix: str) -> Run:
    """Import SKUs that lie evenly between those of the full catalogue; products of earlier runs stay."""
    subject.settle()
    return run(subject, Catalogue(rows, suffix=suffix, spread=subject.rows // rows))


def sizes(rows: int) -> list[int]:
    """Return the sizes from the smallest to `rows`, each ten times the one before."""
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


def note(section: Section, into: str, measured: dict[int, list[Run]]) -> None:
    """Add a line for each size; add the ratio of the two largest to the summary."""
    before: list[Run] = []
    for rows, runs in measured.items():
        seconds = median(run.seconds for run in runs)
        worker, web = median(run.worker for run in runs), median(run.web for run in runs)
        figures = (f"{seconds:.2f}", f"{seconds / rows * 1e6:.1f}", f"{worker:.0f}", f"{web:.0f}")
        section.lines.append((f"{rows:,}", into, *figures, f"{times(runs, before):.1f}" if before else ""))
        before = runs
    few, many = section.lines[-2:]
    what = f"{many[0]} rows into {into}"
    section.summary.append((what, f"{many[2]} s", f"{few[0]} rows: {few[2]} s", f"{many[6]} × as long"))


def note_memory(section: Section, measured: dict[int, list[Run]]) -> None:
    """Add the worker's highest peaks of the two largest sizes to the summary."""
    few, many = list(measured)[-2:]
    least, most = (max(run.worker for run in measured[rows]) for rows in (few, many))
    cells = (f"{most:.0f} MB", f"{few:,} rows: {least:.0f} MB", f"{most / least:.2f} × as much")
    section.summary.append((f"peak anonymous memory of the worker, {many:,} rows", *cells))


def times(runs: list[Run], before: list[Run]) -> float:
    """Return how many times as long the runs took as those of the size before, pairing the last rounds."""
    turns = min(len(runs), len(before))
    return ratio([run.seconds for run in runs[-turns:]], [run.seconds for run in before[-turns:]])
