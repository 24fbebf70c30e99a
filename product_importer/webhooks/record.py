"""Record who changed and used webhooks, without their secrets; URLs are redacted as in logs."""

from typing import Any

from sqlmodel import Session

from product_importer.access import audit
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.core.logging.redaction import redacted
from product_importer.webhooks.models import Webhook

FIELDS = ("url", "description", "event_types", "import_events", "enabled")

Values = dict[str, Any]


def values(webhook: Webhook) -> Values:
    """Return the fields of a webhook that people change."""
    return {field: getattr(webhook, field) for field in FIELDS}


def created(session: Session, webhook: Webhook) -> None:
    """Record a new webhook."""
    _record(session, AuditAction.WEBHOOK_CREATED, webhook, after=_shown(values(webhook)))


def updated(session: Session, webhook: Webhook, before: Values) -> None:
    """Record in which fields a webhook differs from the values `before`, if it does in any."""
    after = values(webhook)
    names = [name for name in FIELDS if before[name] != after[name]]
    if not names:
        return
    old, new = (_shown({name: given[name] for name in names}) for given in (before, after))
    _record(session, AuditAction.WEBHOOK_UPDATED, webhook, before=old, after=new)


def deleted(session: Session, webhook: Webhook) -> None:
    """Record a deleted webhook."""
    _record(session, AuditAction.WEBHOOK_DELETED, webhook, before=_shown(values(webhook)))


def used(session: Session, action: AuditAction, webhook: Webhook, **details: Any) -> None:
    """Record something that does not change a webhook's fields."""
    _record(session, action, webhook, details=details or None)


def _record(session: Session, action: AuditAction, webhook: Webhook, **content: Any) -> None:
    audit.record(session, action, ObjectKind.WEBHOOK, webhook.id, redacted(webhook.url), **content)


def _shown(given: Values) -> Values:
    return {name: redacted(value) if name == "url" else value for name, value in given.items()}
