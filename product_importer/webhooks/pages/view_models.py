"""View models of the webhook pages: values formatted as the pages show them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from product_importer.core.messages import TEST_EVENT
from product_importer.core.outbox import EventType
from product_importer.webhooks.models import DeliveryStatus, ImportEvents, LogState
from product_importer.webhooks.schemas import DeliveryEntry, DeliverySummary, TestResult, WebhookRead

EVENT_NAMES: dict[str, str] = {
    EventType.PRODUCT_CREATED: "Product created",
    EventType.PRODUCT_UPDATED: "Product updated",
    EventType.PRODUCT_DELETED: "Product deleted",
    EventType.PRODUCTS_DELETED: "All products deleted",
    EventType.IMPORT_COMPLETED: "Import completed",
    EventType.IMPORT_FAILED: "Import failed",
}
TEST_NAME = "Test"
TONES: dict[str, str] = {
    LogState.SUCCEEDED: "good",
    LogState.RETRYING: "warning",
    LogState.FAILED: "bad",
    LogState.PENDING: "neutral",
}


@dataclass(frozen=True)
class OutcomeView:
    """The outcome of a test: `answer` is the status code or the error, `duration` the time with its unit."""

    answer: str = ""
    duration: str = ""
    tone: str = "neutral"

    @classmethod
    def of_test(cls, result: TestResult) -> Self:
        """Return a test's result as the page shows it."""
        return cls(
            answer=response(result.status_code, result.error),
            duration=duration(result.response_time_ms),
            tone="good" if result.success else "bad",
        )


@dataclass(frozen=True)
class DeliveryView:
    """One event for one webhook, as lists show it; `address` is that of its details."""

    id: str = ""
    event_id: str = ""
    event: str = ""
    about: str = ""
    state: str = ""
    tone: str = "neutral"
    attempts: int = 0
    answer: str = ""
    duration: str = ""
    created_at: str = ""
    next_attempt_at: str = ""
    address: str = ""

    @classmethod
    def of(cls, delivery: DeliverySummary, address: str = "") -> Self:
        """Return `delivery` as the pages show it."""
        is_pending = delivery.status == DeliveryStatus.PENDING
        return cls(
            id=str(delivery.id),
            event_id=str(delivery.event_id),
            event=event_name(delivery.event_type),
            about=(delivery.object_name or "") if isinstance(delivery, DeliveryEntry) else "",
            state=delivery.state.value,
            tone=TONES[delivery.state],
            attempts=delivery.attempts,
            answer=response(delivery.status_code, delivery.error) if delivery.attempts else "",
            duration=duration(delivery.response_time_ms),
            created_at=iso(delivery.created_at),
            next_attempt_at=iso(delivery.next_attempt_at) if is_pending else "",
            address=address,
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
            created_at=iso(webhook.created_at),
            last=DeliveryView.of(webhook.last_delivery) if webhook.last_delivery else DeliveryView(),
        )


def event_name(event_type: str) -> str:
    """Return the name of an event type on the page."""
    return TEST_NAME if event_type == TEST_EVENT else EVENT_NAMES.get(event_type, event_type)


def response(status_code: int | None, error: str | None) -> str:
    """Return the status code, followed by the error if it says more."""
    if status_code is None:
        return error or "No response"
    return str(status_code) if not error or error == f"answered {status_code}" else f"{status_code}: {error}"


def duration(milliseconds: int | None) -> str:
    """Return milliseconds with their unit."""
    return "" if milliseconds is None else f"{milliseconds:,} ms"


def iso(moment: datetime | None) -> str:
    """Return a time as ISO 8601, empty for None."""
    return moment.isoformat() if moment else ""
