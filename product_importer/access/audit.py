"""Record who did what, in the transaction that does it."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import Session

from product_importer.access import principal
from product_importer.access.models import AuditEvent

# A description of 100,000 characters that is changed often must not fill the disk.
MAX_TEXT = 10_000


class AuditAction(StrEnum):
    """What was done. The record stores these values."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    SETUP_LINK_MADE = "setup_link_made"
    ACCOUNT_CREATED = "account_created"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    ROLE_CHANGED = "role_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an action, no password
    TOKEN_CREATED = "token_created"  # noqa: S105 - an action, no token
    TOKEN_DELETED = "token_deleted"  # noqa: S105 - an action, no token
    PRODUCT_CREATED = "product_created"
    PRODUCT_UPDATED = "product_updated"
    PRODUCT_DELETED = "product_deleted"
    PRODUCT_RESTORED = "product_restored"
    PRODUCTS_DELETED = "products_deleted"
    PRODUCTS_EXPORTED = "products_exported"
    PRODUCTS_ACTION_STARTED = "products_action_started"
    PRODUCTS_ACTION_ENDED = "products_action_ended"
    IMPORT_STARTED = "import_started"
    IMPORT_ENDED = "import_ended"
    IMPORT_CANCELLED = "import_cancelled"
    IMPORT_RETRIED = "import_retried"
    IMPORT_APPLIED = "import_applied"
    IMPORT_ROWS_EDITED = "import_rows_edited"
    IMPORT_UNDO_REQUESTED = "import_undo_requested"
    IMPORT_UNDONE = "import_undone"
    WEBHOOK_CREATED = "webhook_created"
    WEBHOOK_UPDATED = "webhook_updated"
    WEBHOOK_DELETED = "webhook_deleted"
    WEBHOOK_TESTED = "webhook_tested"
    WEBHOOK_REDELIVERED = "webhook_redelivered"
    WEBHOOK_SECRET_ROTATED = "webhook_secret_rotated"  # noqa: S105 - an action, no secret


class ObjectKind(StrEnum):
    """What something was done to."""

    ACCOUNT = "account"
    TOKEN = "token"  # noqa: S105 - a kind, no token
    PRODUCT = "product"
    IMPORT = "import"
    WEBHOOK = "webhook"


def record(
    session: Session,
    action: AuditAction,
    kind: ObjectKind | None = None,
    id: UUID | None = None,
    name: str | None = None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    details: dict[str, Any] | None = None,
    by: principal.Principal | None = None,
) -> None:
    """Record what the current principal, or `by`, did to an object; it is kept if the transaction commits.

    No secret may be among the values. Texts longer than `MAX_TEXT` are cut.
    """
    actor = by or principal.current()
    session.add(
        AuditEvent(
            action=action,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            address=actor.address,
            object_kind=kind,
            object_id=id,
            object_name=name,
            before=cut(before),
            after=cut(after),
            details=cut(details),
        )
    )


def cut(value: Any) -> Any:
    """Return a JSON value whose texts have at most `MAX_TEXT` characters, and a note of how many they had."""
    match value:
        case str():
            return value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}… ({len(value):,} characters)"
        case dict():
            return {name: cut(inner) for name, inner in value.items()}
        case list() | tuple():
            return [cut(inner) for inner in value]
        case _:
            return value
