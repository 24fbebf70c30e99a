"""Measure search and paging over REST: p50 and p95, beside a sequential scan of the same rows."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice

import httpx
from psycopg2.extensions import connection as PgConnection

from bench.catalogue import Catalogue, words
from bench.results import Section, median
from bench.subject import Subject

REQUESTS = 60
# The questions whose figures go into the summary.
IN_SUMMARY = (
    "first page, no filter",
    "name, rare word",
    "description, rare word",
    "any field, rare word",
    "last page by number",
)

NOTE = """Requests to `GET /api/products`, {requests} of each kind one after the other, compared with one
sequential scan of all {rows:,} products in the same run. Just after the import, while the index was behind, {behind}.
The index had caught up {seconds:.0f} s after the import's end."""


def measure(subject: Subject) -> Section:
    """Import, search while the index is behind, then measure every kind of question."""
    subject.empty()
    subject.run(Catalogue(subject.rows).file())
    ended = time.monotonic()
    found = behind(subject.application.client)
    subject.settle()
    note = NOTE.format(requests=REQUESTS, rows=subject.rows, behind=found, seconds=time.monotonic() - ended)
    section = Section("Search and paging", note, ("question", "p50, ms", "p95, ms", "p95 in scans"))
    with subject.connect() as connection:
        section.lines = list(lines(subject.application.client, connection, subject.rows))
    scan = section.lines[0][1]
    for name, _, p95, parts in section.lines:
        if name in IN_SUMMARY:
            what = f"p95, {subject.rows:,} products, {name}"
            section.summary.append((what, f"{p95} ms", f"a sequential scan: {scan} ms", f"{parts} × as long"))
    return section


def lines(client: httpx.Client, connection: PgConnection, rows: int) -> Iterator[tuple[str, ...]]:
    """Yield a line for each kind of question: its name, p50 and p95 in milliseconds, p95 in scans."""
    scan = median(_timed(lambda: _scan(connection)) for _ in range(5))
    yield "one sequential scan, for comparison", f"{scan:.1f}", "", "1.00"
    for name, questions in _questions(rows).items():
        taken = sorted(_timed(partial(_ask, client, question)) for question in islice(cycle(questions), REQUESTS))
        p50, p95 = taken[len(taken) // 2], taken[int(len(taken) * 0.95)]
        yield name, f"{p50:.1f}", f"{p95:.1f}", f"{p95 / scan:.2f}"


def behind(client: httpx.Client) -> str:
    """Search for rare words right after an import; return a sentence with the times."""
    statuses: list[int] = []

    def ask(word: str) -> None:
        statuses.append(client.get("/api/products", params={"name": word}).status_code)

    taken = sorted(_timed(partial(ask, word)) for word in words()[-200:-190])
    failed = sum(status != httpx.codes.OK for status in statuses)
    return (
        f"searches for a rare word took {taken[len(taken) // 2]:.0f} ms (median), {taken[-1]:.0f} ms (longest); "
        f"{failed} of {len(taken)} were ended by their time limit"
    )


def _questions(rows: int) -> dict[str, list[dict[str, object]]]:
    vocabulary = words()
    common, rare = vocabulary[:20], vocabulary[-200:-180]
    last = -(-rows // 50)
    return {
        "first page, no filter": [{}],
        "name, common word": [{"name": word} for word in common],
        "name, rare word": [{"name": word} for word in rare],
        "name, part of a word": [{"name": word[1:4]} for word in vocabulary[1000:1020] if len(word) > 4],
        "name, no match": [{"name": f"qqx{word}"} for word in common],
        "description, common word": [{"description": word} for word in common],
        "description, rare word": [{"description": word} for word in rare],
        "SKU, whole": [{"sku": f"SKU-{rows * n // 21:08}"} for n in range(1, 21)],
        # Its trigrams are common: a fifth of all products has them.
        "SKU, whole, nothing but zeros": [{"sku": f"SKU-{0:08}"}],
        # These products are neighbours in the catalogue, and so in the list.
        "SKU, beginning of 10,000": [{"sku": f"SKU-{rows * n // 21:08}"[:-4]} for n in range(1, 21)],
        "SKU, part": [{"sku": f"{n:02}7{n:02}"} for n in range(20)],
        "any field, rare word": [{"q": word} for word in rare],
        "name common and description rare": [
            {"name": a, "description": b} for a, b in zip(common, rare, strict=True)
        ],
        "name rare and SKU part": [{"name": word, "sku": "77"} for word in rare],
        "name, two letters": [{"name": word[:2]} for word in common],
        "name, two letters, no match": [{"name": "qz"}, {"name": "jq"}],
        "last page by number": [{"page": last}],
        "page 1,000 by number": [{"page": min(1_000, last)}],
        "sorted by SKU, last page": [{"sort": "sku", "page": last}],
    }


def _ask(client: httpx.Client, question: dict[str, object]) -> None:
    client.get("/api/products", params=question).raise_for_status()  # type: ignore[arg-type]


def _scan(connection: PgConnection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM product WHERE name ILIKE '%qqxqqx%' AND NOT (id IS NULL)")
        cursor.fetchall()


def _timed(function: Callable[[], None]) -> float:
    began = time.perf_counter()
    function()
    return (time.perf_counter() - began) * 1000
