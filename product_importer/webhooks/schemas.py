"""Request and response models of webhooks and their deliveries."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from product_importer.core.enums import InlineEnum
from product_importer.core.outbox import EventType
from product_importer.core.pagination import Page, PageQuery
from product_importer.webhooks.models import DeliveryStatus, ImportEvents, LogState

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
    state: Annotated[
        InlineEnum[LogState],
        Field(description="As `status`; `retrying` if the last attempt failed and another one follows."),
    ]
    is_test: Annotated[bool, Field(description="Whether somebody sent it as a test. A test is not retried.")]
    attempts: int
    status_code: int | None
    response_time_ms: int | None
    error: str | None
    created_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None


class Header(BaseModel):
    """A header of a request or of an answer."""

    name: str
    value: str


def _headers(pairs: Any) -> Any:
    return pairs and [pair if isinstance(pair, Header) else {"name": pair[0], "value": pair[1]} for pair in pairs]


Headers = Annotated[list[Header] | None, BeforeValidator(_headers)]


class AttemptRead(BaseModel):
    """One HTTP request to the receiver."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    started_at: datetime
    status_code: int | None
    response_time_ms: int
    response_excerpt: str | None
    error: str | None


class AttemptDetail(AttemptRead):
    """One HTTP request to the receiver with its headers; these are null if nothing was sent or received."""

    url: str | None
    request_headers: Annotated[Headers, Field(description="As they were sent; signatures are cut.")]
    response_headers: Annotated[
        Headers, Field(description="The first 40; long values are cut, and those that may be secrets are hidden.")
    ]


class DeliveryEntry(DeliverySummary):
    """A delivery with what its event is about, and the beginning of the last response body."""

    object_id: Annotated[UUID | None, Field(description="The id of the product or of the import.")]
    object_name: Annotated[str | None, Field(description="The product's SKU, or the name of the import's file.")]
    response_excerpt: str | None


class DeliveryRead(DeliveryEntry):
    """A delivery with its attempts, newest first."""

    history: list[AttemptRead]


class DeliveryDetail(DeliveryEntry):
    """A delivery with the message, and with all that is known of its attempts, newest first."""

    body: Annotated[str, Field(description="The JSON that is sent, byte for byte the same in each attempt.")]
    history: list[AttemptDetail]


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

    status: Annotated[
        InlineEnum[DeliveryStatus] | None,
        Field(
            description="`failed`: the last attempt failed, also if another one follows. `pending`: not tried yet, "
            "or sent again by hand."
        ),
    ] = None


class Hour(BaseModel):
    """The attempts of one hour; tests do not count."""

    model_config = ConfigDict(from_attributes=True)

    hour: datetime
    succeeded: int
    failed: int


class Activity(BaseModel):
    """What was sent to a webhook lately: hours with attempts, what waits now, and times of the newest answers.

    Waiting deliveries are counted up to a maximum. The times are medians and 95th percentiles in milliseconds.
    """

    hours: list[Hour]
    waiting: int
    retrying: int
    p50_ms: int | None
    p95_ms: int | None


class WebhookPage(Page[WebhookRead]):
    """One page of webhooks, newest first."""


class DeliveryPage(Page[DeliveryRead]):
    """One page of deliveries, newest first."""
