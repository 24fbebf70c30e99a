"""The role that the application connects as on the embedded PostgreSQL: it owns its database and nothing else.

The superuser makes the role and hands everything in the database over to it. After that `pg_hba.conf` lets nobody
but the role in, so that no statement and no connection of the application is ever the superuser's.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection

from product_importer.core.advisory_locks import HAND_OVER_DATABASE
from product_importer.core.embedded.files import ServiceError, wait_until
from product_importer.core.errors import first_line

DATABASE = "product_importer"
ROLE = "product_importer"
SUPERUSER = "postgres"
MAINTENANCE_DATABASE = "postgres"
CONNECT_SECONDS = 5
LOCK_OUT_SECONDS = 10.0
# How the codes begin that PostgreSQL gives to whom it leaves; without a code, it did not answer at all.
STOPPED = "57P"
# Nothing that the role could have made is ever called by the superuser, be it by an operator's name.
SAFE = "-c search_path=pg_catalog -c statement_timeout=0"

# What `is_in_charge` looks for in folders that older versions have converted: it must stay as it is.
RULE = f"local {DATABASE} {ROLE} trust"
ACCESS = f"""\
# Written by Product Importer: its role may connect, to its own database, and nobody else may.
# Whoever needs the superuser adds "local all {SUPERUSER} trust" below, and removes it afterwards; either takes effect
# when the server gets SIGHUP. Who can write this file can do everything anyway.
{RULE}
"""

# One process at a time hands over; the others wait and find it done.
TAKE_TURN = sql.SQL(f"SELECT pg_advisory_lock({HAND_OVER_DATABASE})")
FIND_DATABASE = sql.SQL(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'")
MAKE_DATABASE = sql.SQL(f"CREATE DATABASE {DATABASE}")
RELOAD = sql.SQL("SELECT pg_reload_conf()")
MAKE_ROLE = sql.SQL(f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN CREATE ROLE {ROLE}; END IF;
END $$;
ALTER ROLE {ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER DATABASE {DATABASE} OWNER TO {ROLE};
""")
# What an older version of the application holds open would go on making things that are not the role's.
END_OTHERS = sql.SQL("""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()
""")
# REASSIGN OWNED refuses the first superuser, whom the system's own objects belong to. What an extension brought stays
# his, as it does when the owner of a database makes the extension. A column's sequence goes with its table.
OWNED = """
WITH found (class, oid, kind, name, owner, namespace) AS (
    SELECT 'pg_class'::regclass, oid, 'TABLE', oid::regclass::text, relowner, relnamespace
    FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, 'ROUTINE', oid::regprocedure::text, proowner, pronamespace FROM pg_proc
    UNION ALL
    SELECT 'pg_type'::regclass, oid, 'TYPE', oid::regtype::text, typowner, typnamespace FROM pg_type
    WHERE typtype IN ('d', 'e', 'r') OR typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c')
    UNION ALL
    SELECT 'pg_namespace'::regclass, oid, 'SCHEMA', oid::regnamespace::text, nspowner, oid FROM pg_namespace
)
SELECT 'ALTER ' || kind || ' ' || name FROM found
WHERE owner = current_user::regrole
    AND namespace::regnamespace::text !~ '^(pg_|information_schema$)'
    AND NOT EXISTS (
        SELECT FROM pg_depend WHERE classid = class AND objid = found.oid AND deptype IN ('e', 'a', 'i')
    )
"""
GIVE_OBJECTS = sql.SQL(f"""
DO $$ DECLARE change text; BEGIN
    FOR change IN {OWNED} LOOP EXECUTE change || ' OWNER TO {ROLE}'; END LOOP;
END $$
""")


def is_in_charge(data: Path) -> bool:
    """Whether everything has been handed over and the superuser is locked out; `data` is PostgreSQL's data folder."""
    try:
        lines = (data / "pg_hba.conf").read_text().splitlines()
        return next((line for line in lines if line and not line.startswith("#")), None) == RULE
    except FileNotFoundError:
        return False


def hand_over(folder: Path, data: Path) -> None:
    """Make the database and the role, give the role all there is, and lock the superuser out.

    The server must run and let the superuser in; `folder` holds its socket. Doing so twice, from several processes at
    once, or again after being killed half-way, is harmless.

    Raises:
        ServiceError: the server refuses.
    """
    try:
        with _superuser(folder, MAINTENANCE_DATABASE) as waiting:
            _execute(waiting, TAKE_TURN)
            if not is_in_charge(data):
                _make_database(waiting)
                _convert(folder, data)
    except psycopg2.Error as error:
        # It is starting, or went away: whoever asked asks again.
        if not (isinstance(error, psycopg2.OperationalError) and (error.pgcode or STOPPED).startswith(STOPPED)):
            raise ServiceError(f"the database cannot be given to the role {ROLE}: {first_line(error)}") from error


def _make_database(connection: PgConnection) -> None:
    if not _execute(connection, FIND_DATABASE):
        _execute(connection, MAKE_DATABASE)


def _convert(folder: Path, data: Path) -> None:
    with _superuser(folder, DATABASE) as connection:
        _give_all(connection)
        _write_access(data)
        _execute(connection, RELOAD)
        if not wait_until(lambda: not _lets_superuser_in(folder), LOCK_OUT_SECONDS, interval=0.1):
            raise ServiceError(f"PostgreSQL does not read {data / 'pg_hba.conf'}: start it again")
        # Until then, an older version of the application could still come in.
        _give_all(connection)


def _give_all(connection: PgConnection) -> None:
    _execute(connection, END_OTHERS)
    connection.autocommit = False
    with connection:
        _execute(connection, MAKE_ROLE)
        _execute(connection, GIVE_OBJECTS)
    connection.autocommit = True


def _write_access(data: Path) -> None:
    """Replace the file in one step: a server that starts meanwhile reads the old one or the new one."""
    owner = data.stat()
    unfinished = data / "pg_hba.conf.unfinished"
    unfinished.unlink(missing_ok=True)
    with unfinished.open("x") as file:
        os.fchmod(file.fileno(), 0o600)
        if os.geteuid() == 0:
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write(ACCESS)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(data / "pg_hba.conf")


def _lets_superuser_in(folder: Path) -> bool:
    try:
        with _superuser(folder, DATABASE):
            return True
    except psycopg2.OperationalError:
        return False


@contextmanager
def _superuser(folder: Path, database: str) -> Iterator[PgConnection]:
    arguments = {"host": str(folder), "port": 5432, "user": SUPERUSER, "dbname": database, "options": SAFE}
    connection = psycopg2.connect(**arguments, connect_timeout=CONNECT_SECONDS)
    connection.autocommit = True
    with closing(connection):
        yield connection


def _execute(connection: PgConnection, statement: sql.SQL) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
