"""View models of the webhook pages: values formatted as the pages show them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from product_importer.core.outbox import EventType
from product_importer.webhooks.models import DeliveryStatus, ImportEvents
from product_importer.webhooks.schemas import (
    AttemptRead,
    DeliveryRead,
    DeliverySummary,
    TestResult,
    WebhookRead,
)

EVENT_NAMES: dict[str, str] = {
    EventType.PRODUCT_CREATED: "Product created",
    EventType.PRODUCT_UPDATED: "Product updated",
    EventType.PRODUCT_DELETED: "Product deleted",
    EventType.PRODUCTS_DELETED: "All products deleted",
    EventType.IMPORT_COMPLETED: "Import completed",
    EventType.IMPORT_FAILED: "Import failed",
}
TONES: dict[str, str] = {
    DeliveryStatus.SUCCEEDED: "good",
    DeliveryStatus.FAILED: "bad",
    DeliveryStatus.PENDING: "neutral",
}
# For a delivery that has failed and waits for its next attempt.
RETRYING_TONE = "warning"


@dataclass(frozen=True)
class OutcomeView:
    """The outcome of a test: `response` is the status code or the error, `duration` the time with its unit."""

    response: str = ""
    duration: str = ""
    tone: str = "neutral"

    @classmethod
    def of_test(cls, result: TestResult) -> Self:
        """Return a test's result as the page shows it."""
        return cls(
            response=_response(result.status_code, result.error),
            duration=_duration(result.response_time_ms),
            tone="good" if result.success else "bad",
        )


@dataclass(frozen=True)
class AttemptView:
    """One HTTP request to the receiver."""

    number: int = 0
    started_at: str = ""
    response: str = ""
    duration: str = ""
    excerpt: str = ""

    @classmethod
    def of(cls, attempt: AttemptRead) -> Self:
        """Return `attempt` as the page shows it."""
        return cls(
            number=attempt.number,
            started_at=_iso(attempt.started_at),
            response=_response(attempt.status_code, attempt.error),
            duration=_duration(attempt.response_time_ms),
            excerpt=attempt.response_excerpt or "",
        )


@dataclass(frozen=True)
class DeliveryView:
    """One event for one webhook, with its attempts if `of` got a `DeliveryRead`."""

    id: str = ""
    event_id: str = ""
    event: str = ""
    status: str = ""
    tone: str = "neutral"
    attempts: int = 0
    response: str = ""
    duration: str = ""
    excerpt: str = ""
    created_at: str = ""
    last_attempt_at: str = ""
    next_attempt_at: str = ""
    history: list[AttemptView] = field(default_factory=list)

    @classmethod
    def of(cls, delivery: DeliverySummary) -> Self:
        """Return `delivery` as the pages show it."""
        is_retrying = delivery.status == DeliveryStatus.PENDING and delivery.attempts > 0
        full = delivery if isinstance(delivery, DeliveryRead) else None
        return cls(
            id=str(delivery.id),
            event_id=str(delivery.event_id),
            event=event_name(delivery.event_type),
            status=delivery.status.value,
            tone=RETRYING_TONE if is_retrying else TONES[delivery.status],
            attempts=delivery.attempts,
            response=_response(delivery.status_code, delivery.error) if delivery.attempts else "",
            duration=_duration(delivery.response_time_ms),
            excerpt=(full.response_excerpt or "") if full else "",
            created_at=_iso(delivery.created_at),
            last_attempt_at=_iso(delivery.last_attempt_at),
            next_attempt_at=_iso(delivery.next_attempt_at) if delivery.status == DeliveryStatus.PENDING else "",
            history=[AttemptView.of(attempt) for attempt in full.history] if full else [],
        )


@dataclass(frozen=True)
class WebhookView:
    """A webhook. It `is_switching` while `enabled` is saved; `test` is the outcome of the last test."""

    id: str = ""
    url: str = ""
    description: str = ""
    events: list[str] = field(default_factory=list)
    wants_each: bool = False
    enabled: bool = True
    disabled_reason: str = ""
    created_at: str = ""
    last: DeliveryView = DeliveryView()
    is_switching: bool = False
    is_testing: bool = False
    test: OutcomeView = OutcomeView()

    @classmethod
    def of(cls, webhook: WebhookRead) -> Self:
        """Return `webhook` as the pages show it."""
        has_all_events = len(webhook.event_types) == len(EventType)
        return cls(
            id=str(webhook.id),
            url=webhook.url,
            description=webhook.description,
            events=["All events"] if has_all_events else [event_name(name) for name in webhook.event_types],
            wants_each=webhook.import_events == ImportEvents.EACH,
            enabled=webhook.enabled,
            disabled_reason="" if webhook.enabled else webhook.disabled_reason or "",
            created_at=_iso(webhook.created_at),
            last=DeliveryView.of(webhook.last_delivery) if webhook.last_delivery else DeliveryView(),
        )


def event_name(event_type: str) -> str:
    """Return the name of an event type on the page."""
    return EVENT_NAMES.get(event_type, event_type)


def _response(status_code: int | None, error: str | None) -> str:
    """Return the status code, followed by the error if it says more."""
    if status_code is None:
        return error or "No response"
    return str(status_code) if not error or error == f"answered {status_code}" else f"{status_code}: {error}"


def _duration(milliseconds: int | None) -> str:
    return "" if milliseconds is None else f"{milliseconds:,} ms"


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
