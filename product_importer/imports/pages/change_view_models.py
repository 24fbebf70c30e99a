"""View models of a dry run's changes and of the products that an undo kept."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlencode

from product_importer.imports.error_codes import ChangeOutcome
from product_importer.imports.schemas import FieldChange, ImportChange, UndoKept
from product_importer.ui import routes

# Characters shown of a changed text, of a new text, and before the first difference.
MAX_SHOWN = 240
MAX_SHOWN_NEW = 120
BEFORE_DIFFERENCE = 40
LABELS = {"sku": "SKU", "name": "Name", "description": "Description", "active": "Status"}


@dataclass(frozen=True)
class DifferenceView:
    """One field before and after; a value that does not exist is shown neither as removed nor as added."""

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
            *(
                _around_difference(before, after)
                if change.before is not None
                else ("", _cut(after, 0, MAX_SHOWN_NEW))
            ),
            is_removed=change.before is not None,
            is_added=change.after is not None,
        )


@dataclass(frozen=True)
class ChangeView:
    """One product that the import would create or change."""

    line: str = ""
    sku: str = ""
    # The page of the product that would be updated.
    address: str = ""
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
            address=product_address(change.sku) if change.product_id else "",
            outcome=change.outcome,
            tone="good" if change.outcome == ChangeOutcome.CREATED else "busy",
            is_outdated=change.is_outdated,
            differences=[DifferenceView.of(one) for one in change.changes],
        )


@dataclass(frozen=True)
class KeptView:
    """A product that an undo did not change; without an address where it was deleted."""

    id: str = ""
    sku: str = ""
    reason: str = ""
    address: str = ""

    @classmethod
    def of(cls, kept: UndoKept) -> Self:
        """Return `kept` as the page shows it."""
        address = product_address(kept.sku) if kept.sku else ""
        return cls(str(kept.product_id), kept.sku or "a deleted product", kept.reason, address)


def product_address(sku: str) -> str:
    """Return the address of the products page that shows one SKU."""
    return f"{routes.PRODUCTS}?{urlencode({'sku': sku})}"


def _text(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "Active" if value else "Inactive"
    return value or ""


def _around_difference(before: str, after: str) -> tuple[str, str]:
    """Return at most `MAX_SHOWN` characters of both texts, from shortly before their first difference."""
    begin = 0
    if max(len(before), len(after)) > MAX_SHOWN:
        begin = max(0, _common_length(before, after) - BEFORE_DIFFERENCE)
    return _cut(before, begin), _cut(after, begin)


def _common_length(before: str, after: str) -> int:
    """Return how many characters both texts have in common at their beginning."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))


def _cut(text: str, begin: int, length: int = MAX_SHOWN) -> str:
    left, right = "…" if begin else "", "…" if len(text) > begin + length else ""
    return f"{left}{text[begin : begin + length]}{right}" if text else ""
