"""Real servers for the tests: the embedded ones, or those that DATABASE_URL and REDIS_URL name.

The environment is set before anything of the product is imported: its settings are read once.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from typing import Any

import hypothesis
import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.errors import DeadlockDetected
from redis import Redis
from sqlalchemy import URL, make_url
from sqlalchemy.exc import OperationalError
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests import parallel, unit
from tests.application import data_folder
from tests.waiting import wait_for

# How long an example takes says nothing here.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

DATA = data_folder()
DATABASE = f"product_importer_test_{os.getpid()}"
# Says that a Redis database is ours, also when an earlier run was killed and left something.
MARK = "product-importer-test"
# Tables that a test may fill, each with those that are emptied with it.
TABLES = {
    "product": ["product", "product_change", "product_count", "search_segment WHERE retired_at IS NULL"],
    "import_job": ["import_job", "import_undo_kept"],
    **{
        name: [name]
        for name in (
            "import_range",
            "import_action_batch",
            "import_row_error",
            "import_reject_count",
            "import_row_patch",
            "import_mapping",
            "import_named_mapping",
            "import_draft",
            "import_undo_restored",
            "event",
            "event_batch",
            "webhook",
            "saved_view",
            "account",
            "setup_link",
        )
    },
}
FILLED = " UNION ALL ".join(
    f"SELECT '{table}' WHERE " + " OR ".join(f"EXISTS (SELECT FROM {rows})" for rows in emptied)
    for table, emptied in TABLES.items()
)
PASSWORD = secrets.token_hex(16)
GIVEN_DATABASE_URL = parallel.given("DATABASE_URL")
GIVEN_REDIS_URL = parallel.given("REDIS_URL")
os.environ |= {"DATA_DIR": str(DATA), "UPLOAD_DIR": "", "WORKERS": "1", "BATCH_SIZE": "1000"}


def superuser_url() -> URL:
    """Return the URL of the server's superuser."""
    from tests.superuser import let_in

    return make_url(GIVEN_DATABASE_URL or let_in(DATA)).set(drivername="postgresql")


def as_superuser(statement: str, *names: str) -> None:
    """Run one statement outside a transaction as the server's superuser; each `{}` becomes a quoted name."""
    connection = psycopg2.connect(superuser_url().render_as_string(hide_password=False))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
    connection.close()


def _own(database: str) -> str:
    """Return the URL of a database of our own on the given server, for a role of our own that is no superuser."""
    url = make_url(GIVEN_DATABASE_URL or "").set(username=DATABASE, password=PASSWORD, database=database)
    return url.render_as_string(hide_password=False)


if GIVEN_DATABASE_URL:
    # Nobody's data is touched.
    os.environ["DATABASE_URL"] = _own(DATABASE)
if GIVEN_REDIS_URL:
    os.environ["REDIS_URL"] = parallel.redis_urls(GIVEN_REDIS_URL)[0]


@pytest.fixture(scope="session")
def given_role() -> Iterator[None]:
    """The role of `_own`, where a server is given."""
    if GIVEN_DATABASE_URL:
        as_superuser(f"CREATE ROLE {{}} LOGIN PASSWORD '{PASSWORD}'", DATABASE)
    yield
    if GIVEN_DATABASE_URL:
        as_superuser("DROP ROLE {}", DATABASE)


@pytest.fixture(scope="session")
def servers(given_role: None) -> Iterator[None]:
    """PostgreSQL with an up-to-date schema, and Redis."""
    from product_importer import migrations
    from product_importer.core import db, redis
    from product_importer.core.embedded import servers as embedded

    if GIVEN_DATABASE_URL:
        as_superuser("CREATE DATABASE {} OWNER {}", DATABASE, DATABASE)
    migrations.migrate()
    _take_redis(redis.client())
    yield
    redis.client().flushdb()
    db.engine().dispose()
    if GIVEN_DATABASE_URL:
        as_superuser("DROP DATABASE {} WITH (FORCE)", DATABASE)
    embedded.stop()


def _take_redis(client) -> None:
    """Empty a Redis database, unless it is somebody else's."""
    assert client.dbsize() == 0 or client.exists(MARK), "the Redis database given for tests is in use: name another"
    client.flushdb()
    client.set(MARK, "1")


@pytest.fixture(scope="session")
def own_servers(given_role: None) -> Iterator[dict[str, str]]:
    """The environment of an application of its own: a database and a Redis database that no other test touches."""
    environment = {}
    if GIVEN_REDIS_URL:
        environment["REDIS_URL"] = parallel.redis_urls(GIVEN_REDIS_URL)[1]
        _take_redis(Redis.from_url(environment["REDIS_URL"]))
    if GIVEN_DATABASE_URL:
        name = f"{DATABASE}_application"
        as_superuser("CREATE DATABASE {} OWNER {}", name, DATABASE)
        environment["DATABASE_URL"] = _own(name)
    yield environment
    if GIVEN_DATABASE_URL:
        as_superuser("DROP DATABASE {} WITH (FORCE)", f"{DATABASE}_application")


@pytest.fixture
def database(servers: None) -> Iterator[None]:
    """An empty catalogue, no imports, no files, and an empty Redis."""
    from product_importer.core import redis
    from product_importer.core.storage import storage

    # A handler that an earlier test started may still read the tables in another order.
    wait_for(_is_emptied, 30, "the database is empty")
    redis.client().flushdb()
    redis.client().set(MARK, "1")
    for key in list(storage().keys()):
        storage().delete(key)
    yield


def _is_emptied() -> bool:
    """Empty the database, and return whether no deadlock has prevented it."""
    try:
        _empty()
    except OperationalError as error:
        if not isinstance(error.orig, DeadlockDetected):
            raise
        return False
    return True


def _empty() -> None:
    """Empty all tables."""
    from product_importer.core import db

    with db.engine().begin() as connection:
        # To truncate a table costs far more than to look whether it is empty, and most are.
        filled = connection.exec_driver_sql(FILLED).scalars().all()
        if filled:
            connection.exec_driver_sql(f"TRUNCATE {', '.join(filled)} CASCADE")
        for (table,) in connection.exec_driver_sql(
            "SELECT tablename FROM pg_tables WHERE tablename ~ '^import_(preview|undo_of)_[0-9a-f]{32}'"
        ).fetchall():
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table} CASCADE")
        if connection.exec_driver_sql("SELECT EXISTS (SELECT FROM audit_event)").scalar():
            # It refuses to be truncated.
            connection.exec_driver_sql("SET LOCAL product_importer.audit_retention = 'on'; DELETE FROM audit_event")


@pytest.fixture
def client(database: None):
    """The REST API in this process, behind the access layer, on the real servers."""
    from fastapi.testclient import TestClient

    from product_importer.access.gate.layer import AccessLayer
    from product_importer.api import api
    from product_importer.core.settings import settings

    layer = AccessLayer(api, settings(), set())
    with TestClient(layer, base_url="http://localhost", raise_server_exceptions=False) as opened:
        yield opened


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set the folder of `tmp_path`; refuse more test processes than the given Redis server has databases for."""
    # Each start of pytest closes /tmp/pytest-of-root to other accounts: PostgreSQL of a running pytest uses another.
    config.option.basetemp = config.option.basetemp or str(DATA.parent / "pytest-tmp")
    processes = config.getoption("numprocesses", None)
    if GIVEN_REDIS_URL and processes:
        parallel.require_redis_databases(GIVEN_REDIS_URL, processes)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Remove the folder that this process made, which may take long.

    Behind this, a process of pytest-xdist says that it has finished. Five seconds after the last one has, those that
    still work get a SIGINT.
    """
    shutil.rmtree(DATA.parent, ignore_errors=True)


def pytest_unconfigure() -> None:
    """Remove that folder where no session has begun."""
    shutil.rmtree(DATA.parent, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the unit tests, before the marks that the command line names are looked for; then set the order.

    Alone, the tests from outside come last; of several processes, none waits long for another at the end.
    """
    for item in filter(unit.is_unit, items):
        item.add_marker("unit")
    if parallel.is_one_of_several():
        items.sort(key=lambda item: parallel.rank(item.nodeid))
    else:
        items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Give pytest-xdist's processes whole groups of tests."""
    return parallel.ByGroup(config, log)
