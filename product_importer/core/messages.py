"""The bodies of outgoing webhook messages, one model for each type of event.

Their fields have the order in which they are sent. Events are made from these models, and OpenAPI describes them.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from product_importer.core.outbox import EventType

Timestamp = Annotated[float, Field(description="When it happened, in seconds since 1970.", examples=[1700000000.123])]
Count = Annotated[int, Field(ge=0)]


class ProductMessage(BaseModel):
    """What messages about one product have in common."""

    event_type: EventType
    product_id: UUID
    sku: Annotated[str, Field(examples=["SKU-001"])]
    name: Annotated[str, Field(examples=["Enamel mug"])]
    timestamp: Timestamp


class ProductCreatedMessage(ProductMessage):
    """A product was created."""

    event_type: Literal[EventType.PRODUCT_CREATED]


class ProductUpdatedMessage(ProductMessage):
    """A product was changed."""

    event_type: Literal[EventType.PRODUCT_UPDATED]


class ProductDeletedMessage(ProductMessage):
    """A product was deleted."""

    event_type: Literal[EventType.PRODUCT_DELETED]


class ProductsDeletedMessage(BaseModel):
    """Many products were deleted at once: all of them, or those of an action."""

    event_type: Literal[EventType.PRODUCTS_DELETED]
    deleted: Annotated[Count, Field(description="How many.")]
    timestamp: Timestamp


class ImportCounts(BaseModel):
    """The rows of an import by outcome. `total` is null if the import failed before all rows were read."""

    total: Count | None
    created: Count
    updated: Count
    unchanged: Count
    duplicates: Count
    rejected: Count


class ImportMessage(BaseModel):
    """What messages about an import have in common."""

    event_type: EventType
    job_id: UUID
    filename: str
    status: str
    counts: ImportCounts
    timestamp: Timestamp


class ImportCompletedMessage(ImportMessage):
    """An import was completed."""

    event_type: Literal[EventType.IMPORT_COMPLETED]
    status: Literal["completed"]


class ImportFailedMessage(ImportMessage):
    """An import failed; rows that it had merged stay."""

    event_type: Literal[EventType.IMPORT_FAILED]
    status: Literal["failed"]


class TestMessage(BaseModel):
    """Somebody requested a test of the webhook."""

    # Keep pytest from collecting this class.
    __test__ = False

    event_type: Literal["webhook_test"]
    webhook_id: UUID
    timestamp: Timestamp


TEST_EVENT = "webhook_test"
PRODUCT_MESSAGES: dict[str, type[ProductMessage]] = {
    EventType.PRODUCT_CREATED: ProductCreatedMessage,
    EventType.PRODUCT_UPDATED: ProductUpdatedMessage,
    EventType.PRODUCT_DELETED: ProductDeletedMessage,
}
IMPORT_MESSAGES: dict[str, type[ImportMessage]] = {
    EventType.IMPORT_COMPLETED: ImportCompletedMessage,
    EventType.IMPORT_FAILED: ImportFailedMessage,
}
# The model of each type of event.
MESSAGES: dict[str, type[BaseModel]] = {
    **PRODUCT_MESSAGES,
    EventType.PRODUCTS_DELETED: ProductsDeletedMessage,
    **IMPORT_MESSAGES,
    TEST_EVENT: TestMessage,
}
