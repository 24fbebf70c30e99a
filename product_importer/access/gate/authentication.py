"""Tell who a request comes from: by a token, by a session's cookie, or nobody known."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from psycopg2.errors import UndefinedTable
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from product_importer.access import sessions, throttle, tokens
from product_importer.access.principal import ANYONE, STRANGER, Principal
from product_importer.core import db
from product_importer.core.errors import Forbidden, Unauthenticated, Unavailable
from product_importer.core.outages import unavailable
from product_importer.core.settings import Settings

Key = TypeVar("Key", str, bytes)

COOKIE = "pi_session"
# Browsers keep a cookie of this name only if it is secure and for this host alone (RFC 6265bis, section 4.1.3).
SECURE_COOKIE = f"__Host-{COOKIE}"
BEARER = "bearer "
METRICS = "/metrics"
# Programs use these paths, and nothing else.
PROGRAM_PATHS = ("/api/", METRICS)
# What a browser asks for itself while it shows a page; everything else that it navigates to is a page.
DATA_PATHS = (*PROGRAM_PATHS, "/api", "/_")
SIGN_IN = "/sign-in"
NO_ANSWER = "The database does not answer, so nobody can be recognised. Try again."


def is_secure(scope: Scope, given: Settings) -> bool:
    """Whether the browser reached us through TLS, which a proxy may have ended."""
    return scope.get("scheme") in ("https", "wss") or (given.public_url or "").startswith("https:")


def cookie_name(scope: Scope, given: Settings) -> str:
    """Return the name of the session's cookie."""
    return SECURE_COOKIE if is_secure(scope, given) else COOKIE


def session_secret(headers: Headers, name: str) -> str | None:
    """Return the secret in the session's cookie; None if there is no such cookie."""
    # Of two cookies of one name, neither is trusted: another host of the same domain may have set one.
    cookies = [cookie_parser(part) for part in "; ".join(headers.getlist("cookie")).split(";")]
    found = [cookie[name] for cookie in cookies if name in cookie]
    return found[0] if len(found) == 1 else None


def has_token(scope: Scope) -> bool:
    """Whether a request comes with a token, valid or not."""
    return Headers(scope=scope).get("authorization", "").lower().startswith(BEARER)


def is_scrape(scope: Scope, given: Settings) -> bool:
    """Whether a request for the metrics comes with a token, which `authenticate` will check."""
    return given.signs_in and scope["path"] == METRICS and has_token(scope)


def bearer_token(headers: Headers) -> str | None:
    """Return the token of the header `Authorization`; None if there is no such header.

    Raises:
        Unauthenticated: the header is not that of one token.
    """
    given = headers.getlist("authorization")
    if not given:
        return None
    if len(given) > 1 or not given[0].lower().startswith(BEARER):
        raise Unauthenticated("The header Authorization must hold one token: “Authorization: Bearer pi_…”.")
    return given[0][len(BEARER) :].strip()


async def authenticate(scope: Scope, given: Settings) -> Principal:
    """Return who a request comes from, with its address; forwarding headers must be resolved already.

    Raises:
        Unauthenticated: the token is not valid; a session that has ended makes a stranger instead.
        TooMany: the token has had its requests of this minute.
        Forbidden: the token is used for another path than `PROGRAM_PATHS`.
        Unavailable: the database does not answer.
    """
    client = scope.get("client")
    return replace(await _principal(scope, given), address=client[0] if client else None)


async def _principal(scope: Scope, given: Settings) -> Principal:
    if not given.signs_in:
        return ANYONE
    headers = Headers(scope=scope)
    if (token := bearer_token(headers)) is not None:
        if not scope["path"].startswith(PROGRAM_PATHS):
            raise Forbidden("A token is for /api and /metrics only; pages need a sign-in.")
        found = await find_principal(tokens.find, token)
        if found is None:
            raise Unauthenticated("The token is not valid: it is wrong, has expired, or was deleted.")
        assert found.id is not None
        await asyncio.to_thread(throttle.count_request, found.id, given.token_requests_per_minute)
        return found
    secret = session_secret(headers, cookie_name(scope, given))
    return (secret and await find_principal(sessions.find, secret)) or STRANGER


async def find_principal(search: Callable[[Session, Key], Principal | None], key: Key) -> Principal | None:
    """Look up who a secret or a digest belongs to, in a transaction of its own.

    Raises:
        Unavailable: the database does not answer, or has no tables yet.
    """
    try:
        return await asyncio.to_thread(db.run, search, key)
    except db.OUTAGE as error:
        raise unavailable(error, NO_ANSWER) from error
    except ProgrammingError as error:
        if not isinstance(error.orig, UndefinedTable):
            raise
        raise Unavailable("The database is being prepared. Try again in a moment.") from error


def is_page(scope: Scope) -> bool:
    """Whether a person opens a page with this request, rather than a program or a page that is open."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["path"].startswith(DATA_PATHS):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def sign_in_address(scope: Scope) -> str:
    """Return the address of the sign-in page that leads back to the page that a request asks for."""
    query = scope["query_string"].decode("latin-1")
    # Pages that are folders were given a slash at the end.
    wanted = (scope["path"].rstrip("/") or "/") + (f"?{query}" if query else "")
    return SIGN_IN if wanted == "/" else f"{SIGN_IN}?next={quote(wanted, safe='/')}"
