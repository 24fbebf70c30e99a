"""Real servers for the tests: the embedded ones, or those that DATABASE_URL and REDIS_URL name.

The environment is set before anything of the product is imported: its settings are read once.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql
from sqlalchemy import make_url

DATA = Path(tempfile.mkdtemp(prefix="product-importer-test-"))
DATABASE = f"product_importer_test_{os.getpid()}"
GIVEN_DATABASE_URL = os.environ.pop("DATABASE_URL", None)
os.environ |= {"DATA_DIR": str(DATA), "UPLOAD_DIR": "", "WORKERS": "1", "BATCH_SIZE": "1000"}


def _on_given_server(statement: str) -> None:
    url = make_url(GIVEN_DATABASE_URL or "").set(drivername="postgresql")
    connection = psycopg2.connect(url.render_as_string(hide_password=False))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(sql.Identifier(DATABASE)))
    connection.close()


if GIVEN_DATABASE_URL:
    # A database of our own on the given server: nobody's data is touched.
    os.environ["DATABASE_URL"] = (
        make_url(GIVEN_DATABASE_URL).set(database=DATABASE).render_as_string(hide_password=False)
    )


@pytest.fixture(scope="session")
def servers() -> Iterator[None]:
    """PostgreSQL with an up-to-date schema, and Redis."""
    from product_importer import migrations
    from product_importer.core import db, redis, services

    if GIVEN_DATABASE_URL:
        _on_given_server("CREATE DATABASE {}")
    migrations.migrate()
    assert redis.client().dbsize() == 0, "the Redis database given for tests is not empty: name another"
    yield
    redis.client().flushdb()
    db.engine().dispose()
    if GIVEN_DATABASE_URL:
        _on_given_server("DROP DATABASE {} WITH (FORCE)")
    services.stop()
    shutil.rmtree(DATA, ignore_errors=True)


@pytest.fixture
def database(servers: None) -> Iterator[None]:
    """An empty catalogue, no imports, no files, and an empty Redis."""
    from product_importer.core import db, redis
    from product_importer.core.storage import storage

    with db.engine().begin() as connection:
        connection.exec_driver_sql("TRUNCATE product, import_job, import_row_error, event")
        for (table,) in connection.exec_driver_sql(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE 'import_staging_%%'"
        ).fetchall():
            connection.exec_driver_sql(f"DROP TABLE {table}")
    redis.client().flushdb()
    for key in list(storage().keys()):
        storage().delete(key)
    yield


@pytest.fixture
def client(database: None):
    """The REST API in this process, on the real servers."""
    from fastapi.testclient import TestClient

    from product_importer.api import api

    with TestClient(api, raise_server_exceptions=False) as opened:
        yield opened
