"""Call the server in `PRODUCT_IMPORTER_URL`, and say in one line why it does not do what is asked.

The token goes to that address only: redirects are not followed, and no proxy or `.netrc` of the environment is used.
"""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any, Self

import httpx

from product_importer import __version__
from product_importer.core.errors import DomainError, first_line
from product_importer.core.problems import PROBLEM_MEDIA
from product_importer.core.settings.remote import RemoteSettings

# It would print every request between the lines of the progress.
logging.getLogger("httpx").setLevel(logging.WARNING)

CONNECT_SECONDS = 10.0
# A server inspects a workbook before it answers.
SILENCE_SECONDS = 120.0
LATER = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


class RemoteError(DomainError):
    """The server refuses, or is not what it should be. `status` is that of its answer."""


class TryLater(RemoteError):
    """The server is busy, or something that it needs is away."""


class BrokenOff(TryLater):
    """There was no answer: the server cannot be reached, or the connection broke off."""


class Server:
    """The server that the settings name. Close it after use, as a context."""

    def __init__(self, given: RemoteSettings):
        self.url = given.product_importer_url or ""
        self._has_token = given.product_importer_token is not None
        headers = {"user-agent": f"product-importer/{__version__}"}
        if given.product_importer_token is not None:
            headers["authorization"] = f"Bearer {given.product_importer_token.get_secret_value()}"
        self._client = httpx.Client(
            base_url=self.url,
            headers=headers,
            timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
            # This one knows SSL_CERT_FILE.
            verify=httpx.create_ssl_context(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def json(self, method: str, path: str, **request: Any) -> Any:
        """Return the JSON of a successful answer.

        Raises:
            RemoteError: there is none.
        """
        with self.answer(method, path, **request) as answer:
            answer.read()
            with suppress(ValueError):
                return answer.json()
        raise self._no_importer()

    @contextmanager
    def answer(self, method: str, path: str, **request: Any) -> Iterator[httpx.Response]:
        """Return a successful answer, whose body is read while it arrives.

        Raises:
            RemoteError: the server refuses, or there is no answer; also while the body is read.
        """
        try:
            with self._client.stream(method, path, **request) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self._refusal(answer)
                yield answer
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise self._failure(error) from None

    def _refusal(self, answer: httpx.Response) -> RemoteError:
        problem = _problem(answer)
        detail = str(problem.get("detail") or f"it answered {answer.status_code} {answer.reason_phrase}".rstrip())
        kind = TryLater if answer.status_code in LATER else RemoteError
        error = kind(self._explained(answer, detail, is_problem=bool(problem)), **_suggestions(problem))
        error.status = answer.status_code
        return error

    def _explained(self, answer: httpx.Response, detail: str, is_problem: bool) -> str:
        if answer.has_redirect_location:
            return f"{self.url} redirects to another address, which is not followed: set PRODUCT_IMPORTER_URL to it"
        match answer.status_code:
            case HTTPStatus.UNAUTHORIZED if self._has_token:
                return f"{self.url} does not accept the token in PRODUCT_IMPORTER_TOKEN: {detail}"
            case HTTPStatus.UNAUTHORIZED:
                return f"{self.url} needs a token: create one there, and set PRODUCT_IMPORTER_TOKEN to it"
            case HTTPStatus.FORBIDDEN:
                return f"{self.url} does not allow this with the token in PRODUCT_IMPORTER_TOKEN: {detail}"
            case HTTPStatus.NOT_FOUND if not is_problem:
                return self._no_importer().detail
            case _:
                return detail if is_problem else f"{self.url}: {detail}"

    def _no_importer(self) -> RemoteError:
        return RemoteError(f"{self.url} is no Product Importer; is PRODUCT_IMPORTER_URL right?")

    def _failure(self, error: Exception) -> RemoteError:
        told = first_line(error)
        if _is_about_tls(error):
            return RemoteError(
                f"{self.url}: no secure connection: {told}. For an authority of your own, set SSL_CERT_FILE to its "
                "certificate"
            )
        if isinstance(error, httpx.ConnectTimeout):
            return BrokenOff(f"{self.url} cannot be reached: no connection within {CONNECT_SECONDS:g} s")
        if isinstance(error, httpx.ConnectError):
            return BrokenOff(f"{self.url} cannot be reached: {told}; is PRODUCT_IMPORTER_URL right, and does it run?")
        if isinstance(error, httpx.TimeoutException):
            return BrokenOff(f"{self.url} has not answered for {SILENCE_SECONDS:g} s")
        return BrokenOff(f"The connection to {self.url} broke off: {told}")


def _problem(answer: httpx.Response) -> dict[str, Any]:
    """Return the problem document of an answer, or an empty one."""
    if answer.headers.get("content-type", "").partition(";")[0].strip() != PROBLEM_MEDIA:
        return {}
    with suppress(ValueError):
        found = answer.json()
        return found if isinstance(found, dict) else {}
    return {}


def _suggestions(problem: dict[str, Any]) -> dict[str, Any]:
    near = problem.get("suggestions")
    return {"suggestions": near} if isinstance(near, dict) else {}


def _is_about_tls(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None
