"""Record the events of products: one in Python, or many in SQL."""

import time

from sqlmodel import Session

from product_importer.catalog.models import Product
from product_importer.core import outbox
from product_importer.core.messages import PRODUCT_MESSAGES, ProductMessage, ProductsDeletedMessage
from product_importer.core.outbox import EventType

# The id that `core.ids` gives to a number of an import or of a batch.
NUMBERED_ID = "(%(prefix)s || lpad(to_hex({number}), 8, '0'))::uuid"
# The fields of a product's message, from a row with its id, sku and name.
VALUES = {
    "event_type": "{event_type}",
    "product_id": "id",
    "sku": "sku",
    "name": "name",
    "timestamp": "round(extract(epoch FROM clock_timestamp()), 3)",
}
PAYLOAD = ", ".join(f"'{field}', {VALUES[field]}" for field in ProductMessage.model_fields)
# One event for each row of `source`, which has a product's id, sku, name and version. All places are SQL.
INSERT_EVENTS = f"""INSERT INTO event (id, event_type, payload, version, batch_id)
    SELECT {{event_id}}, {{event_type}}, jsonb_build_object({PAYLOAD}), version, {{batch_id}} FROM {{source}}"""


def record(session: Session, event_type: EventType, product: Product) -> None:
    """Record one event of one product, in the transaction that changes it."""
    message = PRODUCT_MESSAGES[event_type](
        event_type=event_type, product_id=product.id, sku=product.sku, name=product.name, timestamp=time.time()
    )
    outbox.record(session, event_type, message, product.version)


def record_many_deleted(session: Session, deleted: int) -> None:
    """Record one event for the deletion of all products or of many, `deleted` in number."""
    message = ProductsDeletedMessage(event_type=EventType.PRODUCTS_DELETED, deleted=deleted, timestamp=time.time())
    outbox.record(session, EventType.PRODUCTS_DELETED, message)
