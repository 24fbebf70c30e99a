"""What the page of the record shows, and the listing that its address holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

from pydantic import ValidationError

from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.audit_schemas import AuditQuery, AuditRead
from product_importer.access.pages import audit_labels
from product_importer.access.principal import PrincipalKind
from product_importer.ui import routes
from product_importer.ui.address_list import Listing

PAGE_SIZE = 50
FILTERS = ("actor", "action", "object_kind", "object_id", "since", "until")
# In the page, longer values are cut.
MAX_VALUE = 1_000
# The filters that are days, and how many days after its first midnight each begins or ends.
DAYS = {"since": 0, "until": 1}
OBJECT_PAGES = {ObjectKind.IMPORT: routes.IMPORTS, ObjectKind.WEBHOOK: routes.WEBHOOKS}


@dataclass(frozen=True)
class AuditListing(Listing):
    """Which entries are listed. `since` and `until` are days in UTC, such as "2026-11-01", both included."""

    ROUTE: ClassVar[str] = routes.AUDIT

    actor: str = ""
    action: str = ""
    object_kind: str = ""
    object_id: str = ""
    since: str = ""
    until: str = ""
    page: int = 1

    @classmethod
    def from_address(cls, parameters: Mapping[str, str]) -> Self:
        """Read the address's parameters; invalid ones are ignored."""
        given: dict[str, Any] = {name: parameters[name] for name in FILTERS if name in parameters}
        page = parameters.get("page", "")
        if page.isdecimal() and len(page) < 6 and int(page) > 0:
            given["page"] = int(page)
        return cls(**{name: value for name, value in given.items() if _is_valid(cls(**{name: value}))})

    def query(self) -> AuditQuery:
        """Return the query for the service.

        Raises:
            ValueError: a value is invalid.
        """
        return AuditQuery.model_validate({**self._filters(), "page": self.page, "page_size": PAGE_SIZE})

    def export_address(self) -> str:
        """Return the address of all pages of these entries as a CSV."""
        given = {name: value.isoformat() if name in DAYS else value for name, value in self._filters().items()}
        return f"/api/audit/export?{urlencode(given)}" if given else "/api/audit/export"

    def is_filtered(self) -> bool:
        """Return whether any filter narrows the list."""
        return any(getattr(self, name) for name in FILTERS)

    def texts(self) -> tuple[str, ...]:
        return (self.actor,)

    def _filters(self) -> dict[str, Any]:
        given: dict[str, Any] = {name: value for name in FILTERS if (value := getattr(self, name))}
        for name, days in DAYS.items():
            if name in given:
                given[name] = _midnight(given[name]) + timedelta(days=days)
        return given


def _midnight(day: str) -> datetime:
    first = date.fromisoformat(day)
    # The day after the last one of the calendar does not exist.
    return datetime(min(first.year, 9998), first.month, first.day, tzinfo=UTC)


def _is_valid(listing: AuditListing) -> bool:
    try:
        listing.query()
    except (ValidationError, ValueError):
        return False
    return True


@dataclass(frozen=True)
class ChangeView:
    """One field with its values before and after a change; a dash stands for none."""

    name: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class FactView:
    """One further detail of an entry."""

    name: str = ""
    value: str = ""


@dataclass(frozen=True)
class EntryView:
    """One entry of the record."""

    id: str = ""
    at: str = ""
    action: str = ""
    actor: str = ""
    actor_note: str = ""
    address: str = ""
    object: str = ""
    object_id: str = ""
    object_address: str = ""
    changes: list[ChangeView] = field(default_factory=list)
    facts: list[FactView] = field(default_factory=list)

    @classmethod
    def of(cls, event: AuditRead) -> Self:
        """Return `event` as the page shows it."""
        note = audit_labels.ACTORS[PrincipalKind(event.actor_kind)]
        is_named = event.actor_kind in (PrincipalKind.PERSON, PrincipalKind.TOKEN) and event.actor_name
        base = OBJECT_PAGES.get(ObjectKind(event.object_kind)) if event.object_kind else None
        return cls(
            id=str(event.id),
            at=event.at.isoformat(),
            action=audit_labels.ACTIONS[AuditAction(event.action)],
            actor=event.actor_name if is_named else note.capitalize(),
            actor_note=note if is_named else event.actor_name if event.actor_kind == PrincipalKind.STRANGER else "",
            address=event.address or "",
            object=event.object_name or "",
            object_id=str(event.object_id) if event.object_id else "",
            object_address=f"{base}/{event.object_id}" if base and event.object_id else "",
            changes=_changes(event),
            facts=[FactView(name, text) for name, value in _labelled(event.details or {}) if (text := _text(value))],
        )


def _changes(event: AuditRead) -> list[ChangeView]:
    before, after = (dict(_attributes_apart(values or {})) for values in (event.before, event.after))
    return [
        ChangeView(name, _text(before.get(name)) or "—", _text(after.get(name)) or "—")
        for name in {**before, **after}
    ]


def _attributes_apart(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the values by label, each of a product's attributes by itself."""
    yield from _labelled({name: value for name, value in values.items() if not isinstance(value, dict)})
    for attribute, text in (values.get("attributes") or {}).items():
        yield f"Attribute “{attribute}”", text


def _labelled(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the values by label."""
    for name, value in values.items():
        yield _words(name), value


def _words(name: str) -> str:
    return "URL" if name == "url" else name.replace("_", " ").capitalize()


def _text(value: Any) -> str:
    """Return a JSON value as people read it."""
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case int():
            text = f"{value:,}"
        case dict():
            given = (f"{_words(name).lower()} {_text(inner)}" for name, inner in value.items() if inner is not None)
            text = ", ".join(given)
        case list():
            text = ", ".join(map(_text, value))
        case _:
            text = str(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
