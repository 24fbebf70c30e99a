"""The sender's transactions: events become deliveries, deliveries are claimed, and outcomes are recorded.

Each is a statement over many rows. Rows are taken with SKIP LOCKED, so that several senders work side by side; a
claim ends by itself, so that what a killed sender had in hand is sent again.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session

from product_importer.webhooks.delivery.http_attempt import Message, Outcome, Target, next_delay, render
from product_importer.webhooks.models import DeliveryStatus, ImportEvents

log = logging.getLogger(__name__)

EVENTS_AT_ONCE = 1_000
# Where many webhooks are told of each event, fewer are taken: a turn is short, however many webhooks there are.
DELIVERIES_AT_ONCE = 20_000
# In flight to one webhook, to one whose last attempt failed, and in all. Slow receivers wait for themselves only.
MAX_EACH = 20
MAX_FAILING = 4
MAX_IN_ALL = 500
# Longer than an attempt can take; then another sender takes the delivery.
CLAIM_SECONDS = 30
FAILING_DAYS = 5

GONE = "The receiver answered 410 Gone: it wants no more messages."
FAILED_FOR_LONG = f"Every attempt of the last {FAILING_DAYS} days has failed."

# `{chosen}` are the events that a webhook may be told of now; each waits in one of two partial indexes. A delivery is
# due by the time of the statement: a transaction that began earlier may come to its turn later.
DISPATCH = f"""
WITH taken AS MATERIALIZED (
    SELECT id, event_type, batch_id, created_at FROM event WHERE dispatched_at IS NULL AND {{chosen}}
    ORDER BY id
    LIMIT (SELECT least(:most, greatest(1, :deliveries / greatest(1, count(*)))) FROM webhook WHERE enabled)
    FOR UPDATE SKIP LOCKED
), marked AS (
    UPDATE event SET dispatched_at = now() FROM taken WHERE event.id = taken.id
), added AS (
    INSERT INTO webhook_delivery (id, webhook_id, event_id, event_type, next_attempt_at)
    SELECT gen_random_uuid(), webhook.id, taken.id, taken.event_type, statement_timestamp()
    FROM taken JOIN webhook ON taken.event_type = ANY(webhook.event_types)
    WHERE webhook.enabled AND webhook.deleted_at IS NULL AND webhook.created_at <= taken.created_at
        AND (taken.batch_id IS NULL OR webhook.import_events = '{ImportEvents.EACH}')
    ORDER BY taken.id
    ON CONFLICT (event_id, webhook_id) DO NOTHING
)
SELECT count(*) FROM taken
"""
SINGLE = text(DISPATCH.format(chosen="batch_id IS NULL"))
OF_A_BATCH = text(DISPATCH.format(chosen="batch_id = :batch"))
# One sender at a time is at a batch, or two would mix up its order.
RELEASED = text(
    "SELECT id FROM event_batch WHERE released_at IS NOT NULL ORDER BY released_at LIMIT 1 FOR UPDATE SKIP LOCKED"
)
END_BATCH = text("DELETE FROM event_batch WHERE id = :batch")

CLAIM = text(f"""
WITH due AS MATERIALIZED (
    SELECT found.id FROM webhook, LATERAL (
        SELECT id, next_attempt_at, event_id FROM webhook_delivery
        WHERE webhook_id = webhook.id AND status = '{DeliveryStatus.PENDING}'
            AND next_attempt_at <= statement_timestamp() AND (claimed_until IS NULL OR claimed_until < now())
        ORDER BY next_attempt_at, event_id
        LIMIT greatest(0, CASE WHEN webhook.first_failed_at IS NULL THEN :each ELSE :failing END
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

# Whoever asked in the meantime for it to be sent again has made it due anew, and that holds, but for a success.
RECORD = text(f"""
WITH outcome AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS given (
        id uuid, due timestamptz, started_at timestamptz, status_code integer, response_time_ms integer,
        response_excerpt text, error text, delay double precision
    )
), changed AS (
    UPDATE webhook_delivery AS delivery
    SET attempts = attempts + 1, claimed_until = NULL, last_attempt_at = outcome.started_at,
        tries = CASE next_attempt_at WHEN due THEN tries + 1 ELSE tries END,
        status = CASE
            WHEN outcome.error IS NULL THEN '{DeliveryStatus.SUCCEEDED}'
            WHEN next_attempt_at = due AND delay IS NULL THEN '{DeliveryStatus.FAILED}'
            ELSE '{DeliveryStatus.PENDING}'
        END,
        next_attempt_at = CASE
            WHEN outcome.error IS NULL THEN NULL
            WHEN next_attempt_at = due THEN now() + make_interval(secs => delay)
            ELSE next_attempt_at
        END,
        status_code = outcome.status_code, response_time_ms = outcome.response_time_ms,
        response_excerpt = outcome.response_excerpt, error = outcome.error
    FROM outcome WHERE delivery.id = outcome.id AND delivery.status = '{DeliveryStatus.PENDING}'
    RETURNING delivery.id, delivery.attempts
)
INSERT INTO webhook_attempt (
    delivery_id, number, started_at, status_code, response_time_ms, response_excerpt, error
)
SELECT id, attempts, started_at, status_code, response_time_ms, response_excerpt, error
FROM changed JOIN outcome USING (id)
""")

IDS = bindparam("ids", type_=ARRAY(Uuid))
WORKS = text(
    "UPDATE webhook SET first_failed_at = NULL WHERE id = ANY(:ids) AND first_failed_at IS NOT NULL"
).bindparams(IDS)
FAILS = text(
    "UPDATE webhook SET first_failed_at = now() WHERE id = ANY(:ids) AND first_failed_at IS NULL"
).bindparams(IDS)
DISABLE = (
    "UPDATE webhook SET enabled = false, disabled_reason = :reason, updated_at = now() "
    "WHERE id = ANY(:ids) AND enabled {when}"
)
DISABLE_GONE = text(DISABLE.format(when="RETURNING id")).bindparams(IDS)
DISABLE_FAILED = text(
    DISABLE.format(when=f"AND first_failed_at < now() - interval '{FAILING_DAYS} days' RETURNING id")
).bindparams(IDS)

NEXT_DUE = text(f"""
SELECT extract(epoch FROM min(found.next_attempt_at) - now()) FROM webhook, LATERAL (
    SELECT next_attempt_at FROM webhook_delivery
    WHERE webhook_id = webhook.id AND status = '{DeliveryStatus.PENDING}' ORDER BY next_attempt_at LIMIT 1
) AS found
WHERE webhook.enabled AND webhook.deleted_at IS NULL
""")


@dataclass(frozen=True)
class Claim:
    """A delivery in hand: what goes where, how many tries failed before, and when this one was due."""

    delivery_id: UUID
    webhook_id: UUID
    tries: int
    due: datetime
    target: Target
    message: Message


@dataclass(frozen=True)
class Turn:
    """What one turn brought: how many events were dispatched, and what is to be sent now, in order."""

    dispatched: int
    claims: list[Claim]


def take_turn(
    session: Session, outcomes: Sequence[tuple[Claim, Outcome]], in_flight: Mapping[UUID, int], room: int
) -> Turn:
    """Record what has come back, turn events into deliveries, and claim what is due."""
    record(session, outcomes)
    return Turn(dispatch(session), claim(session, in_flight, room))


def dispatch(session: Session) -> int:
    """Turn waiting events into deliveries, and return how many events there were."""
    limits = {"most": EVENTS_AT_ONCE, "deliveries": DELIVERIES_AT_ONCE}
    dispatched = session.execute(SINGLE, limits).scalar_one()
    batch = session.scalar(RELEASED)
    if batch is not None:
        of_it = session.execute(OF_A_BATCH, limits | {"batch": batch}).scalar_one()
        if not of_it:
            session.execute(END_BATCH, {"batch": batch})
        dispatched += of_it
    return int(dispatched)


def claim(session: Session, in_flight: Mapping[UUID, int], room: int) -> list[Claim]:
    """Claim due deliveries, the oldest first, at most `room`, and for no webhook more than may be in flight."""
    if room <= 0:
        return []
    limits = {"each": MAX_EACH, "failing": MAX_FAILING, "room": room, "seconds": CLAIM_SECONDS}
    counts = json.dumps({str(webhook): count for webhook, count in in_flight.items()})
    return [_claim(row) for row in session.execute(CLAIM, limits | {"in_flight": counts})]


def record(session: Session, outcomes: Sequence[tuple[Claim, Outcome]]) -> None:
    """Write what attempts brought, and disable webhooks that are gone or have failed for long."""
    if not outcomes:
        return
    rows = [_outcome(claimed, outcome) for claimed, outcome in outcomes]
    session.execute(RECORD, {"outcomes": json.dumps(rows)})
    succeeded = {claimed.webhook_id for claimed, outcome in outcomes if outcome.succeeded}
    failed = {claimed.webhook_id for claimed, outcome in outcomes} - succeeded
    _change(session, WORKS, succeeded)
    _change(session, FAILS, failed)
    gone = {claimed.webhook_id for claimed, outcome in outcomes if outcome.is_gone}
    _disable(session, DISABLE_GONE, gone, GONE)
    _disable(session, DISABLE_FAILED, failed, FAILED_FOR_LONG)


def next_due(session: Session) -> float | None:
    """Return in how many seconds something is due, claimed or not; None for nothing."""
    seconds = session.execute(NEXT_DUE).scalar_one()
    return None if seconds is None else max(0.0, float(seconds))


def _claim(row: Any) -> Claim:
    secrets = (row.secret, row.previous_secret) if row.previous_secret else (row.secret,)
    message = Message(str(row.event_id), row.event_type, render(row.payload), row.version)
    return Claim(row.id, row.webhook_id, row.tries, row.next_attempt_at, Target(row.url, secrets), message)


def _outcome(claimed: Claim, outcome: Outcome) -> dict[str, Any]:
    return {
        "id": str(claimed.delivery_id),
        "due": claimed.due.isoformat(),
        "started_at": outcome.started_at.isoformat(),
        "status_code": outcome.status_code,
        "response_time_ms": outcome.response_time_ms,
        "response_excerpt": outcome.excerpt,
        "error": outcome.error,
        "delay": None if outcome.succeeded else next_delay(claimed.tries + 1, outcome.retry_after),
    }


def _change(session: Session, statement: TextClause, webhooks: set[UUID], **values: Any) -> list[UUID]:
    if not webhooks:
        return []
    # In one order, so that two senders do not wait for each other.
    result: Any = session.execute(statement, {"ids": sorted(webhooks), **values})
    return [row.id for row in result] if result.returns_rows else []


def _disable(session: Session, statement: TextClause, webhooks: set[UUID], reason: str) -> None:
    for webhook in _change(session, statement, webhooks, reason=reason):
        log.warning("webhook %s is disabled: %s", webhook, reason)
