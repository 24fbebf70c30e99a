"""Measure small imports: 50,000 rows beside psql, and 20 rows into a large catalogue."""

import time

from bench.catalogue import Catalogue
from bench.psql import Psql, empty_both
from bench.results import Section, median, ratio
from bench.subject import Subject

SMALL = 50_000
ROUNDS = 5
TINY = 20
TIMES = 20
# Between two tiny imports, so that a worker waits for each.
PAUSE_SECONDS = 0.3

NOTE = """Seconds from the upload's first byte to `completed`, compared with `psql` as above. {small:,} rows, into a
catalogue that is empty at first: median of {rounds}, in turn. {tiny} new rows into a catalogue of {rows:,} products,
between its keys, with a worker that waits: p50 of {times}; the slowest took {slowest:.0f} ms. A client follows the
import by its events, as the page does, so that no polling counts."""


def measure(subject: Subject) -> Section:
    """Measure the small imports, then the tiny ones."""
    psql = Psql(subject)
    small = min(SMALL, subject.rows)
    taken = small_imports(subject, psql, small)
    ours, theirs = tiny_imports(subject, psql)
    note = NOTE.format(
        small=small,
        rounds=ROUNDS,
        tiny=TINY,
        rows=subject.rows,
        times=TIMES,
        slowest=max(ours) * 1000,
    )
    section = Section("Small imports", note, ("file", "Product Importer", "psql", "ratio"))
    for name, pairs in taken.items():
        mine, others = zip(*pairs, strict=True)
        times = (f"{median(mine):.2f} s", f"{median(others):.2f} s")
        section.lines.append((f"{small:,} rows, {name}", *times, f"{ratio(mine, others):.2f}"))
    times = (f"{median(ours) * 1000:.0f} ms", f"{median(theirs) * 1000:.0f} ms")
    section.lines.append((f"{TINY} rows, all new, into {subject.rows:,}", *times, f"{ratio(ours, theirs):.2f}"))
    section.summary = [
        (f"import, {name}", mine, f"psql: {others}", f"{times} × as long")
        for name, mine, others, times in section.lines
    ]
    return section


def small_imports(subject: Subject, psql: Psql, rows: int) -> dict[str, list[tuple[float, float]]]:
    """Return the seconds of ours and of psql in each turn, by kind of file."""
    files = {
        "all new": Catalogue(rows),
        "all unchanged": Catalogue(rows),
        "all changed": Catalogue(rows, revised=1, edition=2),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in files}
    for _ in range(ROUNDS):
        empty_both(subject, psql)
        for name, catalogue in files.items():
            path = catalogue.file()
            subject.settle()
            theirs = psql.run(path)
            subject.settle()
            taken[name].append((subject.run(path).seconds, theirs))
    return taken


def tiny_imports(subject: Subject, psql: Psql) -> tuple[list[float], list[float]]:
    """Return the seconds of ours and of psql, into catalogues of `subject.rows` products."""
    full = Catalogue(subject.rows)
    psql.empty()
    psql.run(full.file())
    subject.hold(full)
    # One more: the first is not counted.
    files = [Catalogue(TINY, suffix=f"-{n}", spread=subject.rows // TINY).file() for n in range(TIMES + 1)]
    pairs = []
    for path in files:
        theirs = psql.run(path)
        time.sleep(PAUSE_SECONDS)
        done = subject.run(path)
        assert done.job["created"] == TINY, done.job
        pairs.append((done.seconds, theirs))
    ours, others = zip(*pairs[1:], strict=True)
    return list(ours), list(others)
