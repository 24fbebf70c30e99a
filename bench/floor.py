"""Compare with psql alone: the same file into the same table, in turn with ours."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench import processes
from bench.catalogue import Catalogue
from bench.psql import Psql, empty_both
from bench.results import Section, median, ratio
from bench.subject import Subject

ROUNDS = 3

NOTE = f"""Seconds from the upload's first byte to `completed`, compared with `psql`: `\\copy` into an unlogged table
and one `INSERT … SELECT DISTINCT ON … ON CONFLICT … DO UPDATE … WHERE … IS DISTINCT FROM` into the same table of
products, which has only its two keys there. Measured in turn, median of {ROUNDS}; ratios are medians of each turn's
ratio. Before each run of both the text index has caught up, and a `CHECKPOINT` is made, after which PostgreSQL writes
every page that changes to its log as a whole; `psql` changes every page even for unchanged rows, because it locks
them. So these are measured without a `CHECKPOINT`, too; there the quicker of two runs of `psql` counts. `psql` checks
no row, counts nothing, cannot continue after a crash, and prepares nothing for search. The last two columns are
PostgreSQL's processor time."""
HEAD = ("file", "Product Importer, s", "psql, s", "ratio", "PostgreSQL's CPU, s", "for psql, s")


class Turn(NamedTuple):
    """A kind of file, and whether both sides make a checkpoint before."""

    name: str
    path: Path
    checkpoint: bool = True


class Taken(NamedTuple):
    """The seconds of one import both ways, and PostgreSQL's processor seconds."""

    ours: float
    psql: float
    ours_cpu: float
    psql_cpu: float


def measure(subject: Subject) -> Section:
    """Measure five kinds of files, ours and psql in turn."""
    psql = Psql(subject)
    taken: dict[str, list[Taken]] = {}
    for _ in range(ROUNDS):
        for turn in turns(subject, psql):
            taken.setdefault(turn.name, []).append(both(subject, psql, turn))
    section = Section("Compared with psql", NOTE, HEAD)
    for name, pairs in taken.items():
        note(section, name, pairs)
    ours, others, *_ = zip(*taken["all new"], strict=True)
    section.bars.append(("psql alone", ratio(ours, others)))
    return section


def note(section: Section, name: str, pairs: list[Taken]) -> None:
    """Add a line, and one of the summary."""
    ours, others, ours_cpu, psql_cpu = zip(*pairs, strict=True)
    cells = (f"{median(ours):.2f}", f"{median(others):.2f}", f"{ratio(ours, others):.2f}")
    section.lines.append((name, *cells, f"{median(ours_cpu):.2f}", f"{median(psql_cpu):.2f}"))
    section.summary.append((f"import, {name}", f"{cells[0]} s", f"psql: {cells[1]} s", f"{cells[2]} × as long"))


def both(subject: Subject, psql: Psql, turn: Turn) -> Taken:
    """Import a file both ways.

    Ours comes last: if the catalogue is emptied next, nothing waits for the text index.
    """
    with subject.connect() as connection:
        server = processes.postgres(connection)
        subject.settle(turn.checkpoint)
        began = processes.processor_seconds(server)
        theirs = psql.run(turn.path)
        psql_cpu = processes.processor_seconds(server) - began
        if not turn.checkpoint:
            # The first may be the first to change a page since the server's own last checkpoint.
            theirs = min(theirs, psql.run(turn.path))
        subject.settle(turn.checkpoint)
        began = processes.processor_seconds(server)
        ours = subject.run(turn.path).seconds
        return Taken(ours, theirs, processes.processor_seconds(server) - began, psql_cpu)


def turns(subject: Subject, psql: Psql) -> Iterator[Turn]:
    """Yield each file when the catalogue is ready for it. The order avoids waiting for the text index."""
    rows = subject.rows
    empty_both(subject, psql)
    yield Turn("all new", Catalogue(rows).file())
    yield Turn("all unchanged", Catalogue(rows).file())
    yield Turn("all unchanged, no `CHECKPOINT` before", Catalogue(rows).file(), checkpoint=False)
    yield Turn("10% changed", Catalogue(rows, revised=0.1).file())
    yield Turn("all changed", Catalogue(rows, revised=1, edition=2).file())
    empty_both(subject, psql)
    yield Turn("all new, 5% twice in the file", Catalogue(rows, repeated=0.05).file())
