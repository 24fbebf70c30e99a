"""Add up what the overview shows, at a cost that does not grow with the catalogue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlmodel import Session, col, func, select

from product_importer.catalog.search import product_query
from product_importer.imports.activity import find_active
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.models import ACTIVE, HAS_WRITTEN, ImportJob, ImportStatus
from product_importer.imports.schemas import ImportRead

DAYS = 30
MAX_REASONS = 6
# Inactive products are counted up to this number. More are estimated, by what the server knows of their index.
MAX_COUNTED = 20_000
SUMS = ("created", "updated", "rejected")

INACTIVE = text("SELECT count(*) FROM (SELECT 1 FROM product WHERE NOT active LIMIT :maximum) AS inactive")
ESTIMATED = text("SELECT reltuples FROM pg_class WHERE oid = 'ix_product_inactive'::regclass")
# Each day reads its part of an index that holds these columns.
ROWS_BY_DAY = text(f"""
SELECT day, rows.*
FROM unnest(cast(:days AS date[]), cast(:begins AS timestamptz[]), cast(:ends AS timestamptz[]))
    AS days (day, begins, ends)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(created), 0) AS created, coalesce(sum(updated), 0) AS updated,
        coalesce(sum(rejected), 0) AS rejected
    FROM import_job WHERE finished_at >= begins AND finished_at < ends AND {HAS_WRITTEN}
) AS rows
ORDER BY day
""")
ENDED = text(f"""
SELECT status, count(*) AS number FROM import_job WHERE finished_at >= :since AND {HAS_WRITTEN} GROUP BY status
""")
# With the newest import of each reason, which shows such rows.
REASONS = text("""
SELECT code, number, (
    SELECT job_id FROM import_reject_count AS newest
    WHERE newest.code = reasons.code AND newest.ended_at > now() - make_interval(days => :days)
    ORDER BY ended_at DESC LIMIT 1
) AS job_id
FROM (
    SELECT code, sum(number) AS number FROM import_reject_count
    WHERE ended_at > now() - make_interval(days => :days) GROUP BY code ORDER BY 2 DESC, 1 LIMIT :maximum
) AS reasons
ORDER BY number DESC, code
""")


@dataclass(frozen=True)
class Catalogue:
    """How many products there are, and how many of them are inactive; this number may be an estimate."""

    total: int
    inactive: int
    is_exact: bool


@dataclass(frozen=True)
class Day:
    """The rows of the imports, and the products of the actions, that ended on one day."""

    day: date
    created: int
    updated: int
    rejected: int


@dataclass(frozen=True)
class Reason:
    """How many rows were rejected with a code, and the newest import that has such rows."""

    code: RowErrorCode
    number: int
    job_id: UUID


@dataclass(frozen=True)
class Numbers:
    """All that the overview counts: imports and actions that run now, that wait, and that have ended today."""

    catalogue: Catalogue
    running: int = 0
    waiting: int = 0
    completed: int = 0
    failed: int = 0
    days: list[Day] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)


def read_numbers(session: Session, zone: str) -> Numbers:
    """Return the numbers; days are those of a time zone."""
    starts = day_starts(zone)
    active = _active(session)
    ended = {row.status: row.number for row in session.execute(ENDED, {"since": starts[-2]})}
    return Numbers(
        catalogue=_catalogue(session),
        running=active.get(ImportStatus.PROCESSING, 0),
        waiting=active.get(ImportStatus.PENDING, 0),
        completed=ended.get(ImportStatus.COMPLETED, 0),
        failed=ended.get(ImportStatus.FAILED, 0),
        days=_with_running(_rows_by_day(session, starts), find_active(session)),
        reasons=_reasons(session),
    )


def day_starts(zone: str) -> list[datetime]:
    """Return when each of the last `DAYS` days began in a time zone, and when today ends."""
    place = UTC if zone == "UTC" else ZoneInfo(zone)
    tomorrow = datetime.now(place).date() + timedelta(days=1)
    return [datetime.combine(tomorrow - timedelta(days=ago), time.min, place) for ago in range(DAYS, -1, -1)]


def _catalogue(session: Session) -> Catalogue:
    total = product_query.catalogue_size(session)
    inactive = int(session.scalar(INACTIVE, {"maximum": MAX_COUNTED}) or 0)
    if inactive < MAX_COUNTED:
        return Catalogue(total, inactive, is_exact=True)
    # Before the first ANALYZE it is negative.
    estimated = int(session.scalar(ESTIMATED) or 0)
    return Catalogue(total, min(total, max(estimated, MAX_COUNTED)), is_exact=False)


def _active(session: Session) -> dict[str, int]:
    """Return how many imports and actions are not over, by status."""
    status = col(ImportJob.status)
    return dict(session.exec(select(status, func.count()).where(status.in_(ACTIVE)).group_by(status)).all())


def _rows_by_day(session: Session, starts: Sequence[datetime]) -> list[Day]:
    *begins, _ = starts
    bounds = {"days": [begin.date() for begin in begins], "begins": begins, "ends": list(starts[1:])}
    return [Day(*row) for row in session.execute(ROWS_BY_DAY, bounds)]


def _with_running(days: Sequence[Day], running: Iterable[ImportRead]) -> list[Day]:
    """Add what active imports have written already to the last day."""
    *earlier, today = days
    written = [job for job in running if not job.choices.dry_run or job.applied_at]
    sums = {name: getattr(today, name) + sum(getattr(job, name) for job in written) for name in SUMS}
    return [*earlier, Day(today.day, **sums)]


def _reasons(session: Session) -> list[Reason]:
    found: Any = session.execute(REASONS, {"days": DAYS, "maximum": MAX_REASONS})
    return [Reason(RowErrorCode(code), int(number), job_id) for code, number, job_id in found]
