"""What a person typed into the form of a webhook, and what is wrong with it, in words for people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import ValidationError

from product_importer.core.errors import DomainError, NotFound
from product_importer.ui import formatting
from product_importer.webhooks.models import ImportEvents
from product_importer.webhooks.schemas import WebhookCreate, WebhookRead, WebhookUpdate

REFUSED = "address not allowed: "
FIELDS = ("url", "description", "event_types", "import_events")
LABELS = {"url": "Address", "description": "Description", "event_types": "Events", "import_events": "Imports"}

Fault = DomainError | ValidationError


@dataclass(frozen=True)
class Draft:
    """The form of a webhook as it was sent."""

    url: str
    description: str
    event_types: list[str]
    import_events: str

    @classmethod
    def from_form(cls, sent: Iterable[tuple[str, Any]]) -> Self:
        """Read a form's entries; each event that is chosen has one."""
        entries = [(name, str(value)) for name, value in sent]
        fields = dict(entries)
        chosen = [value for name, value in entries if name == "event_types"]
        return cls(
            fields.get("url", ""),
            fields.get("description", ""),
            chosen,
            fields.get("import_events", ImportEvents.SUMMARY),
        )

    def creation(self) -> WebhookCreate:
        """Return what creates the webhook.

        Raises:
            ValidationError: fields are wrong.
        """
        return WebhookCreate.model_validate(vars(self))

    def update(self, seen: WebhookRead) -> WebhookUpdate | None:
        """Return what changes of `seen`; what nobody touched keeps what others make of it meanwhile.

        Raises:
            ValidationError: fields are wrong.
        """
        # Checked as a whole, so that every fault is told at once.
        wanted = self.creation()
        changed = {name: getattr(wanted, name) for name in FIELDS if getattr(wanted, name) != getattr(seen, name)}
        return WebhookUpdate.model_validate(changed) if changed else None


def faults(error: Fault) -> dict[str, str]:
    """Return each wrong field of the form with what is wrong about it, in words for people."""
    if isinstance(error, ValidationError):
        return {str(item["loc"][0]): _fault(item) for item in reversed(error.errors())}
    found: Iterable[Mapping[str, str]] = error.extra.get("errors", ())
    return {item["field"]: _refused_address(item["message"]) for item in found}


def told(error: Fault) -> str:
    """Why something could not be done, as a sentence or several."""
    named = faults(error)
    if named:
        return " ".join(f"{LABELS.get(name, name)}: {fault}" for name, fault in named.items())
    if isinstance(error, NotFound):
        return "The webhook has been deleted in the meantime."
    return str(error.detail) if isinstance(error, DomainError) else str(error)


def _refused_address(message: str) -> str:
    """Return why an address is not called, as a sentence; any other message as it is."""
    if not message.startswith(REFUSED):
        return message
    return f"This address is not allowed: {message.removeprefix(REFUSED).rstrip('.')}."


def _fault(item: Mapping[str, Any]) -> str:
    return "Choose at least one event." if item["type"] == "too_short" else formatting.fault(item)
