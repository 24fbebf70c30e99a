"""What can be done with accounts: make, list, change and disable them, and check and change their passwords."""

import re
from contextlib import suppress
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from product_importer.access import audit, passwords, principal, sessions, throttle
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.models import Account, SetupLink
from product_importer.access.schemas import Role
from product_importer.core.edges import trim
from product_importer.core.errors import Conflict, NotFound, Unauthenticated, invalid_fields

# RFC 5321, section 4.5.3.1. Whether an address exists, only a message to it could tell; none is sent.
MAX_EMAIL = 254
EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)*")
# One text for all reasons: who guesses learns nothing of who has an account.
WRONG = "The e-mail address or the password is wrong."


def email_key(email: str) -> str:
    """Return the form of an e-mail address that is the same for all its spellings."""
    return trim(email).casefold()


def email_or_none(text: str) -> str | None:
    """Return an e-mail address without spaces around it; None if it cannot be one."""
    email = trim(text)
    return email if len(email) <= MAX_EMAIL and email.isprintable() and EMAIL.fullmatch(email) else None


def require_email(text: str) -> str:
    """Return an e-mail address without spaces around it.

    Raises:
        Unprocessable: it cannot be an e-mail address.
    """
    email = email_or_none(text)
    if email is None:
        raise invalid_fields([{"field": "email", "message": "An e-mail address looks like mina@shop.example."}])
    return email


def has_accounts(session: Session) -> bool:
    """Whether there is any account."""
    return session.scalar(select(Account.id).limit(1)) is not None


def list_accounts(session: Session) -> list[Account]:
    """Return all accounts, sorted by e-mail address."""
    return list(session.scalars(select(Account).order_by(col(Account.email_key), col(Account.id))))


def read_account(session: Session, account_id: UUID) -> Account:
    """Return an account.

    Raises:
        NotFound: there is no such account.
    """
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound(f"There is no account {account_id}.")
    return account


def find_account(session: Session, name: str) -> Account:
    """Return the account with an e-mail address or id, whether it has a password or signs in through a provider.

    Raises:
        NotFound: there is no such account.
        Conflict: several accounts have the address; the message has their ids.
    """
    with suppress(ValueError):
        return read_account(session, UUID(name))
    key = email_key(name)
    found = session.scalars(select(Account).where(col(Account.email_key) == key)).all() if key.isprintable() else []
    if not found:
        raise NotFound(f"There is no account {trim(name)}.")
    if len(found) > 1:
        ids = ", ".join(f"{one.id} ({'provider' if one.oidc_subject else 'password'})" for one in found)
        raise Conflict(f"Several accounts have the address {trim(name)}. Name one by its id: {ids}.")
    return found[0]


def create_account(session: Session, email: str, role: Role) -> Account:
    """Create an account, whose password is chosen through a set-up link.

    Raises:
        Unprocessable: the e-mail address is invalid.
        Conflict: the address has an account.
    """
    email = require_email(email)
    account = Account(email=email, email_key=email_key(email), role=role)
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError as error:
        raise Conflict(
            f"{email} has an account already. For a new link to it: product-importer user link {email}"
        ) from error
    # Only who finds no account may make the first one.
    session.execute(delete(SetupLink).where(col(SetupLink.account_id).is_(None)))
    _record(session, AuditAction.ACCOUNT_CREATED, account, after={"email": email, "role": role})
    return account


def set_role(session: Session, account: Account, role: Role) -> None:
    """Give a person another role; requests and pages notice it at once.

    Raises:
        Conflict: the person is the last administrator, or has the role from a provider.
    """
    if account.oidc_subject is not None:
        raise Conflict(f"The provider says which role {account.email} has. Change it there, or in OIDC_ROLES.")
    if account.role == role:
        return
    if role != Role.ADMIN:
        _require_another_admin(session, account)
    before, account.role = account.role, role
    _record(session, AuditAction.ROLE_CHANGED, account, before={"role": before}, after={"role": role})


def disable(session: Session, account: Account) -> None:
    """Keep a person out: sessions and links end, tokens stop working.

    Raises:
        Conflict: the person is the last administrator.
    """
    if account.disabled_at is not None:
        return
    _require_another_admin(session, account)
    account.disabled_at = session.scalar(select(func.now()))
    sessions.end_all(session, account.id)
    end_links(session, account.id)
    _record(session, AuditAction.ACCOUNT_DISABLED, account)


def enable(session: Session, account: Account) -> None:
    """Let a person in again who was disabled."""
    if account.disabled_at is None:
        return
    account.disabled_at = None
    _record(session, AuditAction.ACCOUNT_ENABLED, account)


def check_password(session: Session, email: str, password: str) -> Account:
    """Return the account that an e-mail address and a password open. Call it through `passwords.in_turn`.

    It takes the same time for people who do not exist, are disabled or have no password.

    Raises:
        Unauthenticated: nobody may enter with them.
        TooMany: there were too many attempts for this person or from the current principal's address.
        Unavailable: Redis does not answer.
    """
    key = email_key(email)
    throttle.count_guess(key, principal.current().address)
    account = _find(session, key) if key.isprintable() else None
    hashed = account.password_hash if account is not None and account.disabled_at is None else None
    is_right, renewed = passwords.verify(password, hashed)
    if account is None or not is_right:
        raise Unauthenticated(WRONG)
    throttle.forget_guesses(key)
    if renewed is not None:
        account.password_hash = renewed
    return account


def change_password(session: Session, account_id: UUID, old: str, new: str, keep: bytes | None) -> None:
    """Change a person's password, and end their sessions but for the one with the digest `keep`.

    Call it through `passwords.in_turn`.

    Raises:
        Unprocessable: a password is wrong; the fields are `old` and `new`.
        Conflict: the person signs in without a password.
        TooMany: there were too many attempts for this person or from the current principal's address.
        Unavailable: Redis does not answer.
    """
    account = read_account(session, account_id)
    if account.password_hash is None:
        raise Conflict("This account has no password: it signs in through a provider.")
    throttle.count_guess(account.email_key, principal.current().address)
    is_right, _ = passwords.verify(old, account.password_hash)
    if not is_right:
        raise invalid_fields([{"field": "old", "message": "This is not your password."}])
    set_password(session, account, passwords.make_hash(new, account.email, field="new"), keep)
    throttle.forget_guesses(account.email_key)


def set_password(session: Session, account: Account, hashed: str, keep: bytes | None = None) -> None:
    """Store the hash of a new password; links end, and sessions but for the one with the digest `keep`."""
    account.password_hash = hashed
    sessions.end_all(session, account.id, but=keep)
    end_links(session, account.id)
    _record(session, AuditAction.PASSWORD_CHANGED, account)


def end_links(session: Session, account_id: UUID) -> None:
    """End the set-up links of a person."""
    session.execute(delete(SetupLink).where(col(SetupLink.account_id) == account_id))


def _find(session: Session, key: str) -> Account | None:
    found = select(Account).where(col(Account.email_key) == key, col(Account.oidc_subject).is_(None))
    return session.scalars(found).first()


def _require_another_admin(session: Session, account: Account) -> None:
    """Check that somebody else could still manage accounts.

    Locks the administrators, so that two of them cannot disable each other at the same time.
    """
    others = (
        select(Account.id)
        .where(col(Account.role) == Role.ADMIN, col(Account.disabled_at).is_(None))
        .order_by(col(Account.id))
        .with_for_update()
    )
    if account.role == Role.ADMIN and account.disabled_at is None and not set(session.scalars(others)) - {account.id}:
        raise Conflict(f"{account.email} is the last administrator. Make somebody else one first.")


def _record(
    session: Session,
    action: AuditAction,
    account: Account,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    audit.record(session, action, ObjectKind.ACCOUNT, account.id, account.email, before=before, after=after)
