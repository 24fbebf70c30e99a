"""Send a test message to a webhook at once, and store it as a delivery in its log."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from product_importer.access.audit import AuditAction
from product_importer.core import db
from product_importer.core.ids import new_id
from product_importer.core.messages import TEST_EVENT, TestMessage
from product_importer.core.outbound.address_policy import policy
from product_importer.core.outbox import Event
from product_importer.webhooks import record
from product_importer.webhooks.delivery import http_attempt
from product_importer.webhooks.delivery.http_attempt import Message, Outcome, Target
from product_importer.webhooks.models import Attempt, Delivery, DeliveryStatus, Webhook
from product_importer.webhooks.schemas import TestResult
from product_importer.webhooks.service import get_webhook


@dataclass(frozen=True)
class _Test:
    webhook_id: UUID
    event_id: UUID
    payload: dict[str, Any]


async def test_webhook(webhook_id: UUID) -> TestResult:
    """Send a test message and return its outcome. While it waits it holds neither a transaction nor a thread.

    Raises:
        NotFound: the webhook does not exist.
    """
    # Recorded before it is sent: nothing leaves unrecorded.
    target = await asyncio.to_thread(db.run, _test_target, webhook_id)
    body = TestMessage(event_type=TEST_EVENT, webhook_id=webhook_id, timestamp=time.time())
    test = _Test(webhook_id, new_id(), body.model_dump(mode="json"))
    outcome = await _send(test, target)
    await asyncio.to_thread(db.run, _store, test, outcome)
    return TestResult(
        success=outcome.succeeded,
        status_code=outcome.status_code,
        response_time_ms=outcome.response_time_ms,
        error=outcome.error,
    )


test_webhook.__test__ = False  # type: ignore[attr-defined]


def _test_target(session: Session, webhook_id: UUID) -> Target:
    webhook = get_webhook(session, webhook_id)
    record.used(session, AuditAction.WEBHOOK_TESTED, webhook)
    now = session.scalars(select(func.now())).one()
    stored = [webhook.secret]
    if webhook.previous_secret and webhook.previous_secret_until and webhook.previous_secret_until > now:
        stored.append(webhook.previous_secret)
    return Target(webhook.url, tuple(stored))


async def _send(test: _Test, target: Target) -> Outcome:
    message = Message(str(test.event_id), TEST_EVENT, http_attempt.encode_body(test.payload))
    address_policy = policy()
    async with http_attempt.new_client(address_policy) as client:
        return await http_attempt.send(client, address_policy, target, message)


def _store(session: Session, test: _Test, outcome: Outcome) -> None:
    """Store a test as an event that is dispatched, with a delivery that is over; senders have nothing to do."""
    webhook = session.get(Webhook, test.webhook_id)
    if webhook is None or webhook.deleted_at is not None:
        return
    now = session.scalar(select(func.now()))
    session.add(Event(id=test.event_id, event_type=TEST_EVENT, payload=test.payload, dispatched_at=now))
    result: dict[str, Any] = {
        "status_code": outcome.status_code,
        "response_time_ms": outcome.response_time_ms,
        "response_excerpt": outcome.excerpt,
        "error": outcome.error,
    }
    delivery = Delivery(
        webhook_id=test.webhook_id,
        event_id=test.event_id,
        event_type=TEST_EVENT,
        is_test=True,
        status=DeliveryStatus.SUCCEEDED if outcome.succeeded else DeliveryStatus.FAILED,
        attempts=1,
        tries=1,
        created_at=outcome.started_at,
        last_attempt_at=outcome.started_at,
        **result,
    )
    session.add(delivery)
    session.flush()
    session.add(
        Attempt(
            delivery_id=delivery.id,
            number=1,
            started_at=outcome.started_at,
            url=outcome.url,
            request_headers=outcome.request_headers,
            response_headers=outcome.response_headers,
            **result,
        )
    )
