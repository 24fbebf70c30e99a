"""Restart deliveries after a killed worker or a wiped Redis, and delete old events a batch at a time."""

import logging
import time
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from product_importer.core import advisory_locks, queue
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.outbox import DELIVER
from product_importer.core.settings import settings
from product_importer.webhooks.models import DeliveryStatus

log = logging.getLogger(__name__)

# A notification of the workers counts as lost after this time.
NOTIFY_SECONDS = 2
# Rows per statement. Small, so that nothing waits long for a lock: a million rows take a quarter of an hour.
MAX_DELETES = 5_000
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
# Event ids begin with their time (UUIDv7, RFC 9562, 5.7), so the primary key finds the old ones.
OLD_EVENTS = (
    "(SELECT id FROM event WHERE id < :before AND dispatched_at IS NOT NULL ORDER BY id LIMIT :max_deletes) AS old"
)
# One event may have hundreds of deliveries, so the limit counts deliveries. An event is deleted after all of them.
PRUNE_DELIVERIES = text(f"""
DELETE FROM webhook_delivery WHERE id IN (
    SELECT delivery.id FROM {OLD_EVENTS} JOIN webhook_delivery AS delivery ON event_id = old.id LIMIT :max_deletes
)
""")
PRUNE_EVENTS = text(f"""
DELETE FROM event USING {OLD_EVENTS} WHERE event.id = old.id
    AND NOT EXISTS (SELECT FROM webhook_delivery WHERE event_id = old.id)
""")
DELETE_DELIVERIES_OF_DELETED = text("""
DELETE FROM webhook_delivery WHERE id IN (
    SELECT delivery.id FROM webhook JOIN webhook_delivery AS delivery ON webhook_id = webhook.id
    WHERE deleted_at IS NOT NULL LIMIT :max_deletes
)
""")
# A few rows for each webhook and day.
PRUNE_HOURS = text("DELETE FROM webhook_hour WHERE hour < now() - make_interval(days => :days)")
DELETE_WEBHOOKS = text("""
DELETE FROM webhook WHERE deleted_at < now() - interval '1 hour'
    AND NOT EXISTS (SELECT FROM webhook_delivery WHERE webhook_id = webhook.id)
""")


def reconcile(session: Session) -> None:
    """Notify the webhook workers if something is due, and delete old events and deliveries."""
    if not advisory_locks.try_to_hold(session, AdvisoryLock.RECONCILE_WEBHOOKS):
        return
    if session.scalar(IS_DUE):
        queue.notify_after_commit(session, DELIVER)
    prune(session)


def prune(session: Session) -> None:
    """Delete a batch of what is older than `EVENT_RETENTION_DAYS`, and of the deliveries of deleted webhooks."""
    days = settings().event_retention_days
    limits = {"before": oldest_id(days), "max_deletes": MAX_DELETES}
    session.execute(PRUNE_DELIVERIES, limits)
    session.execute(PRUNE_EVENTS, limits)
    session.execute(PRUNE_HOURS, {"days": days})
    session.execute(DELETE_DELIVERIES_OF_DELETED, {"max_deletes": MAX_DELETES})
    session.execute(DELETE_WEBHOOKS)


def oldest_id(days: int) -> UUID:
    """Return the smallest possible id of an event of the last `days` days."""
    milliseconds = time.time_ns() // 1_000_000 - days * DAY_MILLISECONDS
    return UUID(int=milliseconds << 80)
