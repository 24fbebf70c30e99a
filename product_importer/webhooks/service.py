"""What can be done with webhooks. Services never commit: the caller owns the transaction."""

import asyncio
import time
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from product_importer.core import db, queue
from product_importer.core.errors import NotFound, Unprocessable
from product_importer.core.ids import new_id
from product_importer.core.outbound.address_policy import AddressNotAllowed, policy
from product_importer.core.outbox import DELIVER, WANTS_EACH, EventType
from product_importer.webhooks.delivery import http_attempt, signing
from product_importer.webhooks.delivery.http_attempt import Message, Outcome, Target
from product_importer.webhooks.models import Delivery, ImportEvents, Webhook
from product_importer.webhooks.schemas import (
    DeliverySummary,
    Secret,
    TestResult,
    WebhookCreate,
    WebhookCreated,
    WebhookPage,
    WebhookQuery,
    WebhookRead,
    WebhookUpdate,
)

OVERLAP = timedelta(hours=24)
TEST_EVENT = "webhook_test"


def list_webhooks(session: Session, query: WebhookQuery) -> WebhookPage:
    """Return a page of the webhooks, newest first."""
    there = col(Webhook.deleted_at).is_(None)
    newest = select(Webhook).where(there).order_by(col(Webhook.created_at).desc(), col(Webhook.id).desc())
    found = session.scalars(newest.limit(query.page_size).offset((query.page - 1) * query.page_size)).all()
    return WebhookPage(
        items=[_read(session, webhook) for webhook in found],
        total=session.scalar(select(func.count()).select_from(Webhook).where(there)) or 0,
        page=query.page,
        page_size=query.page_size,
    )


def read_webhook(session: Session, webhook_id: UUID) -> WebhookRead:
    """Return one webhook.

    Raises:
        NotFound: there is no such webhook.
    """
    return _read(session, get_webhook(session, webhook_id))


def create_webhook(session: Session, given: WebhookCreate) -> WebhookCreated:
    """Create a webhook; its secret is told this once.

    Raises:
        Unprocessable: its address is not allowed.
    """
    _check_address(given.url)
    webhook = Webhook(**given.model_dump(), secret=signing.new_secret())
    session.add(webhook)
    session.flush()
    session.refresh(webhook)
    return WebhookCreated(**_read(session, webhook).model_dump(), secret=webhook.secret)


def update_webhook(session: Session, webhook_id: UUID, given: WebhookUpdate) -> WebhookRead:
    """Change the fields that are given; enabled again, a webhook begins anew, and what waits for it is sent.

    At another address it begins anew, too: the failures were those of the old one.

    Raises:
        NotFound: there is no such webhook.
        Unprocessable: its address is not allowed.
    """
    webhook = get_webhook(session, webhook_id, locked=True)
    changes = given.model_dump(exclude_unset=True)
    if "url" in changes:
        _check_address(changes["url"])
        if changes["url"] != webhook.url:
            changes |= {"first_failed_at": None}
    if changes.get("enabled"):
        changes |= {"disabled_reason": None}
        if not webhook.enabled:
            changes |= {"first_failed_at": None}
            queue.notify_after_commit(session, DELIVER)
    if any(getattr(webhook, field) != value for field, value in changes.items()):
        changes |= {"updated_at": session.scalar(select(func.now()))}
    for field, value in changes.items():
        setattr(webhook, field, value)
    session.flush()
    return _read(session, webhook)


def delete_webhook(session: Session, webhook_id: UUID) -> None:
    """Delete a webhook: nothing is sent to it any more, and its deliveries go in the background.

    Raises:
        NotFound: there is no such webhook.
    """
    webhook = get_webhook(session, webhook_id, locked=True)
    webhook.deleted_at = session.scalar(select(func.now()))
    webhook.enabled, webhook.secret, webhook.previous_secret = False, "", None


def rotate_secret(session: Session, webhook_id: UUID) -> Secret:
    """Give a webhook a new secret. For a day messages are signed with the old one, too.

    Raises:
        NotFound: there is no such webhook.
    """
    webhook = get_webhook(session, webhook_id, locked=True)
    now = session.scalars(select(func.now())).one()
    webhook.previous_secret, webhook.previous_secret_until = webhook.secret, now + OVERLAP
    webhook.secret, webhook.updated_at = signing.new_secret(), now
    return Secret(secret=webhook.secret)


async def test_webhook(webhook_id: UUID) -> TestResult:
    """Send a test message now, and say how it was taken; it waits for the receiver, in no transaction and no thread.

    Raises:
        NotFound: there is no such webhook.
    """
    target = await asyncio.to_thread(db.run, _target, webhook_id)
    outcome = await _send_test(webhook_id, target)
    return TestResult(
        success=outcome.succeeded,
        status_code=outcome.status_code,
        response_time_ms=outcome.response_time_ms,
        error=outcome.error,
    )


test_webhook.__test__ = False  # type: ignore[attr-defined]


def wants_each(session: Session) -> bool:
    """Whether any webhook is told of every product that an import creates or updates."""
    wanting = select(Webhook.id).where(
        col(Webhook.enabled),
        col(Webhook.deleted_at).is_(None),
        Webhook.import_events == ImportEvents.EACH,
        col(Webhook.event_types).op("&&")([EventType.PRODUCT_CREATED, EventType.PRODUCT_UPDATED]),
    )
    return session.scalar(wanting.limit(1)) is not None


def get_webhook(session: Session, webhook_id: UUID, locked: bool = False) -> Webhook:
    """Return the row of a webhook.

    Raises:
        NotFound: there is no such webhook.
    """
    webhook = session.get(Webhook, webhook_id, with_for_update=locked, populate_existing=locked)
    if webhook is None or webhook.deleted_at is not None:
        raise NotFound(f"There is no webhook {webhook_id}.")
    return webhook


def _check_address(url: str) -> None:
    try:
        policy().check_url(url)
    except AddressNotAllowed as refusal:
        raise Unprocessable(
            f"url: {refusal}",
            kind="address-not-allowed",
            title="The address is not allowed",
            errors=[{"field": "url", "message": str(refusal)}],
        ) from refusal


def _read(session: Session, webhook: Webhook) -> WebhookRead:
    newest = select(Delivery).where(Delivery.webhook_id == webhook.id).order_by(col(Delivery.event_id).desc())
    last = session.scalar(newest.limit(1))
    shown = webhook.model_dump(include=set(WebhookRead.model_fields))
    return WebhookRead(**shown, last_delivery=DeliverySummary.model_validate(last) if last else None)


def _target(session: Session, webhook_id: UUID) -> Target:
    webhook = get_webhook(session, webhook_id)
    now = session.scalars(select(func.now())).one()
    secrets = [webhook.secret]
    if webhook.previous_secret and webhook.previous_secret_until and webhook.previous_secret_until > now:
        secrets.append(webhook.previous_secret)
    return Target(webhook.url, tuple(secrets))


async def _send_test(webhook_id: UUID, target: Target) -> Outcome:
    told = {"event_type": TEST_EVENT, "webhook_id": str(webhook_id), "timestamp": time.time()}
    allowed = policy()
    async with http_attempt.client(allowed) as client:
        return await http_attempt.send(
            client, allowed, target, Message(str(new_id()), TEST_EVENT, http_attempt.render(told))
        )


WANTS_EACH.append(wants_each)
