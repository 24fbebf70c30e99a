"""Start the session of a person who has shown who they are."""

from typing import Any

from sqlmodel import Session

from product_importer.access import audit, principal, sessions
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.models import Account
from product_importer.access.secrets import digest_of


def enter(
    session: Session,
    account: Account,
    presented: str | None,
    user_agent: str | None,
    details: dict[str, Any] | None = None,
) -> str:
    """Return the secret of a new session, and end the one whose secret the browser presented."""
    address = principal.current().address
    if presented is not None:
        sessions.end(session, digest_of(presented))
    secret = sessions.start(session, account, address, user_agent)
    person = sessions.person_of(account, address=address)
    audit.record(
        session, AuditAction.SIGNED_IN, ObjectKind.ACCOUNT, account.id, account.email, details=details, by=person
    )
    return secret
