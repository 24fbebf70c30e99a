"""Compare with other tools that import the same file, each used as its documentation says."""

import time
import traceback
from dataclasses import dataclass, field

from bench.catalogue import Catalogue
from bench.peers.known import PEERS
from bench.peers.peer import Peer, install
from bench.results import Section, median
from bench.subject import Subject

ROUNDS = 3
DATABASE = "bench_peers"
OURS = "Product Importer"

NOTE = f"""Rows per second into an empty catalogue, and of the same file again. Each tool works on the same server, in
its own database and its own environment. Slow tools get fewer rows. dlt, Sling and pgmerge fill a table with the
file's three columns and the SKU as its only key, as they usually work; that is less than ours. The others fill the
same table as ours. Their seconds are from opening the file to the last commit; for a library, without the start of
the interpreter. Ours are from the upload's first byte to `completed`. Measured in turn, median of {ROUNDS}; the last
column is the median of each turn's ratio of ours to theirs, all rows new. Each tool checks and counts different
things, and none does everything that ours does."""


@dataclass
class Turns:
    """A tool's rows per second in each turn, or why it failed."""

    peer: Peer
    new: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    reason: str | None = None

    def attempt(self, subject: Subject) -> None:
        """Run the tool once. A tool that has failed is not run again."""
        if self.reason is None:
            try:
                new, again = turn(subject, self.peer)
                self.new.append(new)
                self.again.append(again)
            except Exception as error:  # noqa: BLE001 - the others are measured all the same
                traceback.print_exc()
                self.reason = _last_line(error)


def measure(subject: Subject) -> Section:
    """Run all tools in turn."""
    everyone = [Turns(peer) for peer in PEERS]
    for turns in everyone:
        turns.reason = _installed(turns.peer)
    new, again = [], []
    for _ in range(ROUNDS):
        ours = ours_in_turn(subject)
        new.append(ours[0])
        again.append(ours[1])
        for turns in everyone:
            turns.attempt(subject)
    return _section(subject.rows, new, again, everyone)


def ours_in_turn(subject: Subject) -> tuple[float, float]:
    """Return our rows per second: all new, and the same file again."""
    path = Catalogue(subject.rows).file()
    subject.empty()
    new = subject.run(path).seconds
    subject.settle()
    again = subject.run(path).seconds
    return subject.rows / new, subject.rows / again


def turn(subject: Subject, peer: Peer) -> tuple[float, float]:
    """Return a tool's rows per second: all new, and the same file again.

    Raises:
        RuntimeError: it failed, or not every row arrived.
    """
    catalogue = Catalogue(min(peer.max_rows, subject.rows))
    subject.database(DATABASE)
    rates = []
    with subject.connect(DATABASE) as connection:
        cursor = connection.cursor()
        cursor.execute(peer.prepare or "SELECT")
        for _ in range(2):
            subject.settle()
            rates.append(catalogue.rows / peer.run(catalogue.file(), subject.socket, DATABASE))
            cursor.execute(f"SELECT count(*) FROM {peer.table}")
            arrived = cursor.fetchone()[0]
            if arrived != catalogue.rows:
                raise RuntimeError(f"{arrived:,} of {catalogue.rows:,} rows arrived")
    print(f"  {peer.name}: {rates[0]:,.0f} and {rates[1]:,.0f} rows/s", flush=True)
    return rates[0], rates[1]


def _installed(peer: Peer) -> str | None:
    """Install a tool; return the error, None on success."""
    began = time.monotonic()
    try:
        install(peer)
    except Exception as error:  # noqa: BLE001 - the others are measured all the same
        return _last_line(error)
    print(f"  {peer.name} is there ({time.monotonic() - began:.0f} s)", flush=True)
    return None


def _section(rows: int, new: list[float], again: list[float], everyone: list[Turns]) -> Section:
    section = Section(
        "Compared with other tools", NOTE, ("tool", "how", "rows", "new, rows/s", "again, rows/s", "ours to it")
    )
    section.lines.append((OURS, "this program", f"{rows:,}", f"{median(new):,.0f}", f"{median(again):,.0f}", "1.0"))
    section.bars.append((OURS, 1.0))
    for turns in everyone:
        peer = turns.peer
        if turns.reason:
            section.lines.append((peer.title, peer.how, "", f"failed: {turns.reason}", "", ""))
            continue
        rate, times = median(turns.new), median(ours / its for ours, its in zip(new, turns.new, strict=True))
        cells = (f"{min(rows, peer.max_rows):,}", f"{rate:,.0f}", f"{median(turns.again):,.0f}", f"{times:.1f}")
        section.lines.append((peer.title, peer.how, *cells))
        ours = f"{median(new):,.0f} rows/s"
        section.summary.append(
            (f"import, all new, compared with {peer.title}", ours, f"{rate:,.0f} rows/s", f"{cells[3]} × as fast")
        )
        section.bars.append((peer.title, rate / median(new)))
    return section


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1][:200].replace("|", "/")
