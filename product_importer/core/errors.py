"""What can go wrong in the domain, each once; `api.py` turns them into problem+json, pages into text."""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """A refusal with a reason that is shown to the person who asked.

    `kind` ends the problem's type, `title` names the kind in words, `detail` says what, where and what to do,
    `extra` holds further members of the problem (RFC 9457, section 3.2).
    """

    status = 400
    kind = "bad-request"
    title = "The request cannot be carried out"

    def __init__(self, detail: str, *, kind: str | None = None, title: str | None = None, **extra: Any):
        super().__init__(detail)
        self.detail = detail
        self.kind = kind or self.kind
        self.title = title or self.title
        self.extra: Mapping[str, Any] = extra


class Invalid(DomainError):
    """The input is wrong as a whole: a file or an option."""


class NotFound(DomainError):
    """The thing that was named does not exist, or not any more."""

    status = 404
    kind = "not-found"
    title = "Not found"


class Conflict(DomainError):
    """The request contradicts what is stored."""

    status = 409
    kind = "conflict"
    title = "Conflict"


class TooLarge(DomainError):
    """More bytes than the settings allow."""

    status = 413
    kind = "too-large"
    title = "The upload is too large"


class Unprocessable(DomainError):
    """Fields are wrong; `errors` lists them as `{"field", "message"}`."""

    status = 422
    kind = "invalid-fields"
    title = "Some fields are invalid"


class Unavailable(DomainError):
    """A server behind the application cannot be reached right now; trying again later is right."""

    status = 503
    kind = "unavailable"
    title = "Temporarily unavailable"
