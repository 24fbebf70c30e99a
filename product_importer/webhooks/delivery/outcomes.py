"""The sender's SQL: record the outcomes of attempts, and disable webhooks that are gone or keep failing."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session

from product_importer.core.messages import TEST_EVENT
from product_importer.webhooks.delivery.http_attempt import Message, Outcome, Target, next_delay
from product_importer.webhooks.models import DeliveryStatus

log = logging.getLogger(__name__)

FAILING_DAYS = 5

GONE_REASON = "The receiver answered 410 Gone: it wants no more messages."
FAILING_REASON = f"Every attempt of the last {FAILING_DAYS} days has failed."

# If somebody sent the delivery again during the attempt, `next_attempt_at` differs from `due`. Then a failure changes
# neither `tries` nor `next_attempt_at`.
RECORD = text(f"""
WITH outcome AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS given (
        id uuid, due timestamptz, started_at timestamptz, status_code integer, response_time_ms integer,
        response_excerpt text, error text, delay double precision, url text, request_headers jsonb,
        response_headers jsonb
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
    RETURNING delivery.id, delivery.webhook_id, delivery.attempts, delivery.is_test
), counted AS (
    INSERT INTO webhook_hour AS hour (webhook_id, hour, succeeded, failed)
    SELECT webhook_id, date_trunc('hour', started_at, 'UTC'), count(*) FILTER (WHERE error IS NULL),
        count(*) FILTER (WHERE error IS NOT NULL)
    FROM changed JOIN outcome USING (id) WHERE NOT is_test GROUP BY 1, 2
    -- In order, so that two senders cannot deadlock.
    ORDER BY 1, 2
    ON CONFLICT (webhook_id, hour) DO UPDATE
    SET succeeded = hour.succeeded + excluded.succeeded, failed = hour.failed + excluded.failed
)
INSERT INTO webhook_attempt (
    delivery_id, number, started_at, status_code, response_time_ms, response_excerpt, error, url, request_headers,
    response_headers
)
SELECT id, attempts, started_at, status_code, response_time_ms, response_excerpt, error, url, request_headers,
    response_headers
FROM changed JOIN outcome USING (id)
""")

IDS = bindparam("ids", type_=ARRAY(Uuid))
CLEAR_FIRST_FAILURE = text(
    "UPDATE webhook SET first_failed_at = NULL WHERE id = ANY(:ids) AND first_failed_at IS NOT NULL"
).bindparams(IDS)
SET_FIRST_FAILURE = text(
    "UPDATE webhook SET first_failed_at = now() WHERE id = ANY(:ids) AND first_failed_at IS NULL"
).bindparams(IDS)
DISABLE = (
    "UPDATE webhook SET enabled = false, disabled_reason = :reason, updated_at = now() "
    "WHERE id = ANY(:ids) AND enabled {when}"
)
DISABLE_GONE = text(DISABLE.format(when="RETURNING id")).bindparams(IDS)
DISABLE_FAILING = text(
    DISABLE.format(when=f"AND first_failed_at < now() - interval '{FAILING_DAYS} days' RETURNING id")
).bindparams(IDS)


@dataclass(frozen=True)
class ClaimedDelivery:
    """A claimed delivery. `tries` counts the failed attempts before this one, which was due at `due`."""

    delivery_id: UUID
    webhook_id: UUID
    tries: int
    due: datetime
    target: Target
    message: Message


def record(session: Session, outcomes: Sequence[tuple[ClaimedDelivery, Outcome]]) -> None:
    """Store the outcomes of attempts, and disable webhooks that are gone or have failed for `FAILING_DAYS`."""
    if not outcomes:
        return
    rows = [_outcome_row(delivery, outcome) for delivery, outcome in outcomes]
    session.execute(RECORD, {"outcomes": json.dumps(rows)})
    succeeded = {delivery.webhook_id for delivery, outcome in outcomes if outcome.succeeded}
    failed = {delivery.webhook_id for delivery, outcome in outcomes} - succeeded
    _update_webhooks(session, CLEAR_FIRST_FAILURE, succeeded)
    _update_webhooks(session, SET_FIRST_FAILURE, failed)
    gone = {delivery.webhook_id for delivery, outcome in outcomes if outcome.is_gone}
    _disable(session, DISABLE_GONE, gone, GONE_REASON)
    _disable(session, DISABLE_FAILING, failed, FAILING_REASON)


def _outcome_row(delivery: ClaimedDelivery, outcome: Outcome) -> dict[str, Any]:
    return {
        "id": str(delivery.delivery_id),
        "due": delivery.due.isoformat(),
        "started_at": outcome.started_at.isoformat(),
        "status_code": outcome.status_code,
        "response_time_ms": outcome.response_time_ms,
        "response_excerpt": outcome.excerpt,
        "error": outcome.error,
        "delay": _delay(delivery, outcome),
        "url": outcome.url,
        "request_headers": outcome.request_headers,
        "response_headers": outcome.response_headers,
    }


def _delay(delivery: ClaimedDelivery, outcome: Outcome) -> float | None:
    """Return the seconds until the next attempt; None if there is none: a test is not retried."""
    is_over = outcome.succeeded or delivery.message.event_type == TEST_EVENT
    return None if is_over else next_delay(delivery.tries + 1, outcome.retry_after)


def _update_webhooks(session: Session, statement: TextClause, webhooks: set[UUID], **values: Any) -> list[UUID]:
    """Run an UPDATE for these webhooks; return the ids that it returns."""
    if not webhooks:
        return []
    # Sorted, so that two senders cannot deadlock.
    result: Any = session.execute(statement, {"ids": sorted(webhooks), **values})
    return [row.id for row in result] if result.returns_rows else []


def _disable(session: Session, statement: TextClause, webhooks: set[UUID], reason: str) -> None:
    for webhook in _update_webhooks(session, statement, webhooks, reason=reason):
        log.warning("webhook %s is disabled: %s", webhook, reason)
