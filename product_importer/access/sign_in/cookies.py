"""Set and remove the session's cookie."""

from starlette.requests import Request
from starlette.responses import Response

from product_importer.access.gate import authentication
from product_importer.core.settings import Settings

# As long as a session lasts at most.
MAX_AGE_SECONDS = 7 * 24 * 3600


def secret_of(request: Request, given: Settings) -> str | None:
    """Return the session's secret that a request came with, whatever it is worth; None if it has none."""
    return authentication.session_secret(request.headers, authentication.cookie_name(request.scope, given))


def give(answer: Response, secret: str, request: Request, given: Settings) -> None:
    """Let the browser keep a session's secret."""
    answer.set_cookie(
        authentication.cookie_name(request.scope, given),
        secret,
        max_age=MAX_AGE_SECONDS,
        path="/",
        secure=authentication.is_secure(request.scope, given),
        httponly=True,
        samesite="lax",
    )


def take(answer: Response, request: Request, given: Settings) -> None:
    """Let the browser forget the session's secret."""
    answer.delete_cookie(
        authentication.cookie_name(request.scope, given),
        path="/",
        secure=authentication.is_secure(request.scope, given),
        httponly=True,
        samesite="lax",
    )
