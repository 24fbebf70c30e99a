"""Links by which people choose their password: each works once, for an hour. The first one makes an administrator."""

from datetime import timedelta

from sqlalchemy import func, insert
from sqlmodel import Session, col, delete, select

from product_importer.access import audit, passwords, principal, service, sessions, throttle
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.models import Account, SetupLink
from product_importer.access.schemas import Role
from product_importer.access.secrets import digest_of, new_secret
from product_importer.core.errors import Conflict, NotFound
from product_importer.core.ids import new_id
from product_importer.core.settings import settings

LIFETIME = timedelta(hours=1)


def make_first(session: Session) -> str | None:
    """Return the address of a link that makes the first account; None if there is one.

    Earlier ones stay valid: another process may have printed one.
    """
    return None if service.has_accounts(session) else _make(session, None)


def make(session: Session, account: Account) -> str:
    """Return the address of a new link for a person; older ones end.

    Raises:
        Conflict: the person is disabled, or signs in through a provider.
    """
    if account.disabled_at is not None:
        raise Conflict(f"{account.email} is disabled. Enable the account first.")
    if account.oidc_subject is not None:
        raise Conflict(f"{account.email} signs in through a provider, and has no password.")
    service.end_links(session, account.id)
    audit.record(session, AuditAction.SETUP_LINK_MADE, ObjectKind.ACCOUNT, account.id, account.email)
    return _make(session, account)


def find(session: Session, token: str) -> Account | None:
    """Return whose link it is; None for a link to the first account.

    Raises:
        NotFound: the link is not valid.
    """
    found = session.scalars(
        select(SetupLink).where(col(SetupLink.digest) == digest_of(token), col(SetupLink.expires_at) > func.now())
    ).first()
    if found is None:
        raise _not_valid()
    if found.account_id is None:
        if service.has_accounts(session):
            raise _not_valid()
        return None
    account = service.read_account(session, found.account_id)
    if account.disabled_at is not None:
        raise _not_valid()
    return account


def use(session: Session, token: str, email: str, password: str) -> Account:
    """Set the password of the link's account, or make the first account with it; return the account.

    `email` is needed for the first account only. Call it through `passwords.in_turn`.

    Raises:
        NotFound: the link is not valid.
        Unprocessable: the e-mail address or the password is not accepted; the link stays valid.
    """
    account = find(session, token)
    email = account.email if account is not None else service.require_email(email)
    hashed = passwords.make_hash(password, email)
    _claim(session, token)
    account = account or service.create_account(session, email, Role.ADMIN)
    with principal.acting_as(sessions.person_of(account, address=principal.current().address)):
        service.set_password(session, account, hashed)
    throttle.forget_guesses(account.email_key)
    return account


def delete_expired(session: Session) -> None:
    """Delete links that time has ended."""
    session.execute(delete(SetupLink).where(col(SetupLink.expires_at) <= func.now()))


def _make(session: Session, account: Account | None) -> str:
    token = new_secret()
    account_id = None if account is None else account.id
    values = {
        "id": new_id(),
        "digest": digest_of(token),
        "account_id": account_id,
        "expires_at": func.now() + LIFETIME,
    }
    session.execute(insert(SetupLink).values(values))
    return f"{settings().address}/setup?token={token}"


def _claim(session: Session, token: str) -> None:
    """End a link and those that end with it. Of two transactions that try, the second waits and finds none.

    Raises:
        NotFound: it was used in the meantime.
    """
    digest = digest_of(token)
    claimed = session.execute(
        delete(SetupLink)
        .where((col(SetupLink.digest) == digest) | col(SetupLink.account_id).is_(None))
        .returning(col(SetupLink.digest), col(SetupLink.account_id))
    ).all()
    if digest not in [row.digest for row in claimed]:
        raise _not_valid()


def _not_valid() -> NotFound:
    return NotFound(
        "It was used, or is older than an hour, or a newer one was made. Ask for a new one.",
        title="This link is not valid",
    )
