"""Read the record of who did what, and delete what is older than it is kept."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, or_, text, tuple_
from sqlmodel import Session, col, delete, select

from product_importer.access.audit import AuditAction
from product_importer.access.audit_schemas import AuditFilter, AuditPage, AuditQuery, AuditRead
from product_importer.access.models import AuditEvent
from product_importer.access.principal import Principal, PrincipalKind
from product_importer.core import db
from product_importer.core.csv_injection import escape
from product_importer.core.csv_text import to_csv
from product_importer.core.moments import in_utc
from product_importer.core.settings import settings

ROWS_PER_PIECE = 1_000
# Counting all entries of years would take long, and nobody turns so many pages.
MAX_TOTAL = 100_000
# Entries deleted in one transaction.
MAX_DELETES = 5_000

NEWEST_FIRST = (col(AuditEvent.at).desc(), col(AuditEvent.id).desc())
# The trigger lets only this transaction delete.
ALLOW_DELETES = text("SET LOCAL product_importer.audit_retention = 'on'")

COLUMNS = tuple(AuditRead.model_fields)


class Noted(NamedTuple):
    """An entry about one version of an object, without the values that changed."""

    id: UUID
    at: datetime
    action: AuditAction
    by: Principal
    version: int


class Values(NamedTuple):
    """What an entry has of the values that changed."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None


def list_events(session: Session, query: AuditQuery) -> AuditPage:
    """Return a page of the record, newest first."""
    conditions = _conditions(query)
    found = select(AuditEvent).where(*conditions).order_by(*NEWEST_FIRST)
    items = session.scalars(found.limit(query.page_size).offset(query.offset))
    counted = select(literal(1)).select_from(AuditEvent).where(*conditions).limit(MAX_TOTAL + 1)
    total = session.scalar(select(func.count()).select_from(counted.subquery())) or 0
    return AuditPage(
        items=[AuditRead.model_validate(event) for event in items],
        total=min(total, MAX_TOTAL),
        total_is_exact=total <= MAX_TOTAL,
        page=query.page,
        page_size=query.page_size,
    )


def stream_csv(criteria: AuditFilter) -> Iterator[str]:
    """Return the entries that match as CSV, in pieces, newest first; no cell is run by a spreadsheet as a formula.

    Entries made meanwhile are left out. Memory holds `ROWS_PER_PIECE` of them.
    """
    first = db.run(_events_before, criteria, None)
    return _pieces(criteria, first)


def find_version(
    session: Session, object_id: UUID, version: int, actions: Collection[AuditAction]
) -> Principal | None:
    """Return who made this version of an object by one of these actions; None if no entry says so."""
    made = select(AuditEvent).where(
        AuditEvent.object_id == object_id,
        col(AuditEvent.action).in_(actions),
        col(AuditEvent.details)["version"].as_integer() == version,
    )
    event = session.scalar(made.order_by(col(AuditEvent.id).desc()).limit(1))
    if event is None:
        return None
    return Principal(PrincipalKind(event.actor_kind), id=event.actor_id, name=event.actor_name)


def find_versions(session: Session, object_id: UUID, actions: Collection[AuditAction], limit: int) -> list[Noted]:
    """Return the newest entries about the versions of an object, newest first."""
    version = col(AuditEvent.details)["version"].as_integer()
    who = col(AuditEvent.actor_kind), col(AuditEvent.actor_id), col(AuditEvent.actor_name)
    noted = (
        select(col(AuditEvent.id), col(AuditEvent.at), col(AuditEvent.action), *who, version)  # type: ignore[call-overload]
        .where(AuditEvent.object_id == object_id, col(AuditEvent.action).in_(actions), version.is_not(None))
        .order_by(col(AuditEvent.id).desc())
        .limit(limit)
    )
    return [
        Noted(id, at, AuditAction(action), Principal(PrincipalKind(kind), id=actor_id, name=name), made)
        for id, at, action, kind, actor_id, name, made in session.execute(noted)
    ]


def find_values(session: Session, ids: Collection[UUID]) -> dict[UUID, Values]:
    """Return the values that changed, by the id of the entry."""
    found = select(AuditEvent.id, AuditEvent.before, AuditEvent.after).where(col(AuditEvent.id).in_(ids))
    return {id: Values(before, after) for id, before, after in session.execute(found)}


def find_after(session: Session, action: AuditAction, moment: datetime) -> AuditEvent | None:
    """Return the first entry of an action on no single object after a moment."""
    later = select(AuditEvent).where(
        col(AuditEvent.object_id).is_(None), AuditEvent.action == action, col(AuditEvent.at) > moment
    )
    return session.scalar(later.order_by(col(AuditEvent.id)).limit(1))


def prune(session: Session) -> bool:
    """Delete up to `MAX_DELETES` entries older than `AUDIT_RETENTION_DAYS`; return whether there may be more."""
    session.execute(ALLOW_DELETES)
    limit = func.now() - timedelta(days=settings().audit_retention_days)
    old = select(AuditEvent.id).where(col(AuditEvent.at) < limit).order_by(col(AuditEvent.at)).limit(MAX_DELETES)
    result: Any = session.execute(delete(AuditEvent).where(col(AuditEvent.id).in_(old)))
    return bool(result.rowcount == MAX_DELETES)


def _conditions(criteria: AuditFilter) -> list[ColumnElement[bool]]:
    exact = {name: getattr(criteria, name) for name in ("action", "object_kind", "object_id")}
    conditions = [getattr(AuditEvent, name) == value for name, value in exact.items() if value is not None]
    if criteria.actor:
        conditions.append(_is_actor(criteria.actor))
    if criteria.since is not None:
        conditions.append(col(AuditEvent.at) >= in_utc(criteria.since))
    if criteria.until is not None:
        conditions.append(col(AuditEvent.at) < in_utc(criteria.until))
    return conditions


def _is_actor(given: str) -> ColumnElement[bool]:
    has_name = col(AuditEvent.actor_name).icontains(given, autoescape=True)
    with suppress(ValueError):
        return or_(has_name, col(AuditEvent.actor_id) == UUID(given))
    return has_name


def _pieces(criteria: AuditFilter, events: Sequence[AuditEvent]) -> Iterator[str]:
    yield to_csv([COLUMNS])
    # Each piece has a transaction of its own: a slow client must not hold one of the few connections.
    while events:
        yield to_csv(map(_cells, events))
        events = db.run(_events_before, criteria, events[-1])


def _events_before(session: Session, criteria: AuditFilter, last: AuditEvent | None) -> Sequence[AuditEvent]:
    found = select(AuditEvent).where(*_conditions(criteria)).order_by(*NEWEST_FIRST).limit(ROWS_PER_PIECE)
    if last is not None:
        found = found.where(tuple_(col(AuditEvent.at), col(AuditEvent.id)) < tuple_(last.at, last.id))
    return session.scalars(found).all()


def _cells(event: AuditEvent) -> Iterator[str]:
    for name, value in AuditRead.model_validate(event).model_dump(mode="json").items():
        is_object = name in ("before", "after", "details") and value is not None
        yield escape(json.dumps(value, ensure_ascii=False) if is_object else "" if value is None else str(value))
