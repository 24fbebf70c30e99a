"""The command `distribute`, as far as PostgreSQL without Citus can show: what it refuses, and what it asks Citus for.

Stand-ins of what Citus provides are in the test's database. They divide nothing, but refuse two things that Citus
refuses: a table with triggers, and one with a key without the distribution column.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text

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
# A catalogue that is named in the search path hides nothing that is named before it: so `pg_extension` is ours.
STAND_INS = """
CREATE SCHEMA stand_in;
CREATE VIEW stand_in.pg_extension AS SELECT extname FROM pg_catalog.pg_extension UNION ALL SELECT 'citus';
CREATE TABLE stand_in.pg_dist_node (nodename text, nodeport integer, isactive boolean, shouldhaveshards boolean);
INSERT INTO stand_in.pg_dist_node VALUES
    ('coordinator', 5432, true, false), ('one', 5432, true, true), ('two', 5432, true, true),
    ('gone', 5432, false, true);
CREATE TABLE stand_in.calls (place serial, call text);
CREATE TABLE stand_in.tables (given regclass);
CREATE VIEW stand_in.citus_shards AS
    SELECT given AS table_name, nodename, nodeport
    FROM stand_in.tables, stand_in.pg_dist_node, generate_series(1, 4) WHERE isactive AND shouldhaveshards;
CREATE FUNCTION stand_in.create_distributed_table(
    given regclass, divided_by text, colocate_with text DEFAULT 'default'
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = given AND NOT tgisinternal) THEN
        RAISE EXCEPTION 'triggers on % are not supported', given;
    END IF;
    IF EXISTS (
        SELECT FROM pg_index JOIN pg_attribute ON attrelid = given AND attname = divided_by
        WHERE indrelid = given AND indisunique AND attnum <> ALL (indkey)
    ) THEN
        RAISE EXCEPTION 'cannot create constraint on %', given;
    END IF;
    INSERT INTO stand_in.tables VALUES (given);
    INSERT INTO stand_in.calls (call) VALUES (format('%s by %s with %s', given, divided_by, colocate_with));
END $$;
CREATE FUNCTION stand_in.truncate_local_data_after_distributing_table(given regclass)
RETURNS void LANGUAGE sql AS $$ INSERT INTO stand_in.calls (call) VALUES (format('truncate %s', given)) $$;
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = public, stand_in, pg_catalog', current_database());
END $$
"""
PRODUCTS = """
INSERT INTO product (id, sku, sku_key, name, description)
SELECT gen_random_uuid(), 'S-' || n, 's-' || n, 'Name ' || n, 'x' FROM generate_series(1, 500) AS n
"""
CONTENT = "SELECT count(*), md5(string_agg(product::text, ',' ORDER BY sku_key)) FROM product"
NUMBER = "SELECT sum(delta) FROM product_count"
KEY = """
SELECT array_agg(attname::text ORDER BY array_position(conkey, attnum))
FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY(conkey)
WHERE conrelid = '{table}'::regclass AND contype = 'p'
"""


@pytest.fixture
def engine(servers: None, monkeypatch):
    with new_database("", monkeypatch) as created:
        yield created


@pytest.fixture
def citus(engine: Engine) -> Engine:
    """A database of the newest schema with the stand-ins."""
    migrations.migrate()
    change(engine, STAND_INS)
    # A session has the search path of its beginning.
    engine.dispose()
    return engine


def change(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.connection.cursor().execute(statement)


def ask(engine: Engine, question: str) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(question))]


@contextmanager
def unchanged(engine: Engine) -> Iterator[None]:
    """Check that the table of products is as before."""
    before = ask(engine, CONTENT)
    yield
    assert ask(engine, TRIGGERS) == [(4,)] and ask(engine, KEY.format(table="product")) == [(["id"],)]
    assert ask(engine, CONTENT) == before and ask(engine, "SELECT to_regclass('product_given')::text") == [(None,)]


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


@pytest.mark.parametrize("number", [0, 500], ids=["empty", "filled"])
def test_products_get_the_form_that_citus_divides(citus, capsys, number):
    if number:
        change(citus, PRODUCTS)
    before = ask(citus, CONTENT)
    citus.dispose()
    distribute.run()
    assert capsys.readouterr().out == "The products are in 8 shards on 2 nodes. Start the application again.\n"
    assert ask(citus, "SELECT call FROM stand_in.calls ORDER BY place") == [
        ("product by sku_key with default",),
        ("product_given by sku_key with product",),
        ("truncate product",),
    ]
    assert ask(citus, TRIGGERS) == [(0,)]
    assert ask(citus, KEY.format(table="product")) == [(["id", "sku_key"],)]
    assert ask(citus, KEY.format(table="product_given")) == [(["part", "sku_key"],)]
    assert ask(citus, CONTENT) == before and before[0][0] == number
    # What the triggers had counted stays.
    assert (ask(citus, NUMBER)[0][0] or 0) == number
    assert "already" in refused(citus)


def test_without_a_node_that_takes_shards_it_is_refused(citus):
    change(citus, "UPDATE stand_in.pg_dist_node SET shouldhaveshards = false WHERE isactive")
    with unchanged(citus):
        assert "citus_add_node" in refused(citus)


def test_what_citus_refuses_is_said_and_nothing_has_changed(citus):
    change(citus, PRODUCTS)
    change(
        citus,
        "CREATE OR REPLACE FUNCTION stand_in.truncate_local_data_after_distributing_table(given regclass)"
        " RETURNS void LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE insufficient_privilege USING MESSAGE = 'must be owner of the nodes'; END $$",
    )
    with unchanged(citus):
        assert refused(citus) == "Citus refuses: must be owner of the nodes"


def test_products_that_another_transaction_holds_are_refused(citus, monkeypatch):
    monkeypatch.setattr(distribute, "LOCK", text("SET LOCAL lock_timeout = '100ms'; LOCK TABLE product"))
    # Sessions of Citus are not those of others: only the lock shows this one.
    other = create_engine(citus.url, poolclass=NullPool, connect_args={"application_name": "citus_internal"})
    with unchanged(citus), other.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE product IN ACCESS SHARE MODE")
        assert "another transaction uses the products" in refused(citus)
