"""The sessions of the person who asks: list them, end one, end all."""

from uuid import UUID

from sqlmodel import Session, col, select

from product_importer.access import audit, principal, sessions
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.models import AccountSession
from product_importer.core.errors import NotFound


def list_own(session: Session) -> list[AccountSession]:
    """Return the current person's sessions, the one that asks first, then the last used first."""
    who = principal.current()
    if who.account_id is None:
        return []
    found = sessions.list_sessions(session, who.account_id)
    return sorted(found, key=lambda each: each.digest != who.credential)


def end_own(session: Session, session_id: UUID) -> None:
    """End one of the current person's sessions.

    Raises:
        NotFound: the person has no such session, or it has ended.
    """
    who = principal.current()
    own = select(AccountSession).where(
        col(AccountSession.id) == session_id, col(AccountSession.account_id) == who.account_id
    )
    found = session.scalars(own).first()
    if found is None:
        raise NotFound("This session has ended already.")
    session.delete(found)
    audit.record(session, AuditAction.SIGNED_OUT, ObjectKind.ACCOUNT, who.account_id, who.name)


def end_all_own(session: Session) -> None:
    """End all sessions of the current person, the one that asks included."""
    who = principal.current()
    if who.account_id is None:
        return
    sessions.end_all(session, who.account_id)
    audit.record(session, AuditAction.SIGNED_OUT_EVERYWHERE, ObjectKind.ACCOUNT, who.account_id, who.name)
