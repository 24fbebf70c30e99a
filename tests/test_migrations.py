"""Migrations run up and down, and give the schema of the models."""

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from product_importer import migrations
from product_importer.core.embedded.servers import ServiceError
from tests.databases import contents, new_database


@pytest.fixture
def empty(servers: None, monkeypatch) -> Iterator[Engine]:
    """An empty database on the same server."""
    with new_database("", monkeypatch) as engine:
        yield engine


def differences(engine: Engine) -> list:
    with engine.connect() as connection:
        options = {"include_name": migrations.compares, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), migrations.METADATA)


def test_models_and_migrations_agree(empty):
    migrations.migrate()
    assert differences(empty) == []
    assert migrations.read_schema().state is migrations.State.CURRENT


def test_a_difference_between_models_and_migrations_is_noticed(empty):
    migrations.migrate()
    with empty.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE product ADD COLUMN forgotten integer")
    assert differences(empty) != []
    with empty.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE product DROP COLUMN forgotten")
        connection.exec_driver_sql("DROP INDEX ix_product_inactive")
    assert differences(empty) != []


def test_every_migration_runs_up_down_and_up_again(empty):
    revisions = [script.revision for script in ScriptDirectory.from_config(migrations.config()).walk_revisions()][
        ::-1
    ]
    before = {}
    for revision in revisions:
        before[revision] = contents(empty)
        migrations.migrate(revision)
    whole = contents(empty)
    for revision, below in zip(revisions[::-1], [*revisions[-2::-1], "base"], strict=True):
        command.downgrade(migrations.config(), below)
        left = [item for item in contents(empty) if not item[1].startswith("alembic_version")]
        assert left == [item for item in before[revision] if not item[1].startswith("alembic_version")]
    migrations.migrate()
    assert contents(empty) == whole


def test_existing_products_are_counted_and_marked_for_indexing(empty):
    migrations.migrate("0001")
    with empty.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO product (id, sku, sku_key, name) "
            "SELECT gen_random_uuid(), n, n, n FROM generate_series(1, 9) AS n"
        )
    migrations.migrate()
    with empty.connect() as connection:
        assert connection.exec_driver_sql("SELECT sum(delta) FROM product_count").scalar() == 9
        assert connection.exec_driver_sql("SELECT sum(number) FROM product_change").scalar() == 9


def test_a_database_of_another_encoding_is_refused(servers, monkeypatch):
    """Python and PostgreSQL would order keys differently."""
    with new_database("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", monkeypatch) as engine:
        with pytest.raises(ServiceError, match="has the encoding LATIN1, but only UTF8 works") as raised:
            migrations.migrate()
        assert "\n" not in str(raised.value)
        assert contents(engine) == []
