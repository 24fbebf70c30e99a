"""Sign people in through the OpenID provider: lead them there, and take them back."""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from redis.exceptions import RedisError
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from product_importer.access import audit, principal, throttle
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.gate import authentication, origins
from product_importer.access.oidc import begun as begun_sign_ins
from product_importer.access.oidc import exchange, people
from product_importer.access.oidc.begun import Begun
from product_importer.access.oidc.exchange import Client
from product_importer.access.oidc.people import Person
from product_importer.access.oidc.provider import Provider, provider
from product_importer.access.oidc.refusals import Refusal, Refused
from product_importer.access.secrets import new_secret
from product_importer.access.sign_in import cookies
from product_importer.access.sign_in.entering import enter
from product_importer.access.sign_in.next_page import own_page
from product_importer.access.sign_in.pages import page
from product_importer.core import db
from product_importer.core.errors import NotFound, Unavailable
from product_importer.core.settings import Settings
from product_importer.core.settings.single_sign_on import parse_role_claim

log = logging.getLogger(__name__)

START, CALLBACK = "/sign-in/oidc/start", "/sign-in/oidc"
PATHS = frozenset({START, CALLBACK})
BROWSER_COOKIE = "pi_oidc"
SECRET = re.compile(r"[\w-]{43}", re.ASCII)
MAX_CODE = 8000


@dataclass(frozen=True)
class Link:
    """The way to the provider: its name, and the address that leads there and then back to a page."""

    name: str
    address: str


def link(given: Settings, next: str) -> Link | None:
    """Return the way to the provider; None without single sign-on.

    It is under `PUBLIC_URL`, to which the provider leads back: a cookie of another name would be lost.
    """
    if given.oidc_issuer is None:
        return None
    address = f"{given.public_url}{START}?next={quote(next, safe='/')}"
    return Link(urlsplit(given.oidc_issuer).hostname or given.oidc_issuer, address)


async def start(request: Request) -> Response:
    """Lead to the provider, and let the browser keep what proves later that it was this one."""
    given: Settings = request.app.state.settings
    client = _client(given)
    wanted = own_page(request.query_params.get("next"))
    if origins.is_led_by_another_site(request.scope):
        # Nobody is signed in without wanting it: the provider may ask nothing.
        return RedirectResponse(f"{authentication.SIGN_IN}?next={quote(wanted, safe='/')}", 303)
    name = _cookie_name(request, given)
    presented = authentication.session_secret(request.headers, name) or ""
    # Several tabs may sign in at once, with one secret.
    browser = presented if SECRET.fullmatch(presented) else new_secret()
    of = await provider(str(given.oidc_issuer))
    state, begun = await _remember(begun_sign_ins.begin, browser, wanted)
    answer = RedirectResponse(exchange.authorization_address(client, of, state, begun), 303)
    is_secure = authentication.is_secure(request.scope, given)
    answer.set_cookie(
        name, browser, begun_sign_ins.SECONDS, path="/", secure=is_secure, httponly=True, samesite="lax"
    )
    return answer


async def come_back(request: Request) -> Response:
    """Take a person back who comes from the provider with a code, and start a session."""
    given: Settings = request.app.state.settings
    client = _client(given)
    answered = _single(request)
    begun = await _begun(request, given, answered.get("state", ""))
    of = await provider(str(given.oidc_issuer))
    claims = await exchange.claims_of(client, of, _code(answered, of), begun)
    person = people.person_of(of.issuer, claims, client.role_claim)
    presented, agent = cookies.secret_of(request, given), request.headers.get("user-agent")
    secret = await asyncio.to_thread(db.run, _enter, person, presented, agent)
    answer = RedirectResponse(begun.next, 303)
    cookies.give(answer, secret, request, given)
    return answer


def _enter(session: Session, person: Person, presented: str | None, user_agent: str | None) -> str:
    account = people.enter(session, person)
    return enter(session, account, presented, user_agent, {"way": "oidc", "issuer": person.issuer})


def _client(given: Settings) -> Client:
    if not given.oidc_issuer or not given.oidc_client_id or not given.oidc_roles:
        raise NotFound("Single sign-on is not set up here. Sign in with your password.")
    secret = given.oidc_client_secret.get_secret_value() if given.oidc_client_secret else None
    return Client(given.oidc_client_id, secret, f"{given.public_url}{CALLBACK}", parse_role_claim(given.oidc_roles))


def _single(request: Request) -> dict[str, str]:
    """Return the parameters of the query that are there once (RFC 6749, section 3.1)."""
    pairs = request.query_params.multi_items()
    counts = Counter(name for name, _ in pairs)
    return {name: value for name, value in pairs if counts[name] == 1}


async def _begun(request: Request, given: Settings, state: str) -> Begun:
    browser = authentication.session_secret(request.headers, _cookie_name(request, given)) or ""
    begun = None
    if SECRET.fullmatch(browser) and SECRET.fullmatch(state):
        begun = await _remember(begun_sign_ins.end, browser, state)
    if not isinstance(begun, Begun):
        raise Refused(Refusal.UNKNOWN)
    return begun


def _code(answered: Mapping[str, str], of: Provider) -> str:
    """Return the code with which a person comes back."""
    issuer = answered.get("iss")
    if issuer not in (None, of.issuer) or (issuer is None and of.names_issuer):
        raise Refused(Refusal.ANSWER, "the browser comes back from another issuer")
    if "error" in answered:
        error = exchange.error_code(answered["error"])
        raise Refused(Refusal.DENIED if error == "access_denied" else Refusal.PROVIDER_ERROR, error)
    code = answered.get("code", "")
    if not 0 < len(code) <= MAX_CODE or not code.isprintable():
        raise Refused(Refusal.ANSWER, "the browser comes back without a code")
    return code


def _cookie_name(request: Request, given: Settings) -> str:
    return f"__Host-{BROWSER_COOKIE}" if authentication.is_secure(request.scope, given) else BROWSER_COOKIE


async def _remember(work: Callable[..., Any], *arguments: str) -> Any:
    try:
        return await asyncio.to_thread(work, *arguments)
    except RedisError as error:
        raise Unavailable(throttle.NO_REDIS) from error


def _guarded(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Limit how often the handler is asked, and record and show what it refuses."""

    async def answered(request: Request) -> Response:
        await asyncio.to_thread(throttle.count_sign_on, principal.current().address)
        try:
            return await handler(request)
        except Refused as refused:
            await asyncio.to_thread(db.run, _record, refused)
            return page("error.html", refused)

    return answered


def _record(session: Session, refused: Refused) -> None:
    log.warning("single sign-on refused: %s (%s)", refused.refusal, refused.why or "no more is known")
    details = {"way": "oidc", "reason": refused.refusal, "why": refused.why}
    kind = ObjectKind.ACCOUNT
    audit.record(session, AuditAction.SIGN_IN_FAILED, kind, refused.account_id, refused.person, details=details)


routes = [
    Route(START, _guarded(start), methods=["GET"]),
    Route(CALLBACK, _guarded(come_back), methods=["GET"]),
]
