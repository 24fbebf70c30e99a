"""What a trial has found: the products that an import would create or change, and how."""

from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError
from product_importer.imports import service
from product_importer.imports.schemas import ChangesPage, ChangesQuery, FieldChange, ImportChange
from product_importer.imports.views import counted
from product_importer.ui.asking import ask

PAGE_SIZE = 25
OUTCOMES = ("created", "updated")
# A line shows no more of a text, and no more of what comes before the first difference.
SHOWN = 240
SHOWN_NEW = 120
BEFORE_DIFFERENCE = 40
LABELS = {"sku": "SKU", "name": "Name", "description": "Description", "active": "Status"}


@dataclass(frozen=True)
class DifferenceView:
    """One field, before and after; what is not there is neither shown as removed nor as added."""

    label: str = ""
    before: str = ""
    after: str = ""
    is_removed: bool = False
    is_added: bool = False

    @classmethod
    def of(cls, change: FieldChange) -> Self:
        """Return `change` as the page shows it."""
        before, after = _text(change.before), _text(change.after)
        return cls(
            LABELS.get(change.field, change.field),
            *(_around_difference(before, after) if change.before is not None else ("", _cut(after, 0, SHOWN_NEW))),
            is_removed=change.before is not None,
            is_added=change.after is not None,
        )


@dataclass(frozen=True)
class ChangeView:
    """One product that the import would create or change."""

    line: str = ""
    sku: str = ""
    outcome: str = ""
    tone: str = "neutral"
    is_outdated: bool = False
    differences: list[DifferenceView] = field(default_factory=list)

    @classmethod
    def of(cls, change: ImportChange) -> Self:
        """Return `change` as the page shows it."""
        return cls(
            line=f"{change.line:,}",
            sku=change.sku,
            outcome=change.outcome,
            tone="good" if change.outcome == "created" else "busy",
            is_outdated=change.is_outdated,
            differences=[DifferenceView.of(one) for one in change.changes],
        )


class TrialState(rx.State):
    """One browser tab's view of what a trial has found."""

    changes: list[ChangeView] = []  # noqa: RUF012 - Reflex copies it for each tab
    outcome: str = ""
    list_page: int = 1
    pages: int = 1
    total: str = ""
    loaded: bool = False
    loading: bool = False
    problem: str = ""
    _import_id: str = ""

    @rx.event
    def open_changes(self, import_id: str) -> EventType[()]:
        """Show what the trial of this import has found."""
        self._import_id, self.changes, self.outcome, self.list_page, self.pages = import_id, [], "", 1, 1
        self.loaded, self.problem = False, ""
        return self._load()

    @rx.event
    def filter_outcome(self, outcome: str) -> EventType[()]:
        """Show only what would be created, or only what would be updated; all of it where it is empty."""
        self.outcome, self.list_page = outcome if outcome in OUTCOMES else "", 1
        return self._load()

    @rx.event
    def turn_changes(self, to: int) -> EventType[()]:
        """Show the page of this number."""
        self.list_page = min(max(1, to), self.pages)
        return self._load()

    @rx.event(background=True, supersedes=True)
    async def load_changes(self) -> None:
        """Ask for the changes; a newer question takes the place of one that still runs."""
        asked = self._asked()
        import_id, outcome, page = asked
        query = ChangesQuery.model_validate({"outcome": outcome or None, "page": page, "page_size": PAGE_SIZE})
        found: ChangesPage | DomainError
        try:
            found = await ask(service.list_changes, UUID(import_id), query)
        except DomainError as error:
            found = error
        async with self:
            # Where something else is asked for by now, its answer is on the way.
            if self._asked() == asked:
                self._take(found)

    def _load(self) -> EventType[()]:
        self.loading = True
        return TrialState.load_changes

    def _asked(self) -> tuple[str, str, int]:
        return self._import_id, self.outcome, self.list_page

    def _take(self, found: ChangesPage | DomainError) -> None:
        self.loading = False
        if isinstance(found, DomainError):
            self.problem = found.detail
            return
        self.changes = [ChangeView.of(change) for change in found.items]
        self.pages, self.total, self.loaded, self.problem = found.pages, counted(found.total, "product"), True, ""


def _text(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "Active" if value else "Inactive"
    return value or ""


def _around_difference(before: str, after: str) -> tuple[str, str]:
    """Return both texts from shortly before their first difference on, no longer than a line of the table takes."""
    begin = 0
    if max(len(before), len(after)) > SHOWN:
        begin = max(0, _shared(before, after) - BEFORE_DIFFERENCE)
    return _cut(before, begin), _cut(after, begin)


def _shared(before: str, after: str) -> int:
    """Return how many characters both begin with."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))


def _cut(text: str, begin: int, length: int = SHOWN) -> str:
    left, right = "…" if begin else "", "…" if len(text) > begin + length else ""
    return f"{left}{text[begin : begin + length]}{right}" if text else ""
