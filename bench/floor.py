"""Compare with the floor: the same file into the same table with psql alone, in turn with ours.

This is what one would write by hand. It validates no row, counts nothing, sends no events and maintains no search
index: an import that takes as long costs only what PostgreSQL needs for the rows.
"""

from collections.abc import Iterator
from pathlib import Path

from bench.catalogue import Catalogue
from bench.results import Section, median, ratio
from bench.subject import Subject

ROUNDS = 3

# Ours is measured with all its features. The floor gets what makes it fastest:
# * the whole file in one staging table without WAL, and one statement in one transaction;
# * ids that are cheap to make and, ascending in the order of insertion, cheap to index: the server's own
#   gen_random_uuid() costs 5 µs each in this build, and random ids a random page of the primary key;
# * enough memory to sort the file in one go.
# The last row of a key wins. In a table without updates ctid follows the order of the file.
SCRIPT = r"""
SET work_mem = '256MB';
CREATE TEMP TABLE staging (sku text, name text, description text);
\copy staging FROM '{path}' WITH (FORMAT csv, HEADER)
INSERT INTO product AS held (id, sku, sku_key, name, description)
SELECT (prefix || lpad(to_hex(row_number() OVER ()), 12, '0'))::uuid, sku, sku_key, name, description
FROM (
    SELECT DISTINCT ON (lower(btrim(sku)) COLLATE "C")
        btrim(sku) AS sku, lower(btrim(sku)) AS sku_key, name, description
    FROM staging ORDER BY lower(btrim(sku)) COLLATE "C", ctid DESC
) AS incoming, (
    SELECT lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '70008000' AS prefix
) AS now
ON CONFLICT (sku_key) DO UPDATE
SET name = excluded.name, description = excluded.description, version = held.version + 1, updated_at = now()
WHERE (held.name, held.description) IS DISTINCT FROM (excluded.name, excluded.description);
"""

NOTE = f"""Seconds from the upload's first byte to `completed`, compared with `psql`: `\\copy` into a temporary
table and one `INSERT … SELECT DISTINCT ON … ON CONFLICT … DO UPDATE … WHERE … IS DISTINCT FROM` into the same table
of products, which has only its two keys there. Measured in turn, median of {ROUNDS}; ratios are medians of each
turn's ratio. `psql` checks no row, counts nothing, cannot continue after a crash, and prepares nothing for search."""


def measure(subject: Subject) -> Section:
    """Measure five kinds of files, ours and psql in turn."""
    floor = subject.database("bench_floor")
    taken: dict[str, list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        for name, path in turns(subject, floor):
            taken.setdefault(name, []).append(turn(subject, floor, path))
    section = Section("Compared with psql", NOTE, ("file", "Product Importer, s", "psql, s", "ratio"))
    for name, pairs in taken.items():
        ours, others = zip(*pairs, strict=True)
        cells = (f"{median(ours):.2f}", f"{median(others):.2f}", f"{ratio(ours, others):.2f}")
        section.lines.append((name, *cells))
        section.summary.append((f"import, {name}", f"{cells[0]} s", f"psql: {cells[1]} s", f"{cells[2]} × as long"))
    section.bars.append(("psql alone", ratio(*zip(*taken["all new"], strict=True))))
    return section


def turn(subject: Subject, floor: str, path: Path) -> tuple[float, float]:
    """Import a file both ways; return the seconds of both.

    Ours comes last: if the catalogue is emptied next, nothing waits for the text index.
    """
    subject.settle()
    theirs = subject.psql(floor, SCRIPT.format(path=path))
    subject.settle()
    return subject.run(path).seconds, theirs


def empty(subject: Subject, floor: str) -> None:
    """Delete every product on both sides."""
    subject.empty()
    with subject.connect(floor) as connection:
        connection.cursor().execute("TRUNCATE product")


def turns(subject: Subject, floor: str) -> Iterator[tuple[str, Path]]:
    """Yield each file when the catalogue is ready for it. The order avoids waiting for the text index."""
    rows = subject.rows
    empty(subject, floor)
    yield "all new", Catalogue(rows).file()
    yield "all unchanged", Catalogue(rows).file()
    yield "10% changed", Catalogue(rows, revised=0.1).file()
    yield "all changed", Catalogue(rows, revised=1, edition=2).file()
    empty(subject, floor)
    yield "all new, 5% twice in the file", Catalogue(rows, repeated=0.05).file()
