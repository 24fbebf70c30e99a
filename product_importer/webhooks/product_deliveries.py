"""List the deliveries of the events of one product."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session, col, select

from product_importer.webhooks.models import Delivery, Webhook
from product_importer.webhooks.schemas import DeliverySummary

MAX_SHOWN = 20


class ProductDelivery(NamedTuple):
    """A delivery, and the webhook that it is for."""

    delivery: DeliverySummary
    webhook_id: UUID
    url: str
    is_deleted: bool


def newest(session: Session, product_id: UUID) -> Sequence[ProductDelivery]:
    """Return the newest deliveries of the events of a product, newest event first."""
    found = (
        select(Delivery, Webhook)
        .join(Webhook, col(Webhook.id) == col(Delivery.webhook_id))
        .where(Delivery.product_id == product_id)
        .order_by(col(Delivery.event_id).desc())
        .limit(MAX_SHOWN)
    )
    return [
        ProductDelivery(
            DeliverySummary.model_validate(delivery), webhook.id, webhook.url, webhook.deleted_at is not None
        )
        for delivery, webhook in session.execute(found)
    ]
