"""The sender's SQL: turn events into deliveries, and claim due deliveries; outcomes.py records what became of them.

Each is one statement over many rows. Rows are locked with SKIP LOCKED, so that several senders can work at the same
time. A claim expires, so that the deliveries of a killed sender are sent again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from product_importer.webhooks.delivery.http_attempt import Message, Outcome, Target, encode_body
from product_importer.webhooks.delivery.outcomes import ClaimedDelivery, record
from product_importer.webhooks.models import DeliveryStatus, ImportEvents

MAX_EVENTS_PER_DISPATCH = 1_000
# With many webhooks fewer events are dispatched at once, so that the transaction stays short.
MAX_DELIVERIES_PER_DISPATCH = 20_000
# Deliveries in flight: to one webhook, to one whose last attempt failed, and in all. A slow receiver delays no other.
MAX_IN_FLIGHT_PER_WEBHOOK = 20
MAX_IN_FLIGHT_FAILING = 4
MAX_IN_FLIGHT = 500
# Longer than an attempt can take. After that another sender may claim the delivery.
CLAIM_SECONDS = 30

# `{condition}` selects single events or those of a batch; each kind has its own partial index. `next_attempt_at` is
# the time of the statement, not of the transaction: two transactions may dispatch a batch in another order than they
# began.
DISPATCH = f"""
WITH taken AS MATERIALIZED (
    SELECT id, event_type, batch_id, created_at, payload FROM event WHERE dispatched_at IS NULL AND {{condition}}
    ORDER BY id
    LIMIT (SELECT least(:max_events, greatest(1, :max_deliveries / greatest(1, count(*)))) FROM webhook WHERE enabled)
    FOR UPDATE SKIP LOCKED
), marked AS (
    UPDATE event SET dispatched_at = now() FROM taken WHERE event.id = taken.id
), added AS (
    INSERT INTO webhook_delivery (id, webhook_id, event_id, event_type, product_id, next_attempt_at)
    SELECT gen_random_uuid(), webhook.id, taken.id, taken.event_type, (taken.payload ->> 'product_id')::uuid,
        statement_timestamp()
    FROM taken JOIN webhook ON taken.event_type = ANY(webhook.event_types)
    WHERE webhook.enabled AND webhook.deleted_at IS NULL AND webhook.created_at <= taken.created_at
        AND (taken.batch_id IS NULL OR webhook.import_events = '{ImportEvents.EACH}')
    ORDER BY taken.id
    ON CONFLICT (event_id, webhook_id) DO NOTHING
)
SELECT count(*) FROM taken
"""
DISPATCH_SINGLE = text(DISPATCH.format(condition="batch_id IS NULL"))
DISPATCH_BATCH = text(DISPATCH.format(condition="batch_id = :batch_id"))
# The lock lets only one sender at a time dispatch a batch, to keep the order of its events.
LOCK_RELEASED_BATCH = text(
    "SELECT id FROM event_batch WHERE released_at IS NOT NULL ORDER BY released_at LIMIT 1 FOR UPDATE SKIP LOCKED"
)
DELETE_BATCH = text("DELETE FROM event_batch WHERE id = :batch_id")

CLAIM = text(f"""
WITH due AS MATERIALIZED (
    SELECT found.id FROM webhook, LATERAL (
        SELECT id, next_attempt_at, event_id FROM webhook_delivery
        WHERE webhook_id = webhook.id AND status = '{DeliveryStatus.PENDING}'
            AND next_attempt_at <= statement_timestamp() AND (claimed_until IS NULL OR claimed_until < now())
        ORDER BY next_attempt_at, event_id
        LIMIT greatest(0, CASE WHEN webhook.first_failed_at IS NULL THEN :per_webhook ELSE :failing END
            - coalesce((CAST(:in_flight AS jsonb) ->> CAST(webhook.id AS text))::integer, 0))
        FOR UPDATE SKIP LOCKED
    ) AS found
    WHERE webhook.enabled AND webhook.deleted_at IS NULL
    ORDER BY found.next_attempt_at, found.event_id LIMIT :room
), claimed AS (
    UPDATE webhook_delivery AS delivery SET claimed_until = now() + make_interval(secs => :seconds)
    FROM due WHERE delivery.id = due.id
    RETURNING delivery.id, delivery.webhook_id, delivery.event_id, delivery.tries, delivery.next_attempt_at
)
SELECT claimed.id, webhook_id, event_id, tries, next_attempt_at, url, secret, event_type, payload, version,
    CASE WHEN previous_secret_until > now() THEN previous_secret END AS previous_secret
FROM claimed JOIN webhook ON webhook.id = webhook_id JOIN event ON event.id = event_id
ORDER BY next_attempt_at, event_id
""")

NEXT_DUE = text(f"""
SELECT extract(epoch FROM min(found.next_attempt_at) - now()) FROM webhook, LATERAL (
    SELECT next_attempt_at FROM webhook_delivery
    WHERE webhook_id = webhook.id AND status = '{DeliveryStatus.PENDING}' ORDER BY next_attempt_at LIMIT 1
) AS found
WHERE webhook.enabled AND webhook.deleted_at IS NULL
""")


@dataclass(frozen=True)
class SyncResult:
    """The number of events that were dispatched, and the deliveries to send now, in order."""

    dispatched: int
    claimed: list[ClaimedDelivery]


def sync(
    session: Session, outcomes: Sequence[tuple[ClaimedDelivery, Outcome]], in_flight: Mapping[UUID, int], room: int
) -> SyncResult:
    """Record outcomes, turn events into deliveries, and claim at most `room` due ones; see `claim`."""
    record(session, outcomes)
    return SyncResult(dispatch(session), claim(session, in_flight, room))


def dispatch(session: Session) -> int:
    """Turn waiting events into deliveries; return the number of events."""
    limits = {"max_events": MAX_EVENTS_PER_DISPATCH, "max_deliveries": MAX_DELIVERIES_PER_DISPATCH}
    dispatched = session.execute(DISPATCH_SINGLE, limits).scalar_one()
    batch_id = session.scalar(LOCK_RELEASED_BATCH)
    if batch_id is not None:
        from_batch = session.execute(DISPATCH_BATCH, limits | {"batch_id": batch_id}).scalar_one()
        if not from_batch:
            session.execute(DELETE_BATCH, {"batch_id": batch_id})
        dispatched += from_batch
    return int(dispatched)


def claim(session: Session, in_flight: Mapping[UUID, int], room: int) -> list[ClaimedDelivery]:
    """Claim at most `room` due deliveries, oldest first, within the limits for each webhook.

    `in_flight` is the number of deliveries that this sender has in flight, by webhook.
    """
    if room <= 0:
        return []
    limits = {
        "per_webhook": MAX_IN_FLIGHT_PER_WEBHOOK,
        "failing": MAX_IN_FLIGHT_FAILING,
        "room": room,
        "seconds": CLAIM_SECONDS,
    }
    counts = json.dumps({str(webhook): count for webhook, count in in_flight.items()})
    return [_claimed_delivery(row) for row in session.execute(CLAIM, limits | {"in_flight": counts})]


def next_due(session: Session) -> float | None:
    """Return the seconds until the next delivery is due, claimed or not; None if none is pending."""
    seconds = session.execute(NEXT_DUE).scalar_one()
    return None if seconds is None else max(0.0, float(seconds))


def _claimed_delivery(row: Any) -> ClaimedDelivery:
    stored = (row.secret, row.previous_secret) if row.previous_secret else (row.secret,)
    message = Message(str(row.event_id), row.event_type, encode_body(row.payload), row.version)
    target = Target(row.url, stored)
    return ClaimedDelivery(row.id, row.webhook_id, row.tries, row.next_attempt_at, target, message)
