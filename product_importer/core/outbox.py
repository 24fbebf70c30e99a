"""Events as rows, written in the transaction that changed the data; webhooks read them from here."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, Session, SQLModel

from product_importer.core.ids import new_id


class Event(SQLModel, table=True):
    """Something that happened: its type's name and what a receiver is told of it."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_unsent", "id", postgresql_where=text("dispatched_at IS NULL")),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    event_type: str = Field(sa_column=Column(Text, nullable=False))
    payload: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=False, server_default=func.now())
    )
    dispatched_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=True))


def record(session: Session, event_type: str, payload: dict[str, Any]) -> None:
    """Add an event to the session's transaction: it exists exactly when the change does."""
    session.add(Event(event_type=event_type, payload=payload))
