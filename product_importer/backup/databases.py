"""What backups and moves ask of a database: what it holds, and whether it is free for a restored one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as PgConnection
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from product_importer.catalog import distributed
from product_importer.core import db
from product_importer.core.embedded.files import ServiceError

MIN_VERSION = 150_000

TABLES = sql.SQL("""
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
""")
COUNT = sql.SQL("SELECT count(*) FROM {table}")
SNAPSHOT = sql.SQL("SELECT pg_export_snapshot()")
ENCODING = sql.SQL("SHOW server_encoding")
REVISION = sql.SQL("SELECT version_num FROM alembic_version")
STORAGE_KEYS = sql.SQL("""
SELECT storage_key FROM import_job WHERE file_deleted_at IS NULL
UNION SELECT storage_key FROM import_draft WHERE storage_key IS NOT NULL
""")
KEY_IDS = sql.SQL("""
SELECT DISTINCT split_part(secret, ':', 2) FROM webhook WHERE starts_with(secret, 'fernet:') ORDER BY 1
""")


@contextmanager
def connected(url: str) -> Iterator[PgConnection]:
    """Connect to the database of a URL, in one read-only snapshot or outside of transactions as the caller decides.

    Raises:
        OperationalError: it does not answer.
    """
    arguments: dict[str, Any] = {**db.CONNECT_ARGS, "application_name": f"{db.APPLICATION_NAME} backup"}
    engine = create_engine(url, connect_args=arguments, poolclass=NullPool, hide_parameters=True)
    connection = engine.connect()
    try:
        raw: Any = connection.connection.driver_connection
        raw.rollback()
        yield raw
    finally:
        connection.close()


@contextmanager
def snapshot(connection: PgConnection) -> Iterator[str]:
    """Hold one state of the database for the block; return its id, by which others read the same state."""
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
    try:
        yield str(_value(connection, SNAPSHOT))
    finally:
        connection.rollback()


def count_rows(connection: PgConnection) -> dict[str, int]:
    """Return the number of rows of each of our tables, by its name."""
    names = [name for (name,) in _rows(connection, TABLES) if db.IDENTIFIER.fullmatch(name)]
    return {name: int(_value(connection, COUNT.format(table=db.identifier(name)))) for name in names}


def require_free(connection: PgConnection) -> None:
    """Refuse a database that cannot take a whole other one: it must be empty, and fit.

    Raises:
        ServiceError: it has tables, another encoding than UTF8, or an old version.
    """
    name = connection.info.dbname
    tables = [table for (table,) in _rows(connection, TABLES)]
    if connection.server_version < MIN_VERSION:
        raise ServiceError(f"its PostgreSQL is too old: {connection.server_version // 10_000}; 15 to 18 work")
    if _value(connection, ENCODING) != "UTF8":
        raise ServiceError(f"the database “{name}” does not have the encoding UTF8: create one that has")
    if tables:
        raise ServiceError(
            f"the database “{name}” is not empty, it has the table “{tables[0]}”: name a new, empty one"
            " (DATABASE_URL, or DATA_DIR for the embedded server); nothing was changed"
        )


def revision(connection: PgConnection) -> str:
    """Return the migration that the database is at.

    Raises:
        ServiceError: it holds no data of the application, or its products are on nodes of Citus.
    """
    try:
        found = str(_value(connection, REVISION))
    except psycopg2.errors.UndefinedTable:
        raise ServiceError(f"the database “{connection.info.dbname}” holds nothing to copy") from None
    if distributed.is_distributed(connection):
        raise ServiceError(
            "the products are distributed by Citus, and one snapshot does not hold for all its nodes: use the backups"
            " of each server's own log, as Citus describes"
        )
    return found


def storage_keys(connection: PgConnection) -> set[str]:
    """Return the keys of the uploaded files that imports and drafts of this state need."""
    found = _rows(connection, STORAGE_KEYS)
    return {key for (key,) in found if key}


def secret_key_ids(connection: PgConnection) -> list[str]:
    """Return the ids of the keys that encrypted secrets in this database."""
    found = _rows(connection, KEY_IDS)
    return [id for (id,) in found]


def _rows(connection: PgConnection, statement: sql.Composable) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _value(connection: PgConnection, statement: sql.Composable) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return row[0] if row else None
