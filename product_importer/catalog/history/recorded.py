"""What the record of who did what knows of a product: changes by hand, deletions, and that all were deleted."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from product_importer.access import audit_log
from product_importer.access.audit import AuditAction
from product_importer.access.principal import Principal, PrincipalKind
from product_importer.catalog.history.changes import Change, Values
from product_importer.catalog.history.schemas import ChangeKind
from product_importer.catalog.last_change import Writer

KINDS = {
    AuditAction.PRODUCT_CREATED: ChangeKind.CREATED,
    AuditAction.PRODUCT_UPDATED: ChangeKind.UPDATED,
    AuditAction.PRODUCT_DELETED: ChangeKind.DELETED,
    AuditAction.PRODUCT_RESTORED: ChangeKind.RESTORED,
}
# A program may have changed a product very often.
MAX_ENTRIES = 10_000


def find(session: Session, product_id: UUID) -> list[Change]:
    """Return the newest changes that the record has, without their values."""
    noted = audit_log.find_versions(session, product_id, KINDS, MAX_ENTRIES)
    return [
        Change(one.version, KINDS[one.action], one.at, Writer(one.by.known_name), record_id=one.id) for one in noted
    ]


def with_values(session: Session, changes: Sequence[Change]) -> list[Change]:
    """Return the changes with the values that the record has of them."""
    found = audit_log.find_values(session, [one.record_id for one in changes if one.record_id])
    return [_filled(change, found.get(change.record_id)) if change.record_id else change for change in changes]


def deletion_of_all(session: Session, after: datetime, version: int) -> Change | None:
    """Return the first deletion of all products after a moment, as a change of a product that had this version."""
    event = audit_log.find_after(session, AuditAction.PRODUCTS_DELETED, after)
    if event is None or event.at is None:
        return None
    by = Principal(PrincipalKind(event.actor_kind), id=event.actor_id, name=event.actor_name)
    return Change(version, ChangeKind.DELETED, event.at, Writer(by.known_name))


def _filled(change: Change, values: audit_log.Values | None) -> Change:
    if values is None:
        return change
    if change.kind != ChangeKind.UPDATED:
        return replace(change, before=values.before, after=values.after, is_whole=True)
    before, after = values.before or {}, values.after or {}
    names = {name for given in (before, after) for name in _attributes(given)}
    return replace(change, before=_completed(before, names), after=_completed(after, names))


def _completed(given: Values, names: Iterable[str]) -> Values:
    """Return the values with those attributes as empty texts that are on the other side only."""
    attributes = _attributes(given)
    return {**given, "attributes": {name: attributes.get(name, "") for name in names}}


def _attributes(given: Values) -> Values:
    return given.get("attributes") or {}
