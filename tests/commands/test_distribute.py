"""The command `distribute`, as far as PostgreSQL without Citus can show: what it refuses."""

from threading import Timer

import pytest
from sqlalchemy import Engine, NullPool, create_engine

from product_importer import migrations
from product_importer.catalog import distributed
from product_importer.commands import distribute
from product_importer.core.embedded.servers import ServiceError
from tests.databases import new_database

UNFINISHED = """
INSERT INTO import_job (id, filename, storage_key, size_bytes, sha256, header, fields, status, phase)
VALUES (gen_random_uuid(), 'spring.csv', 'x', 1, 'x', '[]', '[]', 'processing', 'merging')
"""
TRIGGERS = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'product'::regclass AND NOT tgisinternal"


@pytest.fixture
def engine(servers: None, monkeypatch):
    with new_database("", monkeypatch) as created:
        yield created


def refused(engine: Engine) -> str:
    engine.dispose()
    with pytest.raises(ServiceError) as error:
        distribute.run()
    return str(error.value)


def test_an_older_schema_is_refused(engine):
    migrations.migrate("0002")
    assert "migrate" in refused(engine)


def test_a_database_without_citus_is_refused_and_stays_as_it_was(engine):
    migrations.migrate()
    assert "extension citus" in refused(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql(TRIGGERS).scalar() == 4


def test_other_sessions_are_refused_by_name(engine):
    migrations.migrate()
    other = create_engine(engine.url, connect_args={"application_name": "product-importer web"})
    with other.connect():
        assert "(1, one is" in (said := refused(engine)) and "product-importer web" in said
    other.dispose()


def test_a_session_that_ends_meanwhile_is_waited_for(engine):
    migrations.migrate()
    other = create_engine(engine.url, poolclass=NullPool)
    connection = other.connect()
    ends = Timer(0.5, connection.close)
    ends.start()
    assert "extension citus" in refused(engine)
    ends.join()
    other.dispose()


def test_an_unfinished_import_is_refused_by_name(engine):
    migrations.migrate()
    with engine.begin() as connection:
        connection.exec_driver_sql(UNFINISHED)
    assert "spring.csv" in (said := refused(engine)) and "processing" in said


def test_distributed_products_are_refused(engine):
    migrations.migrate()
    with engine.begin() as connection:
        distributed.reshape(connection.connection.cursor())
    assert "already" in refused(engine)
