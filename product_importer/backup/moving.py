"""Move everything to another database server. The old one keeps what it has."""

from psycopg2.extensions import connection as PgConnection
from redis.exceptions import RedisError

from product_importer.backup import databases, programs
from product_importer.core import other_sessions, queue
from product_importer.core.embedded import servers
from product_importer.core.embedded.servers import ServiceError


def move(to: str) -> dict[str, int]:
    """Copy the database to an empty one, and return the numbers of rows by table.

    The application must not run: what it wrote during the copy would stay behind.

    Raises:
        ServiceError: it runs, the other database is not empty or does not fit, or a program fails.
        OperationalError: a server does not answer.
    """
    with databases.connected(servers.database_url()) as source:
        _require_unused(source)
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
            # What has started meanwhile may have written.
            _require_unused(source)
        return rows


def _require_unused(source: PgConnection) -> None:
    other_sessions.refuse(source)
    workers = _live_workers()
    if workers:
        raise ServiceError(
            f"workers are running ({workers}): stop all of them; one that was killed counts for"
            f" {queue.PRESENT_SECONDS} s more"
        )


def _live_workers() -> int:
    """Return how many workers report in Redis, or 0 if it does not answer: one that waits may not be connected."""
    try:
        return sum(map(queue.live_workers, queue.QUEUES)) if servers.has_redis() else 0
    except RedisError:
        return 0
