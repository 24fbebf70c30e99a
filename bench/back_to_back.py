"""Compare imports one directly after the other with psql doing the same: the text index is built meanwhile."""

from bench.catalogue import Catalogue
from bench.psql import Psql, empty_both
from bench.results import Section, median, ratio
from bench.subject import Subject

ROUNDS = 3
ALL = "all four"

NOTE = f"""Four files one directly after the other, into a catalogue that is empty at first: nothing waits for the
text index, for PostgreSQL's vacuum or for a checkpoint. Beside it `psql` with the same files, as above, which builds
no text index. In turn; seconds from the upload's first byte to `completed`, median of {ROUNDS}; ratios are medians of
each turn's ratio."""


def measure(subject: Subject) -> Section:
    """Measure the four files in a row, psql and ours in turn."""
    psql = Psql(subject)
    files = sequence(subject.rows)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in (*files, ALL)}
    for _ in range(ROUNDS):
        empty_both(subject, psql)
        theirs = [psql.run(catalogue.file()) for catalogue in files.values()]
        subject.settle()
        ours = [subject.run(catalogue.file()).seconds for catalogue in files.values()]
        for name, pair in zip(taken, zip([*ours, sum(ours)], [*theirs, sum(theirs)], strict=True), strict=True):
            taken[name].append(pair)
    section = Section("Back to back", NOTE, ("file", "Product Importer, s", "psql, s", "ratio"))
    for name, pairs in taken.items():
        mine, others = zip(*pairs, strict=True)
        cells = (f"{median(mine):.2f}", f"{median(others):.2f}", f"{ratio(mine, others):.2f}")
        section.lines.append((name, *cells))
        what = f"imports back to back, {name}"
        section.summary.append((what, f"{cells[0]} s", f"psql: {cells[1]} s", f"{cells[2]} × as long"))
    return section


def sequence(rows: int) -> dict[str, Catalogue]:
    """Return the files, each made now, so that making one takes nothing from an import."""
    files = {
        "all new": Catalogue(rows),
        "all unchanged": Catalogue(rows),
        "10% changed": Catalogue(rows, revised=0.1),
        "all changed": Catalogue(rows, revised=1, edition=2),
    }
    for catalogue in files.values():
        catalogue.file()
    return files
