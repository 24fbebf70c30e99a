"""Request and response models of webhooks and their deliveries."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from product_importer.core.enums import InlineEnum
from product_importer.core.outbox import EventType
from product_importer.core.pagination import Page, PageQuery
from product_importer.webhooks.models import DeliveryStatus, ImportEvents

MAX_URL = 2_000
MAX_WEBHOOK_DESCRIPTION = 1_000


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _storable(text: str) -> str:
    try:
        stored = text.encode()
    except UnicodeEncodeError:
        stored = b"\0"
    if b"\0" in stored:
        raise ValueError("Text cannot hold a NUL character or half of a surrogate pair")
    return text


def _deduplicated(given: list[EventType]) -> list[EventType]:
    return [event_type for event_type in EventType if event_type in given]


Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_URL,
        description="http or https, without user name or password; a private address is 422 `address-not-allowed`.",
        json_schema_extra={"format": "uri", "pattern": r"^\s*[hH][tT][tT][pP][sS]?://"},
        examples=["https://example.com/hooks/products"],
    ),
    BeforeValidator(_stripped),
    AfterValidator(_storable),
]
Description = Annotated[
    str,
    Field(max_length=MAX_WEBHOOK_DESCRIPTION, json_schema_extra={"pattern": r"^[^\u0000]*$"}),
    AfterValidator(_storable),
]
EventTypes = Annotated[
    list[InlineEnum[EventType]],
    Field(min_length=1, description="The event types it subscribes to."),
    AfterValidator(_deduplicated),
]
ImportEventsField = Annotated[
    InlineEnum[ImportEvents],
    Field(
        description="`summary`: one event at the end of an import. `each`: also `product_created` and "
        "`product_updated`, if they are in `event_types`, for each product that an import creates or updates."
    ),
]


class WebhookCreate(BaseModel):
    """The fields of a new webhook."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    description: Description = ""
    event_types: EventTypes = Field(default_factory=lambda: list(EventType))
    import_events: ImportEventsField = ImportEvents.SUMMARY
    enabled: StrictBool = True


class WebhookUpdate(BaseModel):
    """Changes of a webhook. An absent field stays as it is; the defaults have no effect."""

    model_config = ConfigDict(extra="forbid")

    url: Url = Field(default_factory=str)
    description: Description = Field(default_factory=str)
    event_types: EventTypes = Field(default_factory=list)
    import_events: ImportEventsField = ImportEvents.SUMMARY
    enabled: StrictBool = Field(default_factory=bool)


class DeliverySummary(BaseModel):
    """One event for one webhook, and the outcome of the last attempt."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    event_id: Annotated[UUID, Field(description="The message's `webhook-id`.")]
    event_type: str
    status: InlineEnum[DeliveryStatus]
    attempts: int
    status_code: int | None
    response_time_ms: int | None
    error: str | None
    created_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None


class AttemptRead(BaseModel):
    """One HTTP request to the receiver."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    started_at: datetime
    status_code: int | None
    response_time_ms: int
    response_excerpt: str | None
    error: str | None


class DeliveryRead(DeliverySummary):
    """A delivery with the beginning of the last response body, and its attempts, newest first."""

    response_excerpt: str | None
    history: list[AttemptRead]


class WebhookRead(BaseModel):
    """A webhook."""

    id: UUID
    url: str
    description: str
    event_types: list[InlineEnum[EventType]]
    import_events: InlineEnum[ImportEvents]
    enabled: bool
    created_at: datetime
    updated_at: datetime
    disabled_reason: str | None
    last_delivery: DeliverySummary | None


class Secret(BaseModel):
    """The secret that signs the messages. It is not shown again."""

    secret: Annotated[str, Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="])]


class WebhookCreated(WebhookRead, Secret):
    """A new webhook with its secret, which is not shown again."""


class TestResult(BaseModel):
    """The outcome of a test message."""

    # Keep pytest from collecting this class.
    __test__ = False

    success: bool
    status_code: int | None
    response_time_ms: int
    error: str | None


class Redelivered(BaseModel):
    """The number of deliveries that are sent again."""

    redelivered: int


class WebhookQuery(PageQuery):
    """The page of a list of webhooks or deliveries."""

    model_config = ConfigDict(extra="forbid")


class DeliveryQuery(WebhookQuery):
    """The filter and the page of a list of deliveries."""

    status: InlineEnum[DeliveryStatus] | None = None


class WebhookPage(Page[WebhookRead]):
    """One page of webhooks, newest first."""


class DeliveryPage(Page[DeliveryRead]):
    """One page of deliveries, newest first."""
