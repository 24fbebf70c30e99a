"""Puts right what a killed sender or a wiped Redis left, and deletes what is old, a little at a time."""

import logging
import time
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import Session, select

from product_importer.core import queue
from product_importer.core.outbox import DELIVER
from product_importer.core.settings import settings
from product_importer.webhooks.models import DeliveryStatus

log = logging.getLogger(__name__)

# Any number will do that no other use of advisory locks has; held for one transaction, never for a session.
ADVISORY_LOCK = 7_301_003
# A nudge gets this long before it counts as lost.
NOTIFY_SECONDS = 2
# Every few seconds so many: a million a quarter of an hour, and nobody waits for a lock.
DELETE_AT_ONCE = 5_000
DAY_MILLISECONDS = 24 * 3600 * 1000

IS_DUE = text(f"""
SELECT EXISTS (
    SELECT FROM event WHERE dispatched_at IS NULL AND batch_id IS NULL
        AND created_at < now() - interval '{NOTIFY_SECONDS} seconds'
) OR EXISTS (
    SELECT FROM event_batch WHERE released_at < now() - interval '{NOTIFY_SECONDS} seconds'
) OR EXISTS (
    SELECT FROM webhook, LATERAL (
        SELECT FROM webhook_delivery
        WHERE webhook_id = webhook.id AND status = '{DeliveryStatus.PENDING}'
            AND next_attempt_at < now() - interval '{NOTIFY_SECONDS} seconds'
            AND (claimed_until IS NULL OR claimed_until < now())
        LIMIT 1
    ) AS due
    WHERE webhook.enabled AND webhook.deleted_at IS NULL
)
""")
# An event's id begins with the time at which it was made (RFC 9562, 5.7): the primary key finds the old ones.
OLD = "(SELECT id FROM event WHERE id < :before AND dispatched_at IS NOT NULL ORDER BY id LIMIT :most) AS old"
# One event may have hundreds of deliveries: these are counted, and an event goes when it has none left.
PRUNE_DELIVERIES = text(f"""
DELETE FROM webhook_delivery WHERE id IN (
    SELECT delivery.id FROM {OLD} JOIN webhook_delivery AS delivery ON event_id = old.id LIMIT :most
)
""")
PRUNE_EVENTS = text(f"""
DELETE FROM event USING {OLD} WHERE event.id = old.id
    AND NOT EXISTS (SELECT FROM webhook_delivery WHERE event_id = old.id)
""")
CLEAR = text("""
DELETE FROM webhook_delivery WHERE id IN (
    SELECT delivery.id FROM webhook JOIN webhook_delivery AS delivery ON webhook_id = webhook.id
    WHERE deleted_at IS NOT NULL LIMIT :most
)
""")
FORGET = text("""
DELETE FROM webhook WHERE deleted_at < now() - interval '1 hour'
    AND NOT EXISTS (SELECT FROM webhook_delivery WHERE webhook_id = webhook.id)
""")


def reconcile(session: Session) -> None:
    """Nudge the webhook workers when something is due, and delete events and deliveries that are old."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(ADVISORY_LOCK))):
        return
    if session.scalar(IS_DUE):
        queue.notify_after_commit(session, DELIVER)
    prune(session)


def prune(session: Session) -> None:
    """Delete some of what is older than `EVENT_RETENTION_DAYS`, and of what deleted webhooks left."""
    limits = {"before": oldest_id(settings().event_retention_days), "most": DELETE_AT_ONCE}
    session.execute(PRUNE_DELIVERIES, limits)
    session.execute(PRUNE_EVENTS, limits)
    session.execute(CLEAR, {"most": DELETE_AT_ONCE})
    session.execute(FORGET)


def oldest_id(days: int) -> UUID:
    """Return the smallest id of an event that is not older than so many days."""
    milliseconds = time.time_ns() // 1_000_000 - days * DAY_MILLISECONDS
    return UUID(int=milliseconds << 80)
