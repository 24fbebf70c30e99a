"""Query plans of a full range: no nested full scans."""

from collections.abc import Iterator

import pytest

from product_importer.core import db, outbox
from product_importer.core.settings import settings
from product_importer.imports.pipeline import lease
from tests.imports.pipeline.test_dry_run import apply
from tests.imports.pipeline.test_runner import counts, csv_of, fetch
from tests.imports.pipeline.test_undo import run_undo

ROWS = 25_000
MANY = csv_of(*(f"s{n:05},Name,x" for n in range(ROWS)))
CHANGED = MANY.replace(",x", ",y")


@pytest.fixture(autouse=True)
def one_full_range_within_seconds(monkeypatch):
    """Import in one range, with 15 s for each statement: much more than a good plan needs, less than a bad one."""
    monkeypatch.setattr(settings(), "batch_size", ROWS)
    begin = lease.TRANSACTION_SETTINGS
    monkeypatch.setattr(lease, "TRANSACTION_SETTINGS", f"{begin}; SET LOCAL statement_timeout = '15s'")


@pytest.fixture(autouse=True)
def statistics_of_an_emptied_catalogue(run_import) -> Iterator[None]:
    """Give PostgreSQL outdated statistics: it expects almost no products.

    The same happens if it analyses the table before the first ranges are committed.
    """
    run_import(MANY)
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ALTER TABLE product SET (autovacuum_enabled = false)")
        connection.exec_driver_sql("DELETE FROM product WHERE ctid <> (SELECT max(ctid) FROM product)")
        connection.exec_driver_sql("VACUUM ANALYZE product")
        connection.exec_driver_sql("DELETE FROM product")
        yield
        connection.exec_driver_sql("ALTER TABLE product RESET (autovacuum_enabled)")


@pytest.mark.parametrize("options", [{}, {"mode": "update"}, {"blank": "keep"}])
def test_existing_products_are_updated(run_import, options):
    run_import(MANY)
    assert counts(run_import(CHANGED, **options)) == (0, ROWS, 0, 0, 0)


def test_existing_products_are_rejected(run_import):
    run_import(MANY)
    assert counts(run_import(CHANGED, mode="create")) == (0, 0, 0, 0, ROWS)


def test_a_dry_run_is_applied(run_import):
    run_import(MANY)
    assert counts(apply(run_import(CHANGED, dry_run="true"))) == (0, ROWS, 0, 0, 0)


def test_an_import_is_undone(run_import):
    run_import(MANY)
    undone = run_undo(run_import(CHANGED))
    assert (undone.removed, undone.restored, undone.kept) == (0, ROWS, 0)


def test_each_product_gets_an_event(run_import, monkeypatch):
    monkeypatch.setattr(outbox, "WANTS_EACH", [lambda _: True])
    run_import(MANY)
    run_import(CHANGED)
    events = fetch("SELECT event_type, count(*) FROM event WHERE event_type LIKE 'product_%%' GROUP BY 1 ORDER BY 1")
    assert events == [("product_created", ROWS), ("product_updated", ROWS)]
