"""What the page of a product shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Self

from product_importer.catalog.history.schemas import ChangedField, ChangeKind, HistoryEntry
from product_importer.catalog.history.states import ATTRIBUTE
from product_importer.catalog.pages.form_data import LABELS
from product_importer.catalog.schemas import ProductRead
from product_importer.ui import routes

# Longer values are cut; the form has them whole.
MAX_VALUE = 2_000
# An entry with more differences shows them on request.
MAX_OPEN = 8
UNKNOWN = "not known any more"
EMPTY = "empty"
# What became of the product: by hand, by an import, and by an action, whose name follows.
WORDS: dict[str, tuple[str, str, str]] = {
    ChangeKind.CREATED: ("Created", "Created by the import of", "Created by the action"),
    ChangeKind.UPDATED: ("Changed", "Changed by the import of", "Changed by the action"),
    ChangeKind.DELETED: ("Deleted", "Deleted by the undo of the import of", "Deleted by the action"),
    ChangeKind.RESTORED: ("Deletion undone", "Deletion undone", "Brought back by the undo of the action"),
    ChangeKind.UNDONE: (
        "Restored by an undo",
        "Restored by the undo of the import of",
        "Restored by the undo of the action",
    ),
}


@dataclass(frozen=True)
class FactView:
    """A field or an attribute, and its value."""

    name: str = ""
    value: str = ""


@dataclass(frozen=True)
class ProductDetails:
    """The product as its page shows it."""

    id: str = ""
    sku: str = ""
    name: str = ""
    description: str = ""
    active: bool = True
    attributes: list[FactView] = field(default_factory=list)
    version: int = 0
    created_at: str = ""
    updated_at: str = ""

    @classmethod
    def of(cls, product: ProductRead) -> Self:
        """Return `product` as its page shows it."""
        return cls(
            id=str(product.id),
            sku=product.sku,
            name=product.name,
            description=_shortened(product.description),
            active=product.active,
            attributes=[FactView(name, _shortened(value)) for name, value in sorted(product.attributes.items())],
            version=product.version,
            created_at=product.created_at.isoformat(),
            updated_at=product.updated_at.isoformat(),
        )


@dataclass(frozen=True)
class ChangeView:
    """A field before and after a change. A note stands in place of a value that is empty or not known."""

    name: str = ""
    before: str = ""
    before_note: str = ""
    after: str = ""
    after_note: str = ""

    @classmethod
    def of(cls, change: ChangedField) -> Self:
        """Return `change` as the page shows it."""
        before, after = _value(change.before), _value(change.after)
        return cls(_label(change.field), before, _note(change.before), after, _note(change.after))


@dataclass(frozen=True)
class EntryView:
    """One change of the product; `gap` says how many changes before it are not known any more."""

    key: str = ""
    at: str = ""
    kind: str = ""
    words: str = ""
    filename: str = ""
    address: str = ""
    by: str = ""
    note: str = ""
    is_whole: bool = False
    changes: list[ChangeView] = field(default_factory=list)
    summary: str = ""
    gap: str = ""

    @classmethod
    def of(cls, entry: HistoryEntry, gap: int) -> Self:
        """Return `entry` as the page shows it."""
        by_hand, by_import, by_action = WORDS[entry.kind]
        is_whole = entry.kind in (ChangeKind.CREATED, ChangeKind.DELETED)
        changes = [ChangeView.of(change) for change in entry.changes or ()]
        return cls(
            key=f"{entry.version}-{entry.kind}",
            at=entry.at.isoformat(),
            kind=entry.kind,
            words=by_action if entry.action else by_import if entry.filename else by_hand,
            filename=entry.filename or "",
            address=f"{routes.IMPORTS}/{entry.job_id}" if entry.job_id else "",
            by=entry.by or "",
            note=_what(entry),
            is_whole=is_whole,
            changes=changes,
            summary=_summary(len(changes), is_whole),
            gap=_gap(gap),
        )


def entries_of(entries: Sequence[HistoryEntry]) -> list[EntryView]:
    """Return the entries, newest first, as the page shows them."""
    return [
        EntryView.of(entry, _versions_between(entry, older)) for entry, older in zip_longest(entries, entries[1:])
    ]


def _versions_between(entry: HistoryEntry, older: HistoryEntry | None) -> int:
    """Return how many versions were made between two entries; a deletion makes none."""
    if older is None:
        return 0
    return entry.version - (entry.kind != ChangeKind.DELETED) - older.version


def _what(entry: HistoryEntry) -> str:
    if entry.changes is None and entry.kind in (ChangeKind.UPDATED, ChangeKind.UNDONE):
        return "What was changed is not known any more."
    return "No value differs." if entry.changes == [] and entry.kind == ChangeKind.UNDONE else ""


def _summary(changes: int, is_whole: bool) -> str:
    """Return the words that open the differences; empty where they are open."""
    if is_whole:
        return "Values" if changes else ""
    return f"{changes} values" if changes > MAX_OPEN else ""


def _gap(changes: int) -> str:
    if changes < 1:
        return ""
    return "A change before this is" if changes == 1 else f"{changes:,} changes before this are"


def _label(name: str) -> str:
    if name.startswith(ATTRIBUTE):
        return name.removeprefix(ATTRIBUTE)
    return LABELS[name]


def _value(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return _shortened(value or "")


def _note(value: str | bool | None) -> str:
    return UNKNOWN if value is None else EMPTY if value == "" else ""


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
