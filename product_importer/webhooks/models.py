"""The tables of webhooks: who is told of what, what each was told, and how each attempt went.

A delivery is of an event in the outbox, which goes together with its deliveries (see `retention`).
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Column, DateTime, ForeignKey, Index, Integer, Text, func, text
from sqlmodel import Field, SQLModel

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


def _text(nullable: bool = False, **options: Any) -> Any:
    return Column(Text, nullable=nullable, **options)


def _moment(nullable: bool = True, **options: Any) -> Any:
    return Column(DateTime(timezone=True), nullable=nullable, **options)


def _count() -> Any:
    return Column(Integer, nullable=False, server_default=text("0"))


def _number() -> Any:
    return Column(Integer, nullable=True)


class Webhook(SQLModel, table=True):
    """A receiver: its address, what it is told of, and the secret that its messages are signed with.

    `first_failed_at` is when the failures began that no success has ended. A deleted webhook is there until its
    deliveries are gone, for there may be many.
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
    previous_secret_until: datetime | None = Field(default=None, sa_column=_moment())
    disabled_reason: str | None = Field(default=None, sa_column=_text(nullable=True))
    first_failed_at: datetime | None = Field(default=None, sa_column=_moment())
    created_at: datetime | None = Field(default=None, sa_column=_moment(False, server_default=func.now()))
    updated_at: datetime | None = Field(default=None, sa_column=_moment(False, server_default=func.now()))
    deleted_at: datetime | None = Field(default=None, sa_column=_moment())


class Delivery(SQLModel, table=True):
    """One event for one webhook. Whoever works on it owns it until `claimed_until`.

    `attempts` counts all of them, `tries` those since it was last asked for, which the schedule goes by. What the
    last attempt brought stands here, too.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_event", "event_id", "webhook_id", unique=True),
        Index("ix_webhook_delivery_list", "webhook_id", "event_id"),
        Index(
            "ix_webhook_delivery_due",
            "webhook_id",
            "next_attempt_at",
            "event_id",
            postgresql_where=text(f"status = '{DeliveryStatus.PENDING}'"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    webhook_id: UUID = Field(sa_column=Column(ForeignKey("webhook.id"), nullable=False))
    event_id: UUID
    event_type: str = Field(sa_column=_text())
    status: str = Field(default=DeliveryStatus.PENDING, sa_column=_text(server_default=DeliveryStatus.PENDING))
    attempts: int = Field(default=0, sa_column=_count())
    tries: int = Field(default=0, sa_column=_count())
    next_attempt_at: datetime | None = Field(default=None, sa_column=_moment())
    claimed_until: datetime | None = Field(default=None, sa_column=_moment())
    last_attempt_at: datetime | None = Field(default=None, sa_column=_moment())
    status_code: int | None = Field(default=None, sa_column=_number())
    response_time_ms: int | None = Field(default=None, sa_column=_number())
    response_excerpt: str | None = Field(default=None, sa_column=_text(nullable=True))
    error: str | None = Field(default=None, sa_column=_text(nullable=True))
    created_at: datetime | None = Field(default=None, sa_column=_moment(False, server_default=func.now()))


class Attempt(SQLModel, table=True):
    """One request to a receiver: when, how long, and what it said."""

    __tablename__ = "webhook_attempt"

    delivery_id: UUID = Field(
        sa_column=Column(ForeignKey("webhook_delivery.id", ondelete="CASCADE"), primary_key=True)
    )
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    started_at: datetime = Field(sa_column=_moment(False))
    status_code: int | None = Field(default=None, sa_column=_number())
    response_time_ms: int = Field(sa_column=Column(Integer, nullable=False))
    response_excerpt: str | None = Field(default=None, sa_column=_text(nullable=True))
    error: str | None = Field(default=None, sa_column=_text(nullable=True))
