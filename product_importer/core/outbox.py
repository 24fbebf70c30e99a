"""The outbox: events as rows, written in the transaction that changed the data and sent by the webhooks.

The other slices do not depend on webhooks, and this module knows only the name of the job that sends events.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Column, DateTime, Index, Integer, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import Field, Session, SQLModel

from product_importer.core import queue
from product_importer.core.ids import new_id

DELIVER = queue.Job(queue="webhooks", function="product_importer.webhooks.tasks.deliver", takes_id=False)


class EventType(StrEnum):
    """The types of events that webhooks can subscribe to."""

    PRODUCT_CREATED = "product_created"
    PRODUCT_UPDATED = "product_updated"
    PRODUCT_DELETED = "product_deleted"
    PRODUCTS_DELETED = "products_deleted"
    IMPORT_COMPLETED = "import_completed"
    IMPORT_FAILED = "import_failed"


# Functions that say whether anyone wants an event for every product of an import. If none does, none are written.
WANTS_EACH: list[Callable[[Session], bool]] = []


class Event(SQLModel, table=True):
    """Something that happened: the type and the payload for receivers.

    `version` is the product's version. Events with a `batch_id` come from an import, one for each product in the
    order of lines. They are for receivers that want each, and are sent after the batch is released.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_unsent", "id", postgresql_where=text("dispatched_at IS NULL AND batch_id IS NULL")),
        Index(
            "ix_event_unsent_batch",
            "batch_id",
            "id",
            postgresql_where=text("dispatched_at IS NULL AND batch_id IS NOT NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    event_type: str = Field(sa_column=Column(Text, nullable=False))
    payload: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    version: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    batch_id: UUID | None = Field(default=None, sa_column=Column(Uuid, nullable=True))
    created_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=False, server_default=func.now())
    )
    dispatched_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=True))


class EventBatch(SQLModel, table=True):
    """Events of one import, sent in order after its release; the row is deleted when all are dispatched."""

    __tablename__ = "event_batch"

    id: UUID = Field(primary_key=True)
    released_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=True))


def record(session: Session, event_type: EventType, body: BaseModel, version: int | None = None) -> None:
    """Add an event to the session's transaction: it exists exactly when the change does.

    `body` is a model of `core.messages`.
    """
    session.add(Event(event_type=event_type, payload=body.model_dump(mode="json"), version=version))
    queue.notify_after_commit(session, DELIVER)


def hold_batch(session: Session, batch_id: UUID) -> bool:
    """Begin a batch if anyone wants an event for every product; return whether anyone does."""
    if not any(wants(session) for wants in WANTS_EACH):
        return False
    session.execute(insert(EventBatch).values(id=batch_id).on_conflict_do_nothing())
    return True


def has_batch(session: Session, batch_id: UUID) -> bool:
    """Whether a batch has begun, and not all of its events are dispatched."""
    return session.get(EventBatch, batch_id) is not None


def release_batch(session: Session, batch_id: UUID) -> None:
    """Release the events of a batch for sending; do nothing if there is no such batch."""
    batch = session.get(EventBatch, batch_id)
    if batch is not None:
        batch.released_at = session.scalar(func.now())
        queue.notify_after_commit(session, DELIVER)
