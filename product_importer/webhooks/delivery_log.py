"""List the deliveries of a webhook with their attempts, and send them again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from product_importer.access.audit import AuditAction
from product_importer.core import queue
from product_importer.core.errors import NotFound
from product_importer.core.moments import in_utc
from product_importer.core.outbox import DELIVER, Event
from product_importer.webhooks import record
from product_importer.webhooks.delivery.http_attempt import encode_body
from product_importer.webhooks.models import Attempt, Delivery, DeliveryStatus, has_failed
from product_importer.webhooks.schemas import (
    AttemptDetail,
    AttemptRead,
    DeliveryDetail,
    DeliveryEntry,
    DeliveryPage,
    DeliveryQuery,
    DeliveryRead,
    Redelivered,
    WebhookRead,
)
from product_importer.webhooks.service import get_webhook, read_webhook

# A delivery has more attempts only if somebody sent it again several times.
MAX_ATTEMPTS_SHOWN = 30
HEADERS: tuple[Any, ...] = (Attempt.url, Attempt.request_headers, Attempt.response_headers)

# Deliveries, each with the payload of its event.
Rows = list[tuple[Delivery, dict[str, Any]]]


@dataclass(frozen=True)
class Look:
    """The webhook and the shown deliveries, by their ids, as they are now; and the list's newest events."""

    webhook: WebhookRead
    shown: dict[UUID, DeliveryEntry]
    newest: list[UUID]


def list_deliveries(session: Session, webhook_id: UUID, query: DeliveryQuery) -> DeliveryPage:
    """Return a page of a webhook's deliveries, newest event first.

    Raises:
        NotFound: the webhook does not exist.
    """
    get_webhook(session, webhook_id)
    conditions = _conditions(webhook_id, query)
    found = _newest(session, conditions, query)
    return DeliveryPage(
        items=_with_history(session, found),
        total=session.scalar(select(func.count()).select_from(Delivery).where(*conditions)) or 0,
        page=query.page,
        page_size=query.page_size,
    )


def read_delivery(session: Session, webhook_id: UUID, delivery_id: UUID) -> DeliveryDetail:
    """Return a delivery with its message, and the headers of its attempts.

    Raises:
        NotFound: the webhook or its delivery does not exist.
    """
    get_webhook(session, webhook_id)
    rows = _with_events(session, col(Delivery.webhook_id) == webhook_id, col(Delivery.id) == delivery_id)
    if not rows:
        raise NotFound(f"This webhook has no delivery {delivery_id}.")
    [(delivery, payload)] = rows
    attempts = select(Attempt).where(col(Attempt.delivery_id) == delivery_id).order_by(col(Attempt.number).desc())
    return DeliveryDetail(
        **_fields(delivery, payload),
        body=encode_body(payload).decode(),
        history=[AttemptDetail.model_validate(one) for one in session.scalars(attempts.limit(MAX_ATTEMPTS_SHOWN))],
    )


def look(session: Session, webhook_id: UUID, query: DeliveryQuery, shown: Collection[UUID]) -> Look:
    """Return what is shown as it is now, and the first page of the list; in all a few rows by their indexes.

    Raises:
        NotFound: the webhook does not exist.
    """
    webhook = read_webhook(session, webhook_id)
    newest = _newest(session, _conditions(webhook_id, query), query.model_copy(update={"page": 1}))
    here = _with_events(session, col(Delivery.webhook_id) == webhook_id, col(Delivery.id).in_(shown))
    return Look(webhook, {one.id: _entry(one, payload) for one, payload in here}, [one.event_id for one, _ in newest])


def redeliver(session: Session, webhook_id: UUID, delivery_id: UUID) -> DeliveryRead:
    """Send the same message again as soon as the webhook is enabled, and restart its retry schedule.

    Raises:
        NotFound: the webhook or its delivery does not exist.
    """
    webhook = get_webhook(session, webhook_id)
    if not _send_again(session, webhook_id, col(Delivery.id) == delivery_id):
        raise NotFound(f"This webhook has no delivery {delivery_id}.")
    record.used(session, AuditAction.WEBHOOK_REDELIVERED, webhook, delivery_id=str(delivery_id))
    return _with_history(session, _with_events(session, col(Delivery.id) == delivery_id))[0]


def redeliver_failed(session: Session, webhook_id: UUID, since: datetime) -> Redelivered:
    """Send every delivery but tests again whose last attempt failed since then, also those that wait for a retry.

    Raises:
        NotFound: the webhook does not exist.
    """
    webhook = get_webhook(session, webhook_id)
    failed_since = and_(has_failed(), ~col(Delivery.is_test), col(Delivery.last_attempt_at) >= in_utc(since))
    redelivered = _send_again(session, webhook_id, failed_since)
    record.used(
        session,
        AuditAction.WEBHOOK_REDELIVERED,
        webhook,
        since=in_utc(since).isoformat(),
        redelivered=redelivered,
    )
    return Redelivered(redelivered=redelivered)


def _conditions(webhook_id: UUID, query: DeliveryQuery) -> list[ColumnElement[bool]]:
    conditions = [col(Delivery.webhook_id) == webhook_id]
    match query.status:
        case DeliveryStatus.FAILED:
            conditions.append(has_failed())
        case DeliveryStatus.PENDING:
            conditions += [col(Delivery.status) == DeliveryStatus.PENDING, col(Delivery.tries) == 0]
        case DeliveryStatus.SUCCEEDED:
            conditions.append(col(Delivery.status) == DeliveryStatus.SUCCEEDED)
    return conditions


def _newest(session: Session, conditions: Sequence[ColumnElement[bool]], query: DeliveryQuery) -> Rows:
    """Return a page of the deliveries that meet the conditions, each with its event's payload."""
    return _with_events(session, col(Delivery.id).in_(newest_ids(conditions, query)))


def newest_ids(conditions: Sequence[ColumnElement[bool]], query: DeliveryQuery) -> Select[UUID]:
    """Return the query for the ids of a page of deliveries."""
    newest = select(col(Delivery.id)).where(*conditions).order_by(col(Delivery.event_id).desc())
    return newest.limit(query.page_size).offset(query.offset)


def _with_events(session: Session, *conditions: ColumnElement[bool]) -> Rows:
    with_event = select(Delivery, col(Event.payload)).join(Event, col(Event.id) == col(Delivery.event_id))
    newest = with_event.where(*conditions).order_by(col(Delivery.event_id).desc())
    return [(delivery, payload) for delivery, payload in session.execute(newest)]


def _with_history(session: Session, rows: Rows) -> list[DeliveryRead]:
    attempts: dict[UUID, list[AttemptRead]] = {one.id: [] for one, _ in rows}
    # Without the headers, which a list does not show.
    stored = select(Attempt).options(*(defer(column) for column in HEADERS))
    query = stored.where(col(Attempt.delivery_id).in_(attempts)).order_by(col(Attempt.number).desc())
    for attempt in session.scalars(query):
        if len(attempts[attempt.delivery_id]) < MAX_ATTEMPTS_SHOWN:
            attempts[attempt.delivery_id].append(AttemptRead.model_validate(attempt))
    return [DeliveryRead(**_fields(one, payload), history=attempts[one.id]) for one, payload in rows]


def _entry(delivery: Delivery, payload: dict[str, Any]) -> DeliveryEntry:
    return DeliveryEntry(**_fields(delivery, payload))


def _fields(delivery: Delivery, payload: dict[str, Any]) -> dict[str, Any]:
    return delivery.model_dump() | {
        "state": delivery.state,
        "object_id": payload.get("product_id") or payload.get("job_id"),
        "object_name": payload.get("sku") or payload.get("filename"),
    }


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
