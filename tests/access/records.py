"""Read the record of who did what, for tests."""

from typing import Any

from sqlmodel import col, select

from product_importer.access.models import AuditEvent
from product_importer.core import db


def entries(*actions: str) -> list[Any]:
    """Return the entries, the oldest first; only those of these actions, if any are given."""
    found = select(AuditEvent).order_by(col(AuditEvent.id))
    if actions:
        found = found.where(col(AuditEvent.action).in_(actions))
    return db.run(lambda session: list(session.scalars(found)))


def actions() -> list[str]:
    """Return what was done, in order."""
    return [entry.action for entry in entries()]
