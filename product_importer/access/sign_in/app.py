"""The application of the paths `PATHS`, which strangers reach: /sign-in and those below it, /sign-out and /setup."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlmodel import Session
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from product_importer.access import audit, passwords, principal, service, sessions, setup_links
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.principal import PrincipalKind
from product_importer.access.secrets import digest_of
from product_importer.access.sign_in import cookies, single_sign_on
from product_importer.access.sign_in.entering import enter
from product_importer.access.sign_in.forms import read_form
from product_importer.access.sign_in.next_page import HOME, own_page
from product_importer.access.sign_in.pages import page
from product_importer.core import db
from product_importer.core.errors import DomainError, Unauthenticated
from product_importer.core.outages import unavailable
from product_importer.core.settings import Settings

SIGN_IN, SIGN_OUT, SETUP = "/sign-in", "/sign-out", "/setup"
PATHS = frozenset({SIGN_IN, SIGN_OUT, SETUP}) | single_sign_on.PATHS
# The sign-in page says that the password is set.
AFTER_SETUP = f"{SIGN_IN}?set-up=done"

Handler = Callable[[Request], Awaitable[Response]]


def create_app(given: Settings) -> Starlette:
    """Return the application; while sign-in is off, it leads to the first page."""
    routes = [
        Route(path, _if_on(show, take), methods=["GET", "POST"])
        for path, show, take in (
            (SIGN_IN, show_sign_in, sign_in),
            (SIGN_OUT, show_sign_out, sign_out),
            (SETUP, show_setup, set_up),
        )
    ]
    routes += single_sign_on.routes
    app = Starlette(routes=routes, exception_handlers={DomainError: _show_error, HTTPException: _show_http_error})
    for outage in db.OUTAGE:
        app.add_exception_handler(outage, _show_outage)
    app.state.settings = given
    return app


async def show_sign_in(request: Request) -> Response:
    """Show the form, or go on if the person is signed in."""
    wanted = own_page(request.query_params.get("next"))
    if principal.current().kind == PrincipalKind.PERSON:
        return RedirectResponse(wanted, 303)
    return _form(request, None, wanted, "")


async def sign_in(request: Request) -> Response:
    """Start a session, always a new one, and end the one that the browser had."""
    form = await read_form(request, "email", "password")
    wanted = own_page(form.get("next"))
    given: Settings = request.app.state.settings
    try:
        secret = await passwords.in_turn(
            db.run,
            _sign_in,
            form["email"],
            form["password"],
            cookies.secret_of(request, given),
            request.headers.get("user-agent"),
        )
        if secret is None:
            raise Unauthenticated(service.WRONG, title="Not signed in")
    except DomainError as error:
        return _form(request, error, wanted, form["email"])
    answer = RedirectResponse(wanted, 303)
    cookies.give(answer, secret, request, given)
    return answer


async def show_sign_out(_: Request) -> Response:
    """Show a button: a link alone must not sign anybody out."""
    who = principal.current()
    if who.kind != PrincipalKind.PERSON:
        return RedirectResponse(SIGN_IN, 303)
    return page("sign_out.html", name=who.name)


async def sign_out(request: Request) -> Response:
    """End the session."""
    given: Settings = request.app.state.settings
    await asyncio.to_thread(db.run, _end_session, cookies.secret_of(request, given))
    answer = RedirectResponse(SIGN_IN, 303)
    cookies.take(answer, request, given)
    # Pages kept for the back button, too. Storage stays: it holds the theme. So do the cookies of other applications.
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


async def show_setup(request: Request) -> Response:
    """Show the form in which the owner of a link chooses a password."""
    token = request.query_params.get("token", "")
    account = await asyncio.to_thread(db.run, setup_links.find, token)
    return page("setup.html", token=token, email=account and account.email, typed="")


async def set_up(request: Request) -> Response:
    """Set the password, and lead to the sign-in."""
    form = await read_form(request, "token", "password")
    given: Settings = request.app.state.settings
    token, typed = form["token"], form.get("email", "")
    account = await asyncio.to_thread(db.run, setup_links.find, token)
    try:
        await passwords.in_turn(db.run, setup_links.use, token, typed, form["password"])
    except DomainError as error:
        if "errors" not in error.extra:
            raise
        return page("setup.html", error, token=token, email=account and account.email, typed=typed)
    await asyncio.to_thread(db.run, _end_session, cookies.secret_of(request, given))
    answer = RedirectResponse(AFTER_SETUP, 303)
    cookies.take(answer, request, given)
    return answer


def _sign_in(
    session: Session, email: str, password: str, presented: str | None, user_agent: str | None
) -> str | None:
    """Return the secret of a new session; None, and a record, where e-mail address or password are wrong."""
    try:
        account = service.check_password(session, email, password)
    except Unauthenticated:
        # People also type their password here. The record keeps for years only what may be an e-mail address.
        tried = service.email_or_none(email)
        audit.record(session, AuditAction.SIGN_IN_FAILED, ObjectKind.ACCOUNT, name=tried)
        return None
    return enter(session, account, presented, user_agent)


def _form(request: Request, error: DomainError | None, wanted: str, email: str) -> Response:
    provider = single_sign_on.link(request.app.state.settings, wanted)
    is_set_up = "set-up" in request.query_params
    return page("sign_in.html", error, next=wanted, email=email, is_set_up=is_set_up, provider=provider)


def _end_session(session: Session, secret: str | None) -> None:
    who = principal.current()
    if secret is None or who.kind != PrincipalKind.PERSON:
        return
    sessions.end(session, digest_of(secret))
    audit.record(session, AuditAction.SIGNED_OUT, ObjectKind.ACCOUNT, who.id, who.name)


def _if_on(show: Handler, take: Handler) -> Handler:
    async def answered(request: Request) -> Response:
        if not request.app.state.settings.signs_in:
            return RedirectResponse(HOME, 303)
        return await (take(request) if request.method == "POST" else show(request))

    return answered


async def _show_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return page("error.html", error)


async def _show_outage(request: Request, error: Exception) -> Response:
    return await _show_error(request, unavailable(error))


async def _show_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = DomainError(f"{request.method} does not work here.", title=error.detail)
    problem.status = error.status_code
    answer = page("error.html", problem)
    answer.headers.update(error.headers or {})
    return answer
