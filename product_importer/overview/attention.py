"""Find what needs somebody's attention, and where it is solved."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlmodel import Session

from product_importer.core import queue
from product_importer.imports.models import ImportStatus
from product_importer.webhooks.models import DeliveryStatus

# What is older is not urgent any more: the history has it.
DAYS = 7
# So many of a kind are named; the others are only counted.
MAX_NAMED = 3
MAX_COUNTED = 1_000
# The text index catches up within seconds; more changes than this slow down each search.
MAX_UNINDEXED = 100_000


class Need(StrEnum):
    """What may need attention."""

    NO_WORKER = "no_worker"
    NO_WEBHOOK_WORKER = "no_webhook_worker"
    FAILED_IMPORT = "failed_import"
    REJECTED_ROWS = "rejected_rows"
    DISABLED_WEBHOOK = "disabled_webhook"
    FAILING_WEBHOOK = "failing_webhook"
    INDEX_BEHIND = "index_behind"


@dataclass(frozen=True)
class Item:
    """One thing that needs attention; `name` is that of the import's file, the action, or the webhook's URL.

    `number` counts the rows, the deliveries, or the others of its kind that are not named: `is_rest`.
    """

    need: Need
    id: UUID | None = None
    name: str = ""
    detail: str = ""
    number: int = 0
    since: datetime | None = None
    is_rest: bool = False
    is_action: bool = False


# A later import of a file of the same name solves it, too: the file was corrected. So does the same action.
FAILED = text(f"""
SELECT id, filename, error_message, finished_at, action IS NOT NULL AS is_action FROM import_job AS failed
WHERE status = '{ImportStatus.FAILED}' AND finished_at > now() - make_interval(days => :days)
    AND undo_status IS NULL AND NOT EXISTS (
        SELECT FROM import_job AS later
        WHERE later.filename = failed.filename AND later.action IS NOT DISTINCT FROM failed.action
            AND later.created_at > failed.created_at
            AND later.status IN ('{ImportStatus.PENDING}', '{ImportStatus.PROCESSING}', '{ImportStatus.COMPLETED}')
    )
ORDER BY finished_at DESC LIMIT :maximum
""")
# An import of the fixed rows names the one that rejected them as its parent.
TO_CORRECT = text(f"""
SELECT id, filename, rejected, finished_at FROM import_job AS job
WHERE status = '{ImportStatus.COMPLETED}' AND rejected > 0 AND finished_at > now() - make_interval(days => :days)
    AND undo_status IS NULL AND NOT EXISTS (
        SELECT FROM import_job AS fixed WHERE fixed.parent_id = job.id
            AND fixed.status IN ('{ImportStatus.PENDING}', '{ImportStatus.PROCESSING}', '{ImportStatus.COMPLETED}')
    )
ORDER BY finished_at DESC LIMIT :maximum
""")
DISABLED = text("""
SELECT id, url, disabled_reason FROM webhook
WHERE deleted_at IS NULL AND NOT enabled AND disabled_reason IS NOT NULL ORDER BY updated_at DESC LIMIT :maximum
""")
# The deliveries of each are read from an index of those that wait.
FAILING = text(f"""
SELECT id, url, first_failed_at, (
    SELECT count(*) FILTER (WHERE tries > 0) FROM (
        SELECT tries FROM webhook_delivery
        WHERE webhook_id = webhook.id AND status = '{DeliveryStatus.PENDING}' LIMIT :maximum
    ) AS waiting
) AS retrying
FROM webhook WHERE deleted_at IS NULL AND enabled AND first_failed_at IS NOT NULL
ORDER BY first_failed_at LIMIT :named
""")
FAILING_NUMBER = text("""
SELECT count(*) FROM webhook WHERE deleted_at IS NULL AND enabled AND first_failed_at IS NOT NULL
""")
HAS_WEBHOOKS = text("SELECT EXISTS (SELECT FROM webhook WHERE deleted_at IS NULL AND enabled)")
UNINDEXED = text("""
SELECT (SELECT coalesce(sum(number), 0) FROM product_change)
    + (SELECT coalesce(sum(rows), 0) FROM search_segment WHERE retired_at IS NULL AND NOT is_indexed)
""")


def find(session: Session) -> list[Item]:
    """Return what needs attention, the most urgent first."""
    return [
        *_workers(session),
        *_imports(session, Need.FAILED_IMPORT),
        *_imports(session, Need.REJECTED_ROWS),
        *_disabled_webhooks(session),
        *_failing_webhooks(session),
        *_text_index(session),
    ]


def _workers(session: Session) -> list[Item]:
    missing = [Need.NO_WORKER] if not _lives("imports") else []
    if session.scalar(HAS_WEBHOOKS) and not _lives("webhooks"):
        missing.append(Need.NO_WEBHOOK_WORKER)
    return [Item(need) for need in missing]


def _lives(name: str) -> bool:
    """Return whether a worker of a queue is alive; not so while Redis, through which it is notified, is away."""
    try:
        return queue.live_workers(name) > 0
    except RedisError:
        return False


def _imports(session: Session, need: Need) -> list[Item]:
    rows = session.execute(
        FAILED if need == Need.FAILED_IMPORT else TO_CORRECT, {"days": DAYS, "maximum": MAX_COUNTED}
    ).all()
    if need == Need.FAILED_IMPORT:
        items = [_failed(row) for row in rows]
    else:
        items = [Item(need, row.id, row.filename, number=row.rejected, since=row.finished_at) for row in rows]
    return _shortened(items, len(items))


def _failed(row: Any) -> Item:
    message = row.error_message or ""
    return Item(Need.FAILED_IMPORT, row.id, row.filename, message, since=row.finished_at, is_action=row.is_action)


def _disabled_webhooks(session: Session) -> list[Item]:
    rows = session.execute(DISABLED, {"maximum": MAX_COUNTED}).all()
    items = [Item(Need.DISABLED_WEBHOOK, row.id, row.url, row.disabled_reason) for row in rows]
    return _shortened(items, len(items))


def _failing_webhooks(session: Session) -> list[Item]:
    rows = session.execute(FAILING, {"maximum": MAX_COUNTED, "named": MAX_NAMED}).all()
    items = [
        Item(Need.FAILING_WEBHOOK, row.id, row.url, number=row.retrying, since=row.first_failed_at) for row in rows
    ]
    return _shortened(items, int(session.scalar(FAILING_NUMBER) or 0))


def _shortened(items: list[Item], total: int) -> list[Item]:
    """Return the first items, and one that counts the others."""
    if total <= MAX_NAMED:
        return items
    return [*items[:MAX_NAMED], Item(items[0].need, number=total - MAX_NAMED, is_rest=True)]


def _text_index(session: Session) -> list[Item]:
    waiting = int(session.scalar(UNINDEXED) or 0)
    return [Item(Need.INDEX_BEHIND, number=waiting)] if waiting > MAX_UNINDEXED else []
