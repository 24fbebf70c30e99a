"""Move everything to another database server. The old one keeps what it has."""

from psycopg2.extensions import connection as PgConnection

from product_importer.backup import databases, programs
from product_importer.core.embedded.servers import database_url


def move(to: str) -> dict[str, int]:
    """Copy the database to an empty one, and return the numbers of rows by table.

    The application must not run: what it wrote during the copy would stay behind.

    Raises:
        ServiceError: it runs, the other database is not empty or does not fit, or a program fails.
        OperationalError: a server does not answer.
    """
    with databases.connected(database_url()) as source:
        databases.require_quiet(source)
        source.rollback()
        with databases.connected(to) as target:
            databases.require_free(target)
            target.rollback()
            return _copy(source, target)


def _copy(source: PgConnection, target: PgConnection) -> dict[str, int]:
    with databases.snapshot(source) as snapshot:
        databases.revision(source)
        rows = databases.count_rows(source)
        with programs.dumped(source, snapshot) as dump, programs.restored(dump, target, rows):
            return rows
