"""List the deliveries of a webhook with their attempts, and send them again."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, update
from sqlmodel import Session, col, select

from product_importer.access.audit import AuditAction
from product_importer.core import queue
from product_importer.core.errors import NotFound
from product_importer.core.moments import in_utc
from product_importer.core.outbox import DELIVER
from product_importer.webhooks import record
from product_importer.webhooks.models import Attempt, Delivery, DeliveryStatus
from product_importer.webhooks.schemas import AttemptRead, DeliveryPage, DeliveryQuery, DeliveryRead, Redelivered
from product_importer.webhooks.service import get_webhook

# A delivery has more attempts only if somebody sent it again several times.
MAX_ATTEMPTS_SHOWN = 30


def list_deliveries(session: Session, webhook_id: UUID, query: DeliveryQuery) -> DeliveryPage:
    """Return a page of a webhook's deliveries, newest event first.

    Raises:
        NotFound: the webhook does not exist.
    """
    get_webhook(session, webhook_id)
    conditions = [Delivery.webhook_id == webhook_id]
    if query.status is not None:
        conditions.append(Delivery.status == query.status)
    newest = select(Delivery).where(*conditions).order_by(col(Delivery.event_id).desc())
    page = session.scalars(newest.limit(query.page_size).offset(query.offset)).all()
    return DeliveryPage(
        items=_with_history(session, page),
        total=session.scalar(select(func.count()).select_from(Delivery).where(*conditions)) or 0,
        page=query.page,
        page_size=query.page_size,
    )


def redeliver(session: Session, webhook_id: UUID, delivery_id: UUID) -> DeliveryRead:
    """Send the same message again as soon as the webhook is enabled, and restart its retry schedule.

    Raises:
        NotFound: the webhook or its delivery does not exist.
    """
    webhook = get_webhook(session, webhook_id)
    if not _send_again(session, webhook_id, col(Delivery.id) == delivery_id):
        raise NotFound(f"This webhook has no delivery {delivery_id}.")
    record.used(session, AuditAction.WEBHOOK_REDELIVERED, webhook, delivery_id=str(delivery_id))
    return _with_history(session, [session.get_one(Delivery, delivery_id, populate_existing=True)])[0]


def redeliver_failed(session: Session, webhook_id: UUID, since: datetime) -> Redelivered:
    """Send every delivery again whose last attempt failed since then, including those that wait for a retry.

    Raises:
        NotFound: the webhook does not exist.
    """
    webhook = get_webhook(session, webhook_id)
    has_failed = or_(
        col(Delivery.status) == DeliveryStatus.FAILED,
        and_(col(Delivery.status) == DeliveryStatus.PENDING, col(Delivery.tries) > 0),
    )
    failed_since = and_(has_failed, col(Delivery.last_attempt_at) >= in_utc(since))
    redelivered = _send_again(session, webhook_id, failed_since)
    record.used(
        session,
        AuditAction.WEBHOOK_REDELIVERED,
        webhook,
        since=in_utc(since).isoformat(),
        redelivered=redelivered,
    )
    return Redelivered(redelivered=redelivered)


def _with_history(session: Session, deliveries: Iterable[Delivery]) -> list[DeliveryRead]:
    listed = list(deliveries)
    attempts: dict[UUID, list[AttemptRead]] = {one.id: [] for one in listed}
    query = select(Attempt).where(col(Attempt.delivery_id).in_(attempts)).order_by(col(Attempt.number).desc())
    for attempt in session.scalars(query):
        if len(attempts[attempt.delivery_id]) < MAX_ATTEMPTS_SHOWN:
            attempts[attempt.delivery_id].append(AttemptRead.model_validate(attempt))
    return [DeliveryRead(**one.model_dump(), history=attempts[one.id]) for one in listed]


def _send_again(session: Session, webhook_id: UUID, condition: ColumnElement[bool]) -> int:
    """Make the deliveries of a webhook that meet `condition` due now; return their number."""
    again = (
        update(Delivery)
        .where(col(Delivery.webhook_id) == webhook_id, condition)
        .values(status=DeliveryStatus.PENDING, tries=0, next_attempt_at=func.now())
    )
    result: Any = session.execute(again.execution_options(synchronize_session=False))
    queue.notify_after_commit(session, DELIVER)
    return int(result.rowcount)
