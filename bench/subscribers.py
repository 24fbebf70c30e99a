"""Measure how much webhooks slow an import down: it should not wait for them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from bench.catalogue import Catalogue
from bench.results import Section, median, ratio
from bench.subject import Subject
from bench.webhooks import count, receiver
from tests.waiting import wait_for

ROUNDS = 3
MAX_ROWS = 50_000
MANY = 1_000

NOTE = """All rows new: seconds of the import without webhooks, with {many:,} webhooks that want
`import_completed`, and with one that wants an event for each product. Measured in turn, median of {rounds}. The
messages are sent after the import."""


def measure(subject: Subject) -> Section:
    """Import without webhooks, with many, and with one that gets every product event."""
    catalogue = Catalogue(min(MAX_ROWS, subject.rows))
    kinds: dict[str, Callable[[], AbstractContextManager]] = {
        "none": nullcontext,
        f"{MANY:,} webhooks for `import_completed`": lambda: _summaries(subject),
        "one webhook for each product": lambda: _each(subject),
    }
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind, subscribed in kinds.items():
            subject.empty()
            with subscribed() as log:
                subject.settle()
                taken[kind].append(subject.run(catalogue.file()).seconds)
                if kind.startswith(f"{MANY:,}"):
                    wait_for(lambda log=log: count(log) >= MANY, 120, "every message has arrived")  # type: ignore[misc]
    return _section(catalogue.rows, taken)


def _section(rows: int, taken: dict[str, list[float]]) -> Section:
    section = Section("Subscribers", NOTE.format(many=MANY, rounds=ROUNDS), ("webhooks", "s", "ratio"))
    nobody = taken["none"]
    for kind, seconds in taken.items():
        cells = (f"{median(seconds):.2f}", f"{ratio(seconds, nobody):.2f}")
        section.lines.append((kind, *cells))
        if seconds is not nobody:
            beside = f"no webhooks: {median(nobody):.2f} s"
            section.summary.append(
                (f"import of {rows:,} rows, {kind}", f"{cells[0]} s", beside, f"{cells[1]} × as long")
            )
    return section


def _summaries(subject: Subject) -> AbstractContextManager:
    return receiver(subject.application, MANY, takes=0, event_types=["import_completed"])


def _each(subject: Subject) -> AbstractContextManager:
    events = ["product_created", "product_updated"]
    return receiver(subject.application, 1, takes=0, event_types=events, import_events="each")
