"""Check again who asks, at the end of a request that may take hours."""

from sqlmodel import Session

from product_importer.access import principal, sessions, tokens
from product_importer.access.principal import PrincipalKind
from product_importer.access.schemas import Permission
from product_importer.core.errors import Unauthenticated


def require_still(session: Session, permission: Permission) -> None:
    """Check that the session or token of who asks has not ended since, and still gives the permission.

    Raises:
        Unauthenticated: it has ended.
        Forbidden: the person has another role now.
    """
    who = principal.current()
    if who.credential is None:
        return
    find = tokens.find_by_digest if who.kind == PrincipalKind.TOKEN else sessions.find_by_digest
    found = find(session, who.credential)
    if found is None:
        raise Unauthenticated("The session or token ended before all had arrived, so it was discarded.")
    found.require({permission})
