"""Set up the role as which the application uses the embedded PostgreSQL: it owns its database and nothing else.

The superuser creates the role and hands everything in the database over to it. After that `pg_hba.conf` lets only the
role in, so the application never connects as the superuser.
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
# The SQLSTATE class of a server that starts or stops. An error without SQLSTATE means that it did not answer.
STOPPED = "57P"
# So that the superuser never calls an object of the role, not even an operator of the same name.
SAFE_OPTIONS = "-c search_path=pg_catalog -c statement_timeout=0"

# `is_handed_over` looks for this line, in folders of older versions too: never change it.
RULE = f"local {DATABASE} {ROLE} trust"
ACCESS = f"""\
# Written by Product Importer: only its role may connect, and only to its own database.
# To use the superuser, add "local all {SUPERUSER} trust" below, and remove it afterwards. Changes take effect when
# the server gets SIGHUP. Whoever can write this file has full access anyway.
{RULE}
"""

# One process hands over; the others wait and then find it done.
WAIT_FOR_TURN = sql.SQL(f"SELECT pg_advisory_lock({HAND_OVER_DATABASE})")
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
# Sessions of an older version of the application would go on to create objects that do not belong to the role.
END_OTHERS = sql.SQL("""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()
""")
# REASSIGN OWNED does not work for the first superuser, who owns the system's objects. Objects of an extension stay
# the superuser's, as they do when a database's owner creates the extension. A column's sequence follows its table.
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


def is_handed_over(data: Path) -> bool:
    """Whether the role owns everything and the superuser is locked out; `data` is PostgreSQL's data folder."""
    try:
        lines = (data / "pg_hba.conf").read_text().splitlines()
        return next((line for line in lines if line and not line.startswith("#")), None) == RULE
    except FileNotFoundError:
        return False


def hand_over(folder: Path, data: Path) -> None:
    """Create the database and the role, make the role own everything, and lock the superuser out.

    The server must run and let the superuser in; `folder` holds its socket. Idempotent, also when several processes
    do it at once or one was killed half-way. Returns without effect while the server starts or stops.

    Raises:
        ServiceError: the server reports an error.
    """
    try:
        with _superuser(folder, MAINTENANCE_DATABASE) as waiting:
            _execute(waiting, WAIT_FOR_TURN)
            if not is_handed_over(data):
                _make_database(waiting)
                _convert(folder, data)
    except psycopg2.Error as error:
        # The server is starting or stopping: the caller tries again.
        if not (isinstance(error, psycopg2.OperationalError) and (error.pgcode or STOPPED).startswith(STOPPED)):
            raise ServiceError(f"the database cannot be given to the role {ROLE}: {first_line(error)}") from error


def _make_database(connection: PgConnection) -> None:
    if not _execute(connection, FIND_DATABASE):
        _execute(connection, MAKE_DATABASE)


def _convert(folder: Path, data: Path) -> None:
    with _superuser(folder, DATABASE) as connection:
        _hand_over_objects(connection)
        _write_hba(data)
        _execute(connection, RELOAD)
        if not wait_until(lambda: not _accepts_superuser(folder), LOCK_OUT_SECONDS, interval=0.1):
            raise ServiceError(f"PostgreSQL does not read {data / 'pg_hba.conf'}: start it again")
        # Until the reload, an older version of the application could still connect.
        _hand_over_objects(connection)


def _hand_over_objects(connection: PgConnection) -> None:
    _execute(connection, END_OTHERS)
    connection.autocommit = False
    with connection:
        _execute(connection, MAKE_ROLE)
        _execute(connection, GIVE_OBJECTS)
    connection.autocommit = True


def _write_hba(data: Path) -> None:
    """Replace `pg_hba.conf` atomically, for a server that starts meanwhile."""
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


def _accepts_superuser(folder: Path) -> bool:
    try:
        with _superuser(folder, DATABASE):
            return True
    except psycopg2.OperationalError:
        return False


@contextmanager
def _superuser(folder: Path, database: str) -> Iterator[PgConnection]:
    arguments = {"host": str(folder), "port": 5432, "user": SUPERUSER, "dbname": database, "options": SAFE_OPTIONS}
    connection = psycopg2.connect(**arguments, connect_timeout=CONNECT_SECONDS)
    connection.autocommit = True
    with closing(connection):
        yield connection


def _execute(connection: PgConnection, statement: sql.SQL) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
