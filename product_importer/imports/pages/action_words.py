"""What an action on products does and has done, in words."""

from typing import Any

from product_importer.catalog import attribute_filters
from product_importer.imports.action_schemas import ActionKind, StoredAction
from product_importer.imports.models import ImportStatus
from product_importer.imports.read_warnings import WarningCode
from product_importer.imports.schemas import ImportRead
from product_importer.ui.formatting import EMPTY

DOING = {
    ActionKind.ACTIVATE: "Activating products",
    ActionKind.DEACTIVATE: "Deactivating products",
    ActionKind.SET: "Changing products",
    ActionKind.DELETE: "Deleting products",
}
DONE = {
    ActionKind.ACTIVATE: "activated",
    ActionKind.DEACTIVATE: "deactivated",
    ActionKind.SET: "changed",
    ActionKind.DELETE: "deleted",
}
STOPPED = {ImportStatus.FAILED: "Failed", ImportStatus.CANCELLED: "Cancelled"}
FILTERS = {
    "sku": "SKU contains",
    "name": "name contains",
    "description": "description contains",
    "q": "any text contains",
    "active": "active is",
    "import": "created by the import",
}
ATTRIBUTE = attribute_filters.PREFIX
# So much of a text is shown.
MAX_SHOWN = 200


def counted(count: int) -> str:
    """Return a number of products in words."""
    return f"{count:,} {'product' if count == 1 else 'products'}"


def done(job: ImportRead, action: StoredAction) -> str:
    """Return what an ended action has done, such as "300 products deactivated, 2 unchanged"."""
    written = job.updated + job.deleted
    if job.status in STOPPED:
        return f"{STOPPED[ImportStatus(job.status)]}: {counted(written)} {DONE[action.kind]} before"
    if not job.total_rows:
        return "No product matched"
    unchanged = f", {job.unchanged:,} unchanged" if job.unchanged else ""
    return f"{counted(written)} {DONE[action.kind]}{unchanged}{_full(job)}"


def _full(job: ImportRead) -> str:
    """Return how many products could not take more attributes, in words."""
    full = sum(warning.count or 0 for warning in job.warnings if warning.code == WarningCode.ATTRIBUTES_FULL)
    return f" ({full:,} can take no more attributes)" if full else ""


def stopped(job: ImportRead, action: StoredAction) -> str:
    """Say how far a failed or cancelled action came."""
    of_all = "" if job.total_rows is None else f" of {job.total_rows:,}"
    written = job.updated + job.deleted
    return f"Stopped: {written:,}{of_all} products are {DONE[action.kind]}."


def products(action: StoredAction) -> str:
    """Say which products an action takes."""
    filters = [_filter(name, value) for name, value in action.filter.items()]
    if action.selected is not None:
        filters.insert(0, f"{counted(action.selected)} selected one by one")
    return ", ".join(filters) or "All products"


def values(action: StoredAction) -> list[tuple[str, str]]:
    """Return the fields and attributes that an action sets, each with its new value."""
    given = dict(action.values or {})
    attributes: dict[str, Any] = given.pop("attributes", {})
    return [(name, _shown(value) if value != "" else EMPTY) for name, value in {**given, **attributes}.items()]


def _filter(name: str, value: Any) -> str:
    """Return a filter in words; also one that only a newer version knows, so that none is hidden."""
    attribute = name.removeprefix(ATTRIBUTE)
    if attribute == name:
        return f"{FILTERS.get(name, name)} {_shown(value)}"
    return f"{attribute} contains {_shown(value)}" if value else f"has the attribute {_shown(attribute)}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return f"“{text[:MAX_SHOWN]}…”" if len(text) > MAX_SHOWN else f"“{text}”"
