"""Imports, searches, edits, undo and the text index once more, behind PgBouncer in transaction mode.

There each transaction may run in another session of PostgreSQL: nothing may depend on what an earlier one has set.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import URL

from product_importer import migrations
from product_importer.core import db
from product_importer.core.db import engine as make_engine
from product_importer.core.embedded import servers as embedded
from tests.catalog import test_api
from tests.catalog.conftest import create  # noqa: F401
from tests.catalog.search import test_indexer
from tests.catalog.search.test_indexer import catch_up, segments
from tests.databases import new_database
from tests.imports.pipeline import test_dry_run, test_lease, test_ranges, test_runner, test_sharing, test_undo
from tests.imports.pipeline.test_lease import kill_after  # noqa: F401
from tests.imports.pipeline.test_ranges import runs, written  # noqa: F401
from tests.imports.pipeline.test_runner import counts, csv_of
from tests.imports.pipeline.test_sharing import half_done, held_products, place  # noqa: F401
from tests.imports.pipeline.test_undo import run_undo
from tests.pgbouncer import POOL_SIZE, ask, needs_pgbouncer, pgbouncer
from tests.repeated import repeat

pytestmark = [needs_pgbouncer, pytest.mark.processes]

REPEATED = (test_runner, test_lease, test_undo, test_ranges, test_dry_run, test_sharing, test_api, test_indexer)
ROWS = 1_500
# They are about sessions of PostgreSQL, which are PgBouncer's here; the last one starts a process, which knows only
# the PostgreSQL of all tests.
NOT_HERE = {
    "test_a_lease_uses_one_connection_again_and_closes_it_at_its_end",
    "test_a_claim_takes_the_connection_that_was_prepared_and_names_it",
    "test_a_claim_replaces_a_prepared_connection_that_has_ended",
    "test_the_worker_and_each_helper_report_the_rows_that_they_hold",
}

for module in REPEATED:
    repeat(
        module,
        globals(),
        {"run_import", "database", "client", "create", "held_products", "half_done"},
        NOT_HERE,
    )


@pytest.fixture(scope="module", autouse=True)
def pooled(servers: None) -> Iterator[URL]:
    """A database behind PgBouncer, which this process uses as the application does."""
    with (
        new_database("", pytest.MonkeyPatch()) as direct,
        pgbouncer(direct.url) as url,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(embedded, "database_url", lambda: url.render_as_string(hide_password=False))
        engine = make_engine.__wrapped__()
        patch.setattr(db, "engine", lambda: engine)
        migrations.migrate()
        yield url
        engine.dispose()


def test_a_whole_life_of_a_catalogue(pooled: URL, client, run_import):
    job = run_import(csv_of(*(f"s{n:05},Name {n},x" for n in range(ROWS))))
    assert counts(job) == (ROWS, 0, 0, 0, 0)
    catch_up()
    assert sum(number for number, _ in segments()) == ROWS
    [found] = client.get("/api/products", params={"sku": "01234"}).json()["items"]
    edited = client.patch(f"/api/products/{found['id']}", json={"name": "Edited"}).json()
    assert (edited["name"], edited["version"]) == ("Edited", 2)
    assert client.get("/api/products", params={"name": "dited"}).json()["total"] == 1
    assert client.get("/api/products/export").text.count("\n") == ROWS + 1
    assert (undone := run_undo(job)).removed == ROWS - 1 and undone.kept == 1
    assert client.delete("/api/products", params={"confirm": "true"}).status_code == 200
    assert client.get("/api/products").json()["total"] == 0


def test_more_transactions_than_sessions_take_turns(pooled: URL):
    def session_of_a_transaction(_: int) -> int:
        with db.engine().begin() as connection:
            return int(connection.exec_driver_sql("SELECT pg_backend_pid(), pg_sleep(0.02)").scalar_one())

    [mode] = [row["value"] for row in ask(pooled, "SHOW CONFIG") if row["key"] == "pool_mode"]
    assert mode == "transaction"
    with ThreadPoolExecutor(2 * POOL_SIZE) as pool:
        assert 1 < len(set(pool.map(session_of_a_transaction, range(20 * POOL_SIZE)))) <= POOL_SIZE
