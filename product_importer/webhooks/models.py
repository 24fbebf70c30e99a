"""Tables and enums of webhooks, their deliveries and attempts.

A delivery belongs to an event in the outbox. Both are deleted together, see `reconciler.prune`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Text,
    Uuid,
    and_,
    func,
    or_,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel, col

from product_importer.core.ids import new_id


class ImportEvents(StrEnum):
    """Which events of an import a webhook gets: one at its end, or also one for each product."""

    SUMMARY = "summary"
    EACH = "each"


class DeliveryStatus(StrEnum):
    """Whether a delivery waits for an attempt, has arrived, or is given up."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class LogState(StrEnum):
    """What a log says of a delivery: a pending one whose last attempt failed is being retried."""

    PENDING = "pending"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


def _text(nullable: bool = False, **options: Any) -> Any:
    return Column(Text, nullable=nullable, **options)


def _timestamp(nullable: bool = True, **options: Any) -> Any:
    return Column(DateTime(timezone=True), nullable=nullable, **options)


def _counter() -> Any:
    return Column(Integer, nullable=False, server_default=text("0"))


def _integer() -> Any:
    return Column(Integer, nullable=True)


def _headers() -> Any:
    return Column(JSONB, nullable=True)


class Webhook(SQLModel, table=True):
    """A receiver: its URL, the event types it subscribes to, and the secret that signs its messages.

    `first_failed_at` is the time of the first failure since the last success. The row of a deleted webhook stays
    until its deliveries, which may be many, are deleted.
    """

    __tablename__ = "webhook"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    url: str = Field(sa_column=_text())
    description: str = Field(default="", sa_column=_text())
    event_types: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    import_events: str = Field(default=ImportEvents.SUMMARY, sa_column=_text())
    enabled: bool = Field(default=True, sa_column=Column(Boolean, nullable=False))
    secret: str = Field(sa_column=_text())
    previous_secret: str | None = Field(default=None, sa_column=_text(nullable=True))
    previous_secret_until: datetime | None = Field(default=None, sa_column=_timestamp())
    disabled_reason: str | None = Field(default=None, sa_column=_text(nullable=True))
    first_failed_at: datetime | None = Field(default=None, sa_column=_timestamp())
    created_at: datetime | None = Field(default=None, sa_column=_timestamp(False, server_default=func.now()))
    updated_at: datetime | None = Field(default=None, sa_column=_timestamp(False, server_default=func.now()))
    deleted_at: datetime | None = Field(default=None, sa_column=_timestamp())


class Delivery(SQLModel, table=True):
    """One event for one webhook. The sender that claimed it owns it until `claimed_until`.

    `attempts` counts all attempts. `tries` counts those since the delivery was created or sent again by hand, and
    selects the delay in the retry schedule. The outcome of the last attempt is stored here, too. A test has its event
    in the outbox like any other, but was sent at once. `product_id` is what the event is about; null if it is about
    an import or all products, or the delivery is older than this column.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_event", "event_id", "webhook_id", unique=True),
        Index("ix_webhook_delivery_list", "webhook_id", "event_id"),
        Index(
            "ix_webhook_delivery_product",
            "product_id",
            "event_id",
            postgresql_where=text("product_id IS NOT NULL"),
        ),
        Index(
            "ix_webhook_delivery_due",
            "webhook_id",
            "next_attempt_at",
            "event_id",
            postgresql_where=text(f"status = '{DeliveryStatus.PENDING}'"),
        ),
        # As `has_failed` has it.
        Index(
            "ix_webhook_delivery_failed",
            "webhook_id",
            "event_id",
            postgresql_where=text(
                f"status = '{DeliveryStatus.FAILED}' OR status = '{DeliveryStatus.PENDING}' AND tries > 0"
            ),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    webhook_id: UUID = Field(sa_column=Column(ForeignKey("webhook.id"), nullable=False))
    event_id: UUID
    event_type: str = Field(sa_column=_text())
    product_id: UUID | None = Field(default=None, sa_column=Column(Uuid, nullable=True))
    status: str = Field(default=DeliveryStatus.PENDING, sa_column=_text(server_default=DeliveryStatus.PENDING))
    attempts: int = Field(default=0, sa_column=_counter())
    tries: int = Field(default=0, sa_column=_counter())
    next_attempt_at: datetime | None = Field(default=None, sa_column=_timestamp())
    claimed_until: datetime | None = Field(default=None, sa_column=_timestamp())
    last_attempt_at: datetime | None = Field(default=None, sa_column=_timestamp())
    status_code: int | None = Field(default=None, sa_column=_integer())
    response_time_ms: int | None = Field(default=None, sa_column=_integer())
    response_excerpt: str | None = Field(default=None, sa_column=_text(nullable=True))
    error: str | None = Field(default=None, sa_column=_text(nullable=True))
    created_at: datetime | None = Field(default=None, sa_column=_timestamp(False, server_default=func.now()))
    is_test: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))

    @property
    def state(self) -> LogState:
        """What a log says of the delivery."""
        is_retrying = self.status == DeliveryStatus.PENDING and self.tries > 0
        return LogState.RETRYING if is_retrying else LogState(self.status)


def has_failed() -> ColumnElement[bool]:
    """Return the condition that the last attempt of a delivery failed, whether it will be retried or not."""
    is_retrying = and_(col(Delivery.status) == DeliveryStatus.PENDING, col(Delivery.tries) > 0)
    return or_(col(Delivery.status) == DeliveryStatus.FAILED, is_retrying)


class Attempt(SQLModel, table=True):
    """One HTTP request to a receiver, and its outcome.

    `url` and the headers, pairs of name and value, are null where no request was made, and in attempts of a version
    that did not store them.
    """

    __tablename__ = "webhook_attempt"

    delivery_id: UUID = Field(
        sa_column=Column(ForeignKey("webhook_delivery.id", ondelete="CASCADE"), primary_key=True)
    )
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    started_at: datetime = Field(sa_column=_timestamp(False))
    status_code: int | None = Field(default=None, sa_column=_integer())
    response_time_ms: int = Field(sa_column=Column(Integer, nullable=False))
    response_excerpt: str | None = Field(default=None, sa_column=_text(nullable=True))
    error: str | None = Field(default=None, sa_column=_text(nullable=True))
    url: str | None = Field(default=None, sa_column=_text(nullable=True))
    request_headers: list[Any] | None = Field(default=None, sa_column=_headers())
    response_headers: list[Any] | None = Field(default=None, sa_column=_headers())


class WebhookHour(SQLModel, table=True):
    """How many attempts on a webhook's messages succeeded and failed in one hour; tests do not count.

    A chart of a week reads these few rows in place of millions of attempts.
    """

    __tablename__ = "webhook_hour"

    webhook_id: UUID = Field(sa_column=Column(ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True))
    hour: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    succeeded: int = Field(default=0, sa_column=_counter())
    failed: int = Field(default=0, sa_column=_counter())
