"""The engine's tests again, with products in a table that is partitioned by the hash of their keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

import product_importer.imports
from product_importer import migrations
from product_importer.core import db
from product_importer.core.settings import settings
from product_importer.imports.pipeline import lease
from tests.databases import new_database
from tests.imports import test_options, test_retry
from tests.imports.pipeline import (
    test_blank,
    test_dry_run,
    test_held,
    test_lease,
    test_oracle,
    test_range_writer,
    test_ranges,
    test_runner,
    test_undo,
)

# Fixtures of the tests below.
from tests.imports.pipeline.test_held import catalogue, ways  # noqa: F401
from tests.imports.pipeline.test_lease import kill_after  # noqa: F401
from tests.imports.pipeline.test_range_writer import reads  # noqa: F401
from tests.imports.pipeline.test_ranges import runs, written  # noqa: F401
from tests.imports.pipeline.test_runner import counts, csv_of, fetch
from tests.imports.pipeline.test_undo import run_undo
from tests.repeated import repeat

REPEATED = (
    test_runner,
    test_oracle,
    test_options,
    test_blank,
    test_dry_run,
    test_undo,
    test_lease,
    test_retry,
    test_range_writer,
    test_ranges,
    test_held,
)
# An id alone is no key of this table.
ONLY_PLAIN = {"test_a_taken_id_is_an_error_of_ours_and_not_tried_again"}
PARTITIONS = 4
TRIGGERS = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'product'::regclass AND NOT tgisinternal"
INDEXES = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'product'::regclass AND NOT indisunique
"""
# Each unique key must have the column that divides the table.
TABLE = """
ALTER TABLE product RENAME TO product_before;
CREATE TABLE product (
    LIKE product_before INCLUDING DEFAULTS INCLUDING STORAGE, PRIMARY KEY (sku_key), UNIQUE (id, sku_key)
) PARTITION BY HASH (sku_key);
DROP TABLE product_before;
"""
PARTITION = "CREATE TABLE product_{number} PARTITION OF product FOR VALUES WITH (MODULUS {of}, REMAINDER {number})"
# In each partition one product is left, and the statistics know only these.
EMPTIED = (
    *(f"ALTER TABLE product_{number} SET (autovacuum_enabled = false)" for number in range(PARTITIONS)),
    "DELETE FROM product WHERE sku_key NOT IN (SELECT min(sku_key) FROM product GROUP BY tableoid)",
    "VACUUM ANALYZE product",
    "DELETE FROM product",
)
ROWS = 10_000


for module in REPEATED:
    repeat(module, globals(), {"run_import", "database"}, ONLY_PLAIN)


@pytest.fixture(scope="module", autouse=True)
def partitioned(servers: None) -> Iterator[None]:
    """A database whose table of products is partitioned."""
    with new_database("", pytest.MonkeyPatch()) as engine:
        migrations.migrate()
        with engine.begin() as connection:
            divide(connection)
        yield


def divide(connection: Connection) -> None:
    """Replace the empty table of products by one with the same columns, triggers and indexes, but partitions."""
    made_again = [*connection.exec_driver_sql(TRIGGERS).scalars(), *connection.exec_driver_sql(INDEXES).scalars()]
    connection.exec_driver_sql(TABLE)
    for number in range(PARTITIONS):
        connection.exec_driver_sql(PARTITION.format(number=number, of=PARTITIONS))
    for statement in made_again:
        connection.exec_driver_sql(statement)


def test_products_are_in_all_partitions(run_import):
    run_import(csv_of(*(f"s{n},Name,x" for n in range(500))))
    assert len(fetch("SELECT DISTINCT tableoid FROM product")) == PARTITIONS
    assert fetch("SELECT sum(delta) FROM product_count") == [(500,)]


def test_full_ranges_are_written_and_undone_whatever_the_statistics_say(run_import, monkeypatch):
    monkeypatch.setattr(settings(), "batch_size", ROWS)
    begin = lease.TRANSACTION_SETTINGS
    monkeypatch.setattr(lease, "TRANSACTION_SETTINGS", f"{begin}; SET LOCAL statement_timeout = '15s'")
    many = csv_of(*(f"s{n:05},Name,x" for n in range(ROWS)))
    run_import(many)
    forget_products()
    assert counts(run_import(many)) == (ROWS, 0, 0, 0, 0)
    job = run_import(many.replace(",x", ",y"))
    assert counts(job) == (0, ROWS, 0, 0, 0)
    undone = run_undo(job)
    assert (undone.removed, undone.restored, undone.kept) == (0, ROWS, 0)


def forget_products() -> None:
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in EMPTIED:
            connection.exec_driver_sql(statement)


def test_no_import_tells_rows_by_their_place_in_a_table():
    """A place is unique in one partition only."""
    [folder] = product_importer.imports.__path__
    assert [path for path in Path(folder).rglob("*.py") if "ctid" in path.read_text()] == []
