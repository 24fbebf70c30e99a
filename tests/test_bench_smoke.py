"""A small benchmark run: checks counts, memory and statements, no times.

These are the same on every machine. The ratio of the times to psql is printed.
"""

from collections.abc import Iterator

import pytest

from bench import floor
from bench.catalogue import Catalogue
from bench.memory import Peak
from bench.subject import DATABASE, Import, Subject

pytestmark = [pytest.mark.e2e, pytest.mark.embedded]

ROWS = 50_000
# The worker's memory still grows up to 30,000 rows. If it kept this many more rows, they would take about 60 MB.
MORE_ROWS = 150_000
GROWTH_MEGABYTES = 16
BATCH = 2_500
# The end of a range, the merge and the job's row, with a reserve.
STATEMENTS_OF_A_BATCH = 8

STATEMENTS = """
SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
WHERE toplevel AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND query ~* 'import_staging_|into product|update product|update import_job|savepoint'
"""


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
    before = statements(subject)
    with Peak(subject.application.data) as peak:
        done = subject.run(catalogue.file())
    return done, peak.megabytes["worker"], statements(subject) - before


def counts(done: Import) -> tuple[int, ...]:
    return tuple(
        done.job[name] for name in ("total_rows", "created", "updated", "unchanged", "duplicates", "rejected")
    )


def test_more_rows_need_no_more_memory_and_no_more_statements_per_batch(subject, capsys):
    few, few_megabytes, few_statements = measured(subject, Catalogue(ROWS))
    many, many_megabytes, many_statements = measured(subject, Catalogue(MORE_ROWS))
    assert counts(few) == (ROWS, ROWS, 0, 0, 0, 0)
    assert counts(many) == (MORE_ROWS, MORE_ROWS, 0, 0, 0, 0)
    per_batch = (many_statements - few_statements) / ((MORE_ROWS - ROWS) / BATCH)
    with capsys.disabled():
        print(f"\n  worker: {few_megabytes:.0f} MB at {ROWS:,} rows, {many_megabytes:.0f} MB at {MORE_ROWS:,}")
        print(f"  statements a batch of {BATCH:,} rows: {per_batch:.1f}")
    assert many_megabytes - few_megabytes < GROWTH_MEGABYTES
    assert few_statements > 0, "the query finds no statements of the import"
    assert per_batch < STATEMENTS_OF_A_BATCH


def test_every_kind_of_file_gives_the_expected_counts_and_the_same_products_as_psql(subject, capsys):
    database = subject.database("bench_floor")
    expected = {
        "all new": (ROWS, ROWS, 0, 0, 0, 0),
        "all unchanged": (ROWS, 0, 0, ROWS, 0, 0),
        "10% changed": (ROWS, 0, ROWS // 10, ROWS - ROWS // 10, 0, 0),
        "all changed": (ROWS, 0, ROWS, 0, 0, 0),
        "all new, 5% twice in the file": (ROWS, ROWS - ROWS // 20, 0, 0, ROWS // 20, 0),
    }
    for name, path in floor.turns(subject, database):
        done = subject.run(path)
        seconds = subject.psql(database, floor.SCRIPT.format(path=path))
        assert counts(done) == expected.pop(name)
        assert products(subject, DATABASE) == products(subject, database)
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
