"""A small benchmark run: checks counts, memory, statements and what is printed, no times.

These are the same on every machine. The ratio of the times to psql is printed.
"""

import importlib
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from bench import back_to_back, floor, growth, reading, results, small
from bench.__main__ import SECTIONS
from bench.catalogue import Catalogue
from bench.memory import Peak
from bench.psql import Psql
from bench.results import Section
from bench.subject import DATABASE, Import, Subject

pytestmark = [pytest.mark.e2e, pytest.mark.embedded]

ROWS = 50_000
# The worker's memory still grows up to about 65,000 rows, which it sorts at once. If it kept the rows that are more,
# they would take at least 50 MB more; the peaks differ by 11 to 22, and by 32 on a busy machine.
FEW_ROWS, MANY_ROWS = 100_000, 500_000
GROWTH_MEGABYTES = 44
BATCH = 2_500
# What reads, writes and locks the range, and the job's row, with a reserve.
STATEMENTS_OF_A_BATCH = 8
TINY_ROWS = 2_000

STATEMENTS = r"""
SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
WHERE toplevel AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND query ~* '^\s*(with|copy|lock|create temp|insert into product|update product|update import_|savepoint)'
"""
SECONDS, RATIO = r"\d+\.\d\d s", r"\d+\.\d\d × as (long|much)"


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("DATABASE_URL", "REDIS_URL"):
            patch.delenv(variable, raising=False)
        patch.setenv("BATCH_SIZE", str(BATCH))
        patch.setattr("bench.catalogue.FOLDER", tmp_path_factory.mktemp("bench"))
        started = Subject(ROWS)
        with started.connect() as connection:
            connection.cursor().execute("CREATE EXTENSION pg_stat_statements")
        yield started
        started.close()


def statements(subject: Subject) -> int:
    with subject.connect() as connection:
        cursor = connection.cursor()
        cursor.execute(STATEMENTS)
        return int(cursor.fetchone()[0])


def measured(subject: Subject, catalogue: Catalogue) -> tuple[Import, float, int]:
    """Import into an empty catalogue; return the import, the worker's peak in MB, and the number of statements."""
    subject.empty()
    path, before = catalogue.file(), statements(subject)
    with Peak(subject.application.data) as peak:
        done = subject.run(path)
    return done, peak.megabytes["worker"], statements(subject) - before


def counts(done: Import) -> tuple[int, ...]:
    return tuple(
        done.job[name] for name in ("total_rows", "created", "updated", "unchanged", "duplicates", "rejected")
    )


def test_more_rows_need_no_more_memory_and_no_more_statements_per_batch(subject, capsys):
    few, few_megabytes, few_statements = measured(subject, Catalogue(FEW_ROWS))
    many, many_megabytes, many_statements = measured(subject, Catalogue(MANY_ROWS))
    assert counts(few) == (FEW_ROWS, FEW_ROWS, 0, 0, 0, 0)
    assert counts(many) == (MANY_ROWS, MANY_ROWS, 0, 0, 0, 0)
    per_batch = (many_statements - few_statements) / ((MANY_ROWS - FEW_ROWS) / BATCH)
    with capsys.disabled():
        print(f"\n  worker: {few_megabytes:.0f} MB at {FEW_ROWS:,} rows, {many_megabytes:.0f} MB at {MANY_ROWS:,}")
        print(f"  statements a batch of {BATCH:,} rows: {per_batch:.1f}")
    assert few_megabytes > 0, "the worker's memory cannot be read"
    assert many_megabytes - few_megabytes < GROWTH_MEGABYTES
    assert few_statements > 0, "the query finds no statements of the import"
    assert per_batch < STATEMENTS_OF_A_BATCH


def test_every_kind_of_file_gives_the_expected_counts_and_the_same_products_as_psql(subject, capsys):
    psql = Psql(subject)
    expected = {
        "all new": (ROWS, ROWS, 0, 0, 0, 0),
        "all unchanged": (ROWS, 0, 0, ROWS, 0, 0),
        "all unchanged, no `CHECKPOINT` before": (ROWS, 0, 0, ROWS, 0, 0),
        "10% changed": (ROWS, 0, ROWS // 10, ROWS - ROWS // 10, 0, 0),
        "all changed": (ROWS, 0, ROWS, 0, 0, 0),
        "all new, 5% twice in the file": (ROWS, ROWS - ROWS // 20, 0, 0, ROWS // 20, 0),
    }
    for name, path, _ in floor.turns(subject, psql):
        done = subject.run(path)
        seconds = psql.run(path)
        assert counts(done) == expected.pop(name)
        assert products(subject, DATABASE) == products(subject, psql.database)
        with capsys.disabled():
            print(
                f"\n  {name}: {done.seconds:.2f} s, psql {seconds:.2f} s, ratio {done.seconds / seconds:.2f}", end=""
            )
    assert not expected


def products(subject: Subject, database: str) -> list[tuple]:
    """Return a checksum of the products in a database, to compare the import with psql."""
    with subject.connect(database) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*), sum(hashtext(sku || name || description)), sum(version) FROM product")
        return cursor.fetchall()


@pytest.fixture
def few(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """The application, to be measured with few rows and once."""
    monkeypatch.setattr(subject, "rows", TINY_ROWS)
    for module in (floor, back_to_back, small, reading, growth):
        monkeypatch.setattr(module, "ROUNDS", 1)
    monkeypatch.setattr(small, "TIMES", 3)
    return subject


@pytest.mark.parametrize(
    "module, names",
    [
        (
            floor,
            [
                *("all new", "all unchanged", "all unchanged, no `CHECKPOINT` before", "10% changed", "all changed"),
                "all new, 5% twice in the file",
            ],
        ),
        (back_to_back, ["all new", "all unchanged", "10% changed", "all changed", "all four"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, ModuleType) else "",
)
def test_each_kind_of_file_has_a_line_beside_psql(few, module, names):
    section = module.measure(few)
    assert [line[0] for line in section.lines] == names
    assert [what.partition(", ")[2] for what, *_ in section.summary] == names
    for _, ours, theirs, ratio in section.summary:
        assert_fit((ours, SECONDS), (theirs, f"psql: {SECONDS}"), (ratio, RATIO))
    assert_is_a_table(section)


def test_small_imports_are_beside_psql(few):
    section = small.measure(few)
    *some, tiny = section.summary
    assert [line[0] for line in some] == [
        f"import, 2,000 rows, all {kind}" for kind in ("new", "unchanged", "changed")
    ]
    assert tiny[0] == "import, 20 rows, all new, into 2,000"
    assert_fit((tiny[1], r"\d+ ms"), (tiny[2], r"psql: \d+ ms"), (tiny[3], RATIO))
    assert_is_a_table(section)


def test_the_phases_of_an_import_fill_its_time(few):
    section = reading.measure(few)
    assert [line[0] for line in section.lines] == ["all new", "all unchanged", "all changed"]
    for line in section.lines:
        *phases, whole, worker, server = map(float, line[1:])
        assert sum(phases) <= whole + 0.03
        assert worker > 0 and server > 0
    assert_is_a_table(section)


def test_growth_has_the_times_of_two_catalogues_and_one_memory_for_a_size(few):
    section = growth.measure(few)
    assert [line[:2] for line in section.lines] == [
        (rows, into) for into in (growth.EMPTY, growth.FULL) for rows in ("200", "2,000")
    ]
    *times, memory = section.summary
    assert [line[0] for line in times] == [f"2,000 rows into {into}" for into in (growth.EMPTY, growth.FULL)]
    assert memory[0] == "peak anonymous memory of the worker, 2,000 rows"
    assert_fit((memory[1], r"[1-9]\d* MB"), (memory[2], r"200 rows: [1-9]\d* MB"), (memory[3], RATIO))
    assert_is_a_table(section)


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_can_be_measured(name):
    assert callable(importlib.import_module(f"bench.{name}").measure)


def assert_fit(*cells: tuple[str, str]) -> None:
    for text, pattern in cells:
        assert re.fullmatch(pattern, text), f"{text!r} is not {pattern}"


def assert_is_a_table(section: Section) -> None:
    """Each line of a section's table has a cell for each column."""
    printed = results.table(section.head, section.lines).splitlines()
    assert {line.count(" | ") for line in printed} == {len(section.head) - 1}
