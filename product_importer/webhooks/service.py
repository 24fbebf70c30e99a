"""Create, change and delete webhooks. The caller owns the transaction and commits it."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from product_importer.access.audit import AuditAction
from product_importer.core import queue, secrets
from product_importer.core.errors import NotFound, Unprocessable
from product_importer.core.outbound.address_policy import AddressNotAllowed, policy
from product_importer.core.outbox import DELIVER, WANTS_EACH, EventType
from product_importer.core.problem_types import ProblemType
from product_importer.core.secrets import SecretUnreadable
from product_importer.webhooks import record
from product_importer.webhooks.delivery import signing
from product_importer.webhooks.models import Delivery, ImportEvents, Webhook
from product_importer.webhooks.schemas import (
    DeliverySummary,
    Secret,
    WebhookCreate,
    WebhookCreated,
    WebhookPage,
    WebhookQuery,
    WebhookRead,
    WebhookUpdate,
)

# How long the old secret stays valid after a rotation.
SECRET_OVERLAP = timedelta(hours=24)


def list_webhooks(session: Session, query: WebhookQuery) -> WebhookPage:
    """Return a page of the webhooks, newest first."""
    is_live = col(Webhook.deleted_at).is_(None)
    newest = select(Webhook).where(is_live).order_by(col(Webhook.created_at).desc(), col(Webhook.id).desc())
    found = session.scalars(newest.limit(query.page_size).offset(query.offset)).all()
    return WebhookPage(
        items=[_read(session, webhook) for webhook in found],
        total=session.scalar(select(func.count()).select_from(Webhook).where(is_live)) or 0,
        page=query.page,
        page_size=query.page_size,
    )


def read_webhook(session: Session, webhook_id: UUID) -> WebhookRead:
    """Return one webhook.

    Raises:
        NotFound: the webhook does not exist.
    """
    return _read(session, get_webhook(session, webhook_id))


def create_webhook(session: Session, given: WebhookCreate) -> WebhookCreated:
    """Create a webhook and return it with its secret, which no other function returns.

    Raises:
        Unprocessable: the URL is not allowed.
    """
    _check_address(given.url)
    secret = signing.new_secret()
    webhook = Webhook(**given.model_dump(), secret=secrets.keyring().encrypt(secret))
    session.add(webhook)
    session.flush()
    session.refresh(webhook)
    record.created(session, webhook)
    return WebhookCreated(**_read(session, webhook).model_dump(), secret=secret)


def update_webhook(session: Session, webhook_id: UUID, given: WebhookUpdate) -> WebhookRead:
    """Change the given fields of a webhook.

    Enabling a webhook sends its waiting deliveries. Enabling it or changing its URL forgets its earlier failures.

    Raises:
        NotFound: the webhook does not exist.
        Unprocessable: the URL is not allowed.
    """
    webhook = get_webhook(session, webhook_id, locked=True)
    before, changes = record.values(webhook), given.model_dump(exclude_unset=True)
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
    record.updated(session, webhook, before)
    return _read(session, webhook)


def delete_webhook(session: Session, webhook_id: UUID) -> None:
    """Delete a webhook: nothing more is sent to it, and the reconciler deletes its deliveries.

    Raises:
        NotFound: the webhook does not exist.
    """
    webhook = get_webhook(session, webhook_id, locked=True)
    webhook.deleted_at = session.scalar(select(func.now()))
    record.deleted(session, webhook)
    webhook.enabled, webhook.secret, webhook.previous_secret = False, "", None


def rotate_secret(session: Session, webhook_id: UUID) -> Secret:
    """Give a webhook a new secret. For 24 hours messages are signed with the old one, too, if a key opens it.

    Raises:
        NotFound: the webhook does not exist.
    """
    webhook = get_webhook(session, webhook_id, locked=True)
    now = session.scalars(select(func.now())).one()
    secret, keyring = signing.new_secret(), secrets.keyring()
    try:
        webhook.previous_secret = keyring.encrypt(keyring.decrypt(webhook.secret))
        webhook.previous_secret_until = now + SECRET_OVERLAP
    except SecretUnreadable:
        webhook.previous_secret = webhook.previous_secret_until = None
    webhook.secret, webhook.updated_at = keyring.encrypt(secret), now
    record.used(session, AuditAction.WEBHOOK_SECRET_ROTATED, webhook)
    return Secret(secret=secret)


def wants_each(session: Session) -> bool:
    """Whether any webhook gets an event for every product that an import creates or updates."""
    subscribers = select(Webhook.id).where(
        col(Webhook.enabled),
        col(Webhook.deleted_at).is_(None),
        Webhook.import_events == ImportEvents.EACH,
        col(Webhook.event_types).op("&&")([EventType.PRODUCT_CREATED, EventType.PRODUCT_UPDATED]),
    )
    return session.scalar(subscribers.limit(1)) is not None


def get_webhook(session: Session, webhook_id: UUID, locked: bool = False) -> Webhook:
    """Return the row of a webhook.

    Raises:
        NotFound: the webhook does not exist.
    """
    webhook = session.get(Webhook, webhook_id, with_for_update=locked, populate_existing=locked)
    if webhook is None or webhook.deleted_at is not None:
        raise NotFound(f"There is no webhook {webhook_id}.")
    return webhook


def _check_address(url: str) -> None:
    try:
        policy().check_url(url)
    except AddressNotAllowed as error:
        raise Unprocessable(
            f"url: {error}",
            kind=ProblemType.ADDRESS_NOT_ALLOWED,
            title="The address is not allowed",
            errors=[{"field": "url", "message": str(error)}],
        ) from error


def _read(session: Session, webhook: Webhook) -> WebhookRead:
    messages = select(Delivery).where(Delivery.webhook_id == webhook.id, ~col(Delivery.is_test))
    last = session.scalar(messages.order_by(col(Delivery.event_id).desc()).limit(1))
    fields = webhook.model_dump(include=set(WebhookRead.model_fields))
    return WebhookRead(**fields, last_delivery=DeliverySummary.model_validate(last) if last else None)


WANTS_EACH.append(wants_each)
