"""Sessions of people who signed in: their start, their look-up at each request, and their end."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, update
from sqlmodel import Session, col, delete, select

from product_importer.access.models import Account, AccountSession
from product_importer.access.principal import Principal, PrincipalKind
from product_importer.access.schemas import ROLE_PERMISSIONS, Role
from product_importer.access.secrets import digest_of, new_secret

# A session ends after so long without a request, and in any case after so long.
IDLE: ColumnElement[Any] = literal_column("interval '12 hours'")
LIFETIME: ColumnElement[Any] = literal_column("interval '7 days'")
# The last use is written at most so often.
USE_PRECISION: ColumnElement[Any] = literal_column("interval '1 minute'")
MAX_USER_AGENT = 300

CURRENT = (
    col(AccountSession.created_at) > func.now() - LIFETIME,
    col(AccountSession.last_used_at) > func.now() - IDLE,
    col(Account.disabled_at).is_(None),
)


def start(session: Session, account: Account, address: str | None, user_agent: str | None) -> str:
    """Start a session and return its secret, which only the person's browser keeps."""
    secret = new_secret()
    agent = user_agent and user_agent[:MAX_USER_AGENT]
    session.add(AccountSession(digest=digest_of(secret), account_id=account.id, address=address, user_agent=agent))
    session.flush()
    return secret


def find(session: Session, secret: str) -> Principal | None:
    """Return who a session's secret belongs to; None if there is no such session, or it has ended."""
    return find_by_digest(session, digest_of(secret))


def find_by_digest(session: Session, digest: bytes) -> Principal | None:
    """Return who a session belongs to, as `find` does, by the digest of its secret."""
    found = session.execute(
        select(
            AccountSession.id,
            Account,
            (col(AccountSession.last_used_at) < func.now() - USE_PRECISION).label("is_older"),
        )
        .join(Account, col(Account.id) == AccountSession.account_id)
        .where(col(AccountSession.digest) == digest, *CURRENT)
    ).first()
    if found is None:
        return None
    if found.is_older:
        used = update(AccountSession).where(col(AccountSession.id) == found.id)
        session.execute(used.values(last_used_at=func.now()))
    return person_of(found[1], digest)


def person_of(account: Account, digest: bytes | None = None, address: str | None = None) -> Principal:
    """Return the principal that a person is, in the session with this digest and from this address."""
    role = Role(account.role)
    return Principal(
        PrincipalKind.PERSON,
        ROLE_PERMISSIONS[role],
        account.id,
        account.email,
        account.id,
        role,
        credential=digest,
        address=address,
    )


def current_digests(session: Session, digests: Collection[bytes]) -> set[bytes]:
    """Return which of these sessions have not ended."""
    found = (
        select(AccountSession.digest)
        .join(Account, col(Account.id) == AccountSession.account_id)
        .where(col(AccountSession.digest).in_(digests), *CURRENT)
    )
    return set(session.scalars(found))


def list_sessions(session: Session, account_id: UUID) -> list[AccountSession]:
    """Return a person's sessions, the last used first."""
    found = (
        select(AccountSession)
        .join(Account, col(Account.id) == AccountSession.account_id)
        .where(col(AccountSession.account_id) == account_id, *CURRENT)
    )
    return list(session.scalars(found.order_by(col(AccountSession.last_used_at).desc())))


def end(session: Session, digest: bytes) -> None:
    """End a session."""
    session.execute(delete(AccountSession).where(col(AccountSession.digest) == digest))


def end_all(session: Session, account_id: UUID, *, but: bytes | None = None) -> None:
    """End all sessions of a person, but for the one with the digest `but`."""
    ended = delete(AccountSession).where(col(AccountSession.account_id) == account_id)
    if but is not None:
        ended = ended.where(col(AccountSession.digest) != but)
    session.execute(ended)


def delete_expired(session: Session) -> None:
    """Delete sessions that time has ended."""
    times = col(AccountSession.created_at), col(AccountSession.last_used_at)
    session.execute(
        delete(AccountSession).where((times[0] <= func.now() - LIFETIME) | (times[1] <= func.now() - IDLE))
    )
