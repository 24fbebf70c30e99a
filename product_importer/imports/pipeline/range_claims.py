"""Claim ranges of an import: each has a holder, a lease that its holder renews, and a fencing token of its own.

Any worker that can read the import's sorted rows may claim ranges of it. One that dies gives back its own ranges
only, when their leases have run out. All functions work inside the caller's transaction; who also writes the job's
row does that afterwards, so that all take locks in one order.
"""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as PgConnection

from product_importer.imports.pipeline.cuts import KeyRange
from product_importer.imports.pipeline.lease import LEASE_SECONDS, helper_name, owner_name

# A transaction may have waited long: its own time, `now()`, would give a lease that is over.
CLAIM = """
WITH free AS MATERIALIZED (
    SELECT job_id, number, CASE WHEN lease_until IS NOT NULL THEN holder END AS earlier FROM import_range
    WHERE job_id = %(job_id)s AND done_at IS NULL AND (lease_until IS NULL OR lease_until < clock_timestamp())
    ORDER BY number LIMIT %(count)s FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE import_range AS taken
    SET holder = %(holder)s, fence = fence + 1,
        lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
    FROM free WHERE taken.job_id = free.job_id AND taken.number = free.number
    RETURNING taken.*, earlier
)
SELECT number, (
    SELECT last_key FROM import_range AS before
    WHERE before.job_id = claimed.job_id AND before.number < claimed.number ORDER BY number DESC LIMIT 1
), last_key, first_number, fence, earlier::text FROM claimed ORDER BY number
"""
# A stopped process keeps its locks: end the transactions of earlier holders, or this one waits for them. Those of the
# import's own worker are ended only while it has none: another one may have taken over, and has the same name.
END_EARLIER_HOLDERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = current_user AND pid <> pg_backend_pid() AND (
    application_name = ANY(%(helpers)s)
    OR application_name = %(owner)s
    AND EXISTS (SELECT FROM import_job WHERE id = %(job_id)s AND lease_until < now())
)
"""
MARK_DONE = """
UPDATE import_range SET done_at = now(), lease_until = NULL
WHERE job_id = %(job_id)s AND number = %(number)s AND fence = %(fence)s AND done_at IS NULL
"""
# A range that is locked is being finished: its lease is not needed any more.
RENEW = """
UPDATE import_range SET lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE (job_id, number) IN (
    SELECT job_id, number FROM import_range
    WHERE job_id = %(job_id)s AND holder = %(holder)s AND lease_until IS NOT NULL AND done_at IS NULL
    FOR UPDATE SKIP LOCKED
)
"""
RELEASE = """
UPDATE import_range SET lease_until = NULL
WHERE job_id = %(job_id)s AND holder = %(holder)s AND lease_until IS NOT NULL AND done_at IS NULL
"""
FREE = "(lease_until IS NULL OR lease_until < clock_timestamp())"
LEFT = f"""
SELECT count(*), count(*) FILTER (WHERE {FREE}) FROM import_range WHERE job_id = %(job_id)s AND done_at IS NULL
"""


class Claim(NamedTuple):
    """A claimed range and its fencing token."""

    key_range: KeyRange
    fence: int


class Left(NamedTuple):
    """The ranges of an import that are not done, and those of them that can be claimed."""

    undone: int
    claimable: int


def claim(connection: PgConnection, job_id: UUID, holder: UUID, count: int) -> list[Claim]:
    """Claim the first ranges that nobody holds, at most `count`; return them in the order of keys."""
    values = {"job_id": str(job_id), "holder": str(holder), "count": count, "lease": LEASE_SECONDS}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        rows = cursor.fetchall()
    _end_earlier_holders(connection, job_id, {UUID(row[-1]) for row in rows if row[-1]} - {holder})
    return [Claim(KeyRange(row[0], row[1] or "", row[2], row[3]), row[4]) for row in rows]


def _end_earlier_holders(connection: PgConnection, job_id: UUID, holders: Collection[UUID]) -> None:
    if not holders:
        return
    helpers = [helper_name(holder) for holder in holders if holder != job_id]
    owner = owner_name(job_id) if job_id in holders else None
    with connection.cursor() as cursor:
        cursor.execute(END_EARLIER_HOLDERS, {"job_id": str(job_id), "helpers": helpers, "owner": owner})


def mark_done(connection: PgConnection, job_id: UUID, claimed: Claim) -> bool:
    """Mark a range as done in the transaction that writes it; return False if the claim is outdated."""
    values = {"job_id": str(job_id), "number": claimed.key_range.number, "fence": claimed.fence}
    with connection.cursor() as cursor:
        cursor.execute(MARK_DONE, values)
        marked: int = cursor.rowcount
    return marked == 1


def renew(connection: PgConnection, job_id: UUID, holder: UUID) -> None:
    """Renew the leases of all ranges that a holder has not finished."""
    with connection.cursor() as cursor:
        cursor.execute(RENEW, {"job_id": str(job_id), "holder": str(holder), "lease": LEASE_SECONDS})


def release(connection: PgConnection, job_id: UUID, holder: UUID) -> None:
    """Give back all ranges that a holder has not finished."""
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, {"job_id": str(job_id), "holder": str(holder)})


def left(connection: PgConnection, job_id: UUID) -> Left:
    """Return how many ranges of an import are not done, and how many of these nobody holds."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT, {"job_id": str(job_id)})
        return Left(*(cursor.fetchone() or ()))
