"""Tokens of programs: their form, and their look-up at each request."""

import re
import secrets
import string
import zlib
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, or_, update
from sqlmodel import Session, col, select

from product_importer.access.models import Account, ApiToken
from product_importer.access.principal import Principal, PrincipalKind
from product_importer.access.schemas import ROLE_PERMISSIONS, Permission, Role
from product_importer.access.secrets import digest_of

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
    if not is_token(token):
        return None
    digest = digest_of(token)
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
