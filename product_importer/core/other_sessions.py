"""Refuse to do what must be done alone while others are connected to the database."""

import time

from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection

from product_importer.core.embedded.files import ServiceError

# A server process outlives its closed connection by a moment.
LEAVING_SECONDS = 5
LOOK_AGAIN_SECONDS = 0.1
# A transaction sees the sessions of its first look until it clears them. Sessions of Citus name themselves so. The
# type of another role's session is hidden; PostgreSQL's own processes have no role.
OTHERS = sql.SQL("""
SELECT pg_stat_clear_snapshot();
SELECT count(*), coalesce(min(nullif(application_name, '')), 'unnamed') FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
    AND coalesce(backend_type, 'client backend') = 'client backend' AND application_name !~* '^citus'
""")


def refuse(connection: PgConnection) -> None:
    """Refuse while there are other sessions; those that are just ending are waited for.

    Raises:
        ServiceError: there are some; the message names one.
    """
    until = time.monotonic() + LEAVING_SECONDS
    while True:
        number, name = _others(connection)
        if not number:
            return
        if time.monotonic() > until:
            raise ServiceError(
                f"other sessions use the database ({number}, one is “{name}”):"
                " stop web, workers, poolers and all others"
            )
        time.sleep(LOOK_AGAIN_SECONDS)


def _others(connection: PgConnection) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(OTHERS)
        number, name = cursor.fetchone() or (0, "")
    return number, name
