"""Accounts of people who come through a provider, who are known by its address and their `sub` alone."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from product_importer.access import audit
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.models import Account
from product_importer.access.oidc.refusals import Refusal, Refused
from product_importer.access.service import email_key
from product_importer.core.ids import new_id
from product_importer.core.settings.single_sign_on import RoleClaim

MAX_NAME = 254


@dataclass(frozen=True)
class Person:
    """Who the provider says somebody is. `email` is what they are called here; it proves nothing."""

    issuer: str
    subject: str
    email: str
    role: str


def person_of(issuer: str, claims: dict[str, Any], role_claim: RoleClaim) -> Person:
    """Return the person whom verified claims describe.

    Raises:
        Refused: `NO_ROLE`.
    """
    name = _name(claims)
    role = role_claim.role_of(claims)
    if role is None:
        raise Refused(Refusal.NO_ROLE, f"no value of {role_claim.claim} is in OIDC_ROLES", person=name)
    return Person(issuer, claims["sub"], name, role)


def enter(session: Session, person: Person) -> Account:
    """Return a person's account, made if it is missing, with the role that the provider gives today.

    Raises:
        Refused: `DISABLED`.
    """
    known = {"oidc_issuer": person.issuer, "oidc_subject": person.subject}
    made = insert(Account).values(
        id=new_id(), email=person.email, email_key=email_key(person.email), role=person.role, **known
    )
    # Two browsers may sign the same person in for the first time at once.
    is_new = session.scalar(made.on_conflict_do_nothing(index_elements=list(known)).returning(col(Account.id)))
    account = session.scalars(select(Account).filter_by(**known).with_for_update()).one()
    if account.disabled_at is not None:
        raise Refused(Refusal.DISABLED, person=account.email, account_id=account.id)
    _bring_up_to_date(account, person, session)
    if is_new:
        _record(session, AuditAction.ACCOUNT_CREATED, account, after={"email": account.email, "role": account.role})
    return account


def _bring_up_to_date(account: Account, person: Person, session: Session) -> None:
    if account.role != person.role:
        before, account.role = account.role, person.role
        _record(session, AuditAction.ROLE_CHANGED, account, before={"role": before}, after={"role": person.role})
    account.email, account.email_key = person.email, email_key(person.email)
    session.flush()


def _record(session: Session, action: AuditAction, account: Account, **changed: Any) -> None:
    details = {"way": "oidc", "issuer": account.oidc_issuer}
    audit.record(session, action, ObjectKind.ACCOUNT, account.id, account.email, details=details, **changed)


def _name(claims: dict[str, Any]) -> str:
    """Return the person's e-mail address, unless the provider says that it is not theirs; else another name."""
    email = None if claims.get("email_verified") is False else claims.get("email")
    for name in (email, claims.get("preferred_username")):
        if isinstance(name, str) and (shown := "".join(filter(str.isprintable, name)).strip()[:MAX_NAME]):
            return shown
    return str(claims["sub"])
