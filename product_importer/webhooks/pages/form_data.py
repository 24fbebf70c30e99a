"""Read the form of a webhook, and turn errors into texts for the page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import ValidationError

from product_importer.core.errors import DomainError, NotFound
from product_importer.ui import formatting
from product_importer.webhooks.models import ImportEvents
from product_importer.webhooks.schemas import WebhookCreate, WebhookRead, WebhookUpdate

NOT_ALLOWED = "address not allowed: "
FIELDS = ("url", "description", "event_types", "import_events")
LABELS = {"url": "URL", "description": "Description", "event_types": "Events", "import_events": "Imports"}

FormError = DomainError | ValidationError


@dataclass(frozen=True)
class WebhookForm:
    """The submitted form of a webhook."""

    url: str
    description: str
    event_types: list[str]
    import_events: str

    @classmethod
    def from_form(cls, sent: Iterable[tuple[str, Any]]) -> Self:
        """Read the form's entries: one for each field, and one for each selected event type."""
        entries = [(name, str(value)) for name, value in sent]
        fields = dict(entries)
        chosen = [value for name, value in entries if name == "event_types"]
        return cls(
            fields.get("url", ""),
            fields.get("description", ""),
            chosen,
            fields.get("import_events", ImportEvents.SUMMARY),
        )

    def to_create(self) -> WebhookCreate:
        """Return the fields of a new webhook.

        Raises:
            ValidationError: fields are wrong.
        """
        return WebhookCreate.model_validate(vars(self))

    def to_update(self, original: WebhookRead) -> WebhookUpdate | None:
        """Return the fields that differ from `original`; None if there are none.

        Other people's changes of the other fields stay.

        Raises:
            ValidationError: fields are wrong.
        """
        # Validate all fields, to report all errors at once.
        new = self.to_create()
        changed = {name: getattr(new, name) for name in FIELDS if getattr(new, name) != getattr(original, name)}
        return WebhookUpdate.model_validate(changed) if changed else None


def field_errors(error: FormError) -> dict[str, str]:
    """Return the error text of each wrong field, by field name."""
    if isinstance(error, ValidationError):
        return {str(item["loc"][0]): _field_error(item) for item in reversed(error.errors())}
    found: Iterable[Mapping[str, str]] = error.extra.get("errors", ())
    return {item["field"]: _address_error(item["message"]) for item in found}


def error_text(error: FormError) -> str:
    """Return an error as one or more sentences."""
    by_field = field_errors(error)
    if by_field:
        return " ".join(f"{LABELS.get(name, name)}: {text}" for name, text in by_field.items())
    if isinstance(error, NotFound):
        return "The webhook was deleted meanwhile."
    return str(error.detail) if isinstance(error, DomainError) else str(error)


def _address_error(message: str) -> str:
    """Return the message of an address that is not allowed as a sentence; any other message as it is."""
    if not message.startswith(NOT_ALLOWED):
        return message
    return f"This address is not allowed: {message.removeprefix(NOT_ALLOWED).rstrip('.')}."


def _field_error(item: Mapping[str, Any]) -> str:
    return "Choose at least one event." if item["type"] == "too_short" else formatting.field_error(item)
