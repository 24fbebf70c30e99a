"""Tokens of programs: their form, their look-up at each request, and their making and deletion."""

import re
import secrets
import string
import zlib
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, or_, update
from sqlmodel import Session, col, select

from product_importer.access import audit, principal
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.models import Account, ApiToken
from product_importer.access.principal import Principal, PrincipalKind
from product_importer.access.schemas import (
    ROLE_PERMISSIONS,
    Permission,
    Role,
    TokenCreate,
    TokenCreated,
    TokenPage,
    TokenRead,
)
from product_importer.access.secrets import digest_of
from product_importer.core.errors import Conflict, NotFound, Unprocessable
from product_importer.core.pagination import PageQuery

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
# 34 characters of 62 are 202 random bits; the last six are their checksum, as in GitHub's tokens
# (“Behind GitHub's new authentication token formats”, 2021), so that scanners find leaked ones without asking.
RANDOM_LENGTH = 34
CHECKSUM_LENGTH = 6
PREFIX = "pi_"
FORM = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})", re.ASCII)
# The last use is written at most so often.
USE_PRECISION: ColumnElement[Any] = literal_column("interval '1 minute'")

CURRENT = (
    or_(col(ApiToken.expires_at).is_(None), col(ApiToken.expires_at) > func.now()),
    col(Account.disabled_at).is_(None),
)


def new_token() -> str:
    """Return a new token: `pi_`, 34 random letters and digits, and six of a checksum."""
    random = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return PREFIX + random + _checksum(random)


def is_token(text: str) -> bool:
    """Whether a text has the form of a token, with the right checksum."""
    found = FORM.fullmatch(text)
    return found is not None and found[2] == _checksum(found[1])


def find(session: Session, token: str) -> Principal | None:
    """Return who a token acts for, with the scopes that its owner's role allows; None if it is invalid."""
    return find_by_digest(session, digest_of(token)) if is_token(token) else None


def find_by_digest(session: Session, digest: bytes) -> Principal | None:
    """Return who a token acts for, as `find` does, by the digest of its text."""
    found = session.execute(
        select(
            ApiToken,
            Account,
            or_(col(ApiToken.last_used_at).is_(None), col(ApiToken.last_used_at) < func.now() - USE_PRECISION),
        )
        .join(Account, col(Account.id) == ApiToken.account_id)
        .where(col(ApiToken.digest) == digest, *CURRENT)
    ).first()
    if found is None:
        return None
    given, account, is_unused = found
    if is_unused:
        session.execute(update(ApiToken).where(col(ApiToken.id) == given.id).values(last_used_at=func.now()))
    role = Role(account.role)
    permissions = ROLE_PERMISSIONS[role] & {Permission(scope) for scope in given.scopes}
    return Principal(PrincipalKind.TOKEN, permissions, given.id, given.name, account.id, role, credential=digest)


def list_tokens(session: Session, query: PageQuery) -> TokenPage:
    """Return a page of the tokens, newest first: a person's own, for administrators all."""
    mine = _visible()
    newest = select(ApiToken, Account.email).join(Account, col(Account.id) == ApiToken.account_id).where(*mine)
    page = newest.order_by(col(ApiToken.id).desc()).limit(query.page_size).offset(query.offset)
    return TokenPage(
        items=[_read(token, owner) for token, owner in session.execute(page)],
        total=session.scalar(select(func.count()).select_from(ApiToken).where(*mine)) or 0,
        page=query.page,
        page_size=query.page_size,
    )


def create_token(session: Session, given: TokenCreate) -> TokenCreated:
    """Make a token that acts for the person who asks; return it with its text, which no other function returns.

    Raises:
        Conflict: sign-in is off, so that there is no person.
        Unprocessable: a scope is beyond the permissions of who asks.
    """
    owner = principal.current()
    if owner.account_id is None:
        raise Conflict("While sign-in is off, anyone may do everything without a token. Set AUTH=on to use tokens.")
    if beyond := [scope for scope in given.scopes if not owner.may(scope)]:
        message = f"You may not give what you do not have: {', '.join(beyond)}."
        raise Unprocessable(message, errors=[{"field": "scopes", "message": message}])
    text = new_token()
    token = ApiToken(digest=digest_of(text), account_id=owner.account_id, **given.model_dump())
    session.add(token)
    session.flush()
    session.refresh(token)
    read = _read(token, session.get_one(Account, owner.account_id).email)
    audit.record(session, AuditAction.TOKEN_CREATED, ObjectKind.TOKEN, token.id, token.name, after=_recorded(read))
    return TokenCreated(**read.model_dump(), token=text)


def delete_token(session: Session, token_id: UUID) -> None:
    """Delete a token: a person's own, or, by administrators, any.

    Raises:
        NotFound: the token does not exist, or is another person's.
    """
    token = session.scalar(select(ApiToken).where(col(ApiToken.id) == token_id, *_visible()))
    if token is None:
        raise NotFound(f"There is no token {token_id}.")
    session.delete(token)
    audit.record(session, AuditAction.TOKEN_DELETED, ObjectKind.TOKEN, token.id, token.name)


def current_digests(session: Session, digests: Collection[bytes]) -> set[bytes]:
    """Return which of these tokens are still valid."""
    found = (
        select(ApiToken.digest)
        .join(Account, col(Account.id) == ApiToken.account_id)
        .where(col(ApiToken.digest).in_(digests), *CURRENT)
    )
    return set(session.scalars(found))


def _checksum(text: str) -> str:
    """Return the CRC-32 of a text in base 62."""
    rest, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def _visible() -> list[ColumnElement[bool]]:
    """Return the condition of the tokens that the current principal may see."""
    who = principal.current()
    return [] if who.may(Permission.ADMIN) else [col(ApiToken.account_id) == who.account_id]


def _read(token: ApiToken, owner: str) -> TokenRead:
    return TokenRead.model_validate({**token.model_dump(), "owner": owner})


def _recorded(token: TokenRead) -> dict[str, Any]:
    return token.model_dump(mode="json", include={"scopes", "expires_at"})
