"""People and tokens for tests, made as the application makes them."""

from datetime import datetime
from itertools import count

from sqlmodel import Session

from product_importer.access import passwords, sessions, tokens
from product_importer.access.models import Account, ApiToken
from product_importer.access.schemas import Permission, Role
from product_importer.access.secrets import digest_of
from product_importer.core import db

_numbers = count(1)


PASSWORD = "correct horse battery staple"


def add_person(role: Role | str = Role.EDITOR, password: str | None = None) -> Account:
    """Return a new account, by default without a password."""
    hashed = password and passwords.make_hash(password)

    def add(session: Session) -> Account:
        email = f"person{next(_numbers)}@shop.example"
        account = Account(email=email, email_key=email, role=Role(role), password_hash=hashed)
        session.add(account)
        session.flush()
        session.expunge(account)
        return account

    return db.run(add)


def sign_in(account: Account) -> str:
    """Return the secret of a new session of a person."""
    return db.run(sessions.start, account, "203.0.113.9", "a browser")


def cookie(account: Account) -> dict[str, str]:
    """Return the headers of a browser in which a person has just signed in."""
    return {"Cookie": f"pi_session={sign_in(account)}"}


def add_token(account: Account, *scopes: Permission | str, expires_at: datetime | None = None) -> str:
    """Return a new token of a person."""
    token = tokens.new_token()

    def add(session: Session) -> None:
        given = [str(Permission(scope)) for scope in scopes]
        session.add(
            ApiToken(
                digest=digest_of(token), name="a program", scopes=given, account_id=account.id, expires_at=expires_at
            )
        )

    db.run(add)
    return token


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a program that has a token."""
    return {"Authorization": f"Bearer {token}"}
