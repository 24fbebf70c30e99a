"""What was sent to a webhook: its deliveries with their attempts, and sending them again."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, update
from sqlmodel import Session, col, select

from product_importer.core import queue
from product_importer.core.errors import NotFound
from product_importer.core.outbox import DELIVER
from product_importer.webhooks.models import Attempt, Delivery, DeliveryStatus
from product_importer.webhooks.schemas import AttemptRead, DeliveryPage, DeliveryQuery, DeliveryRead, Redelivered
from product_importer.webhooks.service import get_webhook

# The attempts that a delivery shows; it has more only when it was sent again several times.
MAX_HISTORY = 30


def list_deliveries(session: Session, webhook_id: UUID, query: DeliveryQuery) -> DeliveryPage:
    """Return a page of a webhook's deliveries, the newest event first.

    Raises:
        NotFound: there is no such webhook.
    """
    get_webhook(session, webhook_id)
    chosen = [Delivery.webhook_id == webhook_id]
    if query.status is not None:
        chosen.append(Delivery.status == query.status)
    newest = select(Delivery).where(*chosen).order_by(col(Delivery.event_id).desc())
    page = session.scalars(newest.limit(query.page_size).offset((query.page - 1) * query.page_size)).all()
    return DeliveryPage(
        items=_with_history(session, page),
        total=session.scalar(select(func.count()).select_from(Delivery).where(*chosen)) or 0,
        page=query.page,
        page_size=query.page_size,
    )


def redeliver(session: Session, webhook_id: UUID, delivery_id: UUID) -> DeliveryRead:
    """Send a delivery again, as soon as its webhook is enabled: the same message, with a schedule that begins anew.

    Raises:
        NotFound: there is no such webhook, or it has no such delivery.
    """
    get_webhook(session, webhook_id)
    if not _send_again(session, webhook_id, col(Delivery.id) == delivery_id):
        raise NotFound(f"There is no delivery {delivery_id} of this webhook.")
    return _with_history(session, [session.get_one(Delivery, delivery_id, populate_existing=True)])[0]


def redeliver_failed(session: Session, webhook_id: UUID, since: datetime) -> Redelivered:
    """Send again every delivery whose last attempt failed since then, those that wait for their next one included.

    Raises:
        NotFound: there is no such webhook.
    """
    get_webhook(session, webhook_id)
    has_failed = or_(
        col(Delivery.status) == DeliveryStatus.FAILED,
        and_(col(Delivery.status) == DeliveryStatus.PENDING, col(Delivery.tries) > 0),
    )
    failed_since = and_(has_failed, col(Delivery.last_attempt_at) >= _in_utc(since))
    return Redelivered(redelivered=_send_again(session, webhook_id, failed_since))


def _with_history(session: Session, deliveries: Iterable[Delivery]) -> list[DeliveryRead]:
    found = list(deliveries)
    attempts: dict[UUID, list[AttemptRead]] = {one.id: [] for one in found}
    of_them = select(Attempt).where(col(Attempt.delivery_id).in_(attempts)).order_by(col(Attempt.number).desc())
    for attempt in session.scalars(of_them):
        if len(attempts[attempt.delivery_id]) < MAX_HISTORY:
            attempts[attempt.delivery_id].append(AttemptRead.model_validate(attempt))
    return [DeliveryRead(**one.model_dump(), history=attempts[one.id]) for one in found]


def _send_again(session: Session, webhook_id: UUID, chosen: ColumnElement[bool]) -> int:
    """Make deliveries due now, and return how many."""
    again = (
        update(Delivery)
        .where(col(Delivery.webhook_id) == webhook_id, chosen)
        .values(status=DeliveryStatus.PENDING, tries=0, next_attempt_at=func.now())
    )
    result: Any = session.execute(again.execution_options(synchronize_session=False))
    queue.notify_after_commit(session, DELIVER)
    return int(result.rowcount)


def _in_utc(moment: datetime) -> datetime:
    """Return the same moment in UTC: PostgreSQL does not know every zone that Python takes."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)
