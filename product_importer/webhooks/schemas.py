"""What webhooks and their deliveries look like from outside."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from product_importer.core.enums import InlineEnum
from product_importer.core.outbox import EventType
from product_importer.core.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page
from product_importer.webhooks.models import DeliveryStatus, ImportEvents

MAX_URL = 2_000
MAX_WEBHOOK_DESCRIPTION = 1_000
MAX_WEBHOOK_PAGE = 100_000


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


def _each_once(given: list[EventType]) -> list[EventType]:
    return [event_type for event_type in EventType if event_type in given]


Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_URL,
        description="http or https, without a name or password; 422 `address-not-allowed` where it leads inside.",
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
    list[InlineEnum[EventType]], Field(min_length=1, description="What it is told of."), AfterValidator(_each_once)
]
ImportEventsField = Annotated[
    InlineEnum[ImportEvents],
    Field(
        description="`each`: beside the end of an import also `product_created` and `product_updated`, of those in "
        "`event_types`, for each product that an import creates or updates."
    ),
]


class WebhookCreate(BaseModel):
    """A webhook to be."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    description: Description = ""
    event_types: EventTypes = Field(default_factory=lambda: list(EventType))
    import_events: ImportEventsField = ImportEvents.SUMMARY
    enabled: StrictBool = True


class WebhookUpdate(BaseModel):
    """What changes of a webhook: the fields that are given. The defaults only mean that a field may be absent."""

    model_config = ConfigDict(extra="forbid")

    url: Url = Field(default_factory=str)
    description: Description = Field(default_factory=str)
    event_types: EventTypes = Field(default_factory=list)
    import_events: ImportEventsField = ImportEvents.SUMMARY
    enabled: StrictBool = Field(default_factory=bool)


class DeliverySummary(BaseModel):
    """One event for one webhook, and what the last attempt brought."""

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
    """One request to the receiver."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    started_at: datetime
    status_code: int | None
    response_time_ms: int
    response_excerpt: str | None
    error: str | None


class DeliveryRead(DeliverySummary):
    """A delivery with the beginning of the last answer, and its attempts, the last one first."""

    response_excerpt: str | None
    history: list[AttemptRead]


class WebhookRead(BaseModel):
    """A webhook as the API answers it."""

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
    """What the messages are signed with from now on. It is shown this once."""

    secret: Annotated[str, Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="])]


class WebhookCreated(WebhookRead, Secret):
    """A new webhook with its secret, which is shown this once."""


class TestResult(BaseModel):
    """How a test message was taken."""

    # No test of pytest's.
    __test__ = False

    success: bool
    status_code: int | None
    response_time_ms: int
    error: str | None


class Redelivered(BaseModel):
    """How many deliveries are sent again."""

    redelivered: int


class WebhookQuery(BaseModel):
    """Which page of webhooks or deliveries."""

    model_config = ConfigDict(extra="forbid")

    page: Annotated[int, Field(ge=1, le=MAX_WEBHOOK_PAGE)] = 1
    page_size: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE


class DeliveryQuery(WebhookQuery):
    """Which deliveries, and which page of them."""

    status: InlineEnum[DeliveryStatus] | None = None


class WebhookPage(Page[WebhookRead]):
    """One page of webhooks, the newest first."""


class DeliveryPage(Page[DeliveryRead]):
    """One page of deliveries, the newest first."""
