"""Drop tables of our own beside others that read them: a backup reads each table until its end."""

from psycopg2 import sql
from psycopg2.errors import LockNotAvailable
from psycopg2.extensions import connection as PgConnection

from product_importer.core.db import identifier

# Queries end sooner, and autovacuum gives way after one second.
WAIT_SECONDS = 2
BEGIN = f"SAVEPOINT dropping; SET LOCAL lock_timeout = '{WAIT_SECONDS}s'"
DROP = sql.SQL("DROP TABLE IF EXISTS {table}")
LEAVE = "ROLLBACK TO SAVEPOINT dropping"
END = "RELEASE SAVEPOINT dropping; SET LOCAL lock_timeout = DEFAULT"


def drop_unread(connection: PgConnection, table: str) -> bool:
    """Drop a table, if there is one, unless another transaction goes on reading it; return whether it is gone."""
    with connection.cursor() as cursor:
        cursor.execute(BEGIN)
        try:
            cursor.execute(DROP.format(table=identifier(table)))
        except LockNotAvailable:
            cursor.execute(LEAVE)
        else:
            cursor.execute(END)
            return True
    return False
