"""Domain errors. `api.py` returns them as problem+json, pages show them as text."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any

from pydantic import BaseModel, ConfigDict

from product_importer.core.names import similar_name
from product_importer.core.problem_types import ProblemType

# An error names at most so many wrong fields: a request may have 100,000, and suggesting names takes time.
MAX_FIELD_ERRORS = 20


def first_line(error: object) -> str:
    """Return the first line of an error's message, or the name of its class where the message is empty."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


class DomainError(Exception):
    """A request that cannot be carried out, with a reason that is shown to the person who sent it.

    `kind`, `title` and `detail` are members of the problem (RFC 9457); `detail` says what is wrong, where, and what
    to do. `extra` holds further members (section 3.2). `retry_after` becomes the header `Retry-After`, in seconds; it
    is None where waiting does not help.
    """

    status = 400
    kind = ProblemType.BAD_REQUEST
    title = "The request cannot be carried out"
    retry_after: int | None = None

    def __init__(self, detail: str, *, kind: ProblemType | None = None, title: str | None = None, **extra: Any):
        super().__init__(detail)
        self.detail = detail
        self.kind = ProblemType(kind or self.kind)
        self.title = title or self.title
        self.extra: Mapping[str, Any] = extra


class Invalid(DomainError):
    """A file, an option or a header is invalid."""


class Unauthenticated(DomainError):
    """Nobody has signed in, or the session or token has ended."""

    status = 401
    kind = ProblemType.UNAUTHENTICATED
    title = "Not signed in"


class Forbidden(DomainError):
    """The role of a person, or the scopes of a token, do not suffice."""

    status = 403
    kind = ProblemType.FORBIDDEN
    title = "Not allowed"


class CrossSite(DomainError):
    """A page of another origin sent a request that only our own page and programs may send."""

    status = 403
    kind = ProblemType.CROSS_SITE
    title = "Another site may not do this"


class WebhookLoop(DomainError):
    """A webhook's request was sent to the application itself."""

    status = 403
    kind = ProblemType.WEBHOOK_LOOP
    title = "A webhook may not call the application"


class NotFound(DomainError):
    """What the request names does not exist, or no longer exists."""

    status = 404
    kind = ProblemType.NOT_FOUND
    title = "Not found"


class RequestTimeout(DomainError):
    """The client stopped sending before its request was complete."""

    status = 408
    kind = ProblemType.REQUEST_TIMEOUT
    title = "The request timed out"


class Conflict(DomainError):
    """The request contradicts what is stored."""

    status = 409
    kind = ProblemType.CONFLICT
    title = "Conflict"


class Stale(DomainError):
    """What the request changes was changed since the client read it; `current` holds its present state."""

    status = 412
    kind = ProblemType.STALE
    title = "Changed meanwhile"


class TooLarge(DomainError):
    """The body or file is larger than the settings allow."""

    status = 413
    kind = ProblemType.TOO_LARGE
    title = "The upload is too large"


class UnsupportedMedia(DomainError):
    """The route does not accept the format of the body."""

    status = 415
    kind = ProblemType.UNSUPPORTED_MEDIA_TYPE
    title = "The body has the wrong format"


class Unprocessable(DomainError):
    """Fields are wrong; `errors` lists them as `{"field", "message"}`."""

    status = 422
    kind = ProblemType.INVALID_FIELDS
    title = "Some fields are invalid"


class TooMany(DomainError):
    """Too much at once: the client may send the same request again after `retry_after` seconds."""

    status = 429
    kind = ProblemType.TOO_MANY_REQUESTS
    title = "Too much at once"

    def __init__(self, detail: str, *, retry_after: int, **named: Any):
        super().__init__(detail, **named)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """PostgreSQL or Redis cannot be reached right now: the client may try again later."""

    status = 503
    kind = ProblemType.UNAVAILABLE
    title = "Temporarily unavailable"


class StorageFull(DomainError):
    """The upload cannot be stored: the disk is full, or the object store fails."""

    status = 507
    kind = ProblemType.STORAGE_FULL
    title = "The upload cannot be stored"


class FieldError(BaseModel):
    """What is wrong with one field. The name of a nested field has dots: `attributes.colour`."""

    field: str
    message: str


class Problem(BaseModel):
    """An error (RFC 9457). Some types have further members, such as `missing` or `current`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "/api/problems/not-found",
                "title": "Not found",
                "status": 404,
                "detail": "There is no product 0190b5c4-3f7e-7cc1-8a59-3a1f7ed1f0a1.",
            }
        },
    )

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


DESCRIPTIONS = {
    400: "The request is invalid or incomplete, or its host is not allowed.",
    401: "Nobody has signed in, or the token is not valid.",
    403: "The role or the token does not suffice, or a page of another site or a webhook sent it.",
    404: "It does not exist.",
    408: "Nothing has arrived for 30 s.",
    409: "It conflicts with what is stored, or with a running import.",
    412: "It was changed meanwhile; `current` is its present state.",
    413: "It is too large.",
    415: "The body has the wrong format.",
    422: "Some fields are invalid; `errors` names them.",
    429: "Too many requests at once; send it again after `Retry-After` seconds.",
    503: "PostgreSQL or Redis does not answer; try again.",
}


HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return a route's `responses` for these error statuses; `api.py` sets their media type."""
    return {
        status: {"model": Problem, "description": DESCRIPTIONS[status], "headers": HEADERS.get(status, {})}
        for status in statuses
    }


def field_errors(
    found: Iterable[Mapping[str, Any]], skip: int = 0, known: Collection[str] = ()
) -> list[dict[str, str]]:
    """Return the first `MAX_FIELD_ERRORS` of pydantic's `errors()` as `{"field", "message"}`.

    `skip` parts at the start of each location are left out: they name the part of the request, not the field. `known`
    are the existing fields, of which a similar one is suggested for an unknown field.
    """
    first = islice(found, MAX_FIELD_ERRORS)
    return [{"field": _field(item, skip), "message": _message(item, known)} for item in first]


def invalid_fields(errors: list[dict[str, str]]) -> Unprocessable:
    """Return the error that names these fields, each `{"field", "message"}`."""
    return Unprocessable("; ".join(f"{error['field']}: {error['message']}" for error in errors), errors=errors)


def unknown_field(name: str, known: Collection[str]) -> dict[str, str]:
    """Return the error of a field that does not exist, with the known field that was probably meant."""
    if meant := similar_name(name, known):
        return {
            "field": name,
            "message": f"There is no such field. Did you mean “{meant}”? Names are case-sensitive.",
        }
    existing = f"Known fields: {', '.join(known)}." if known else "This request has no fields."
    return {"field": name, "message": f"There is no such field. {existing}"}


def repeated_field(name: str) -> dict[str, str]:
    """Return the error of a field that occurs more than once."""
    return {"field": name, "message": "It was sent more than once."}


def _message(item: Mapping[str, Any], known: Collection[str]) -> str:
    if item["type"] == "extra_forbidden" and known:
        return unknown_field(str(item["loc"][-1]), known)["message"]
    return str(item["msg"]).removeprefix("Value error, ")


def _field(item: Mapping[str, Any], skip: int) -> str:
    location = item["loc"]
    # For invalid JSON, pydantic adds the position in the text, which is not a field.
    inside = () if item["type"] == "json_invalid" else location[skip:]
    return ".".join(map(str, inside or location[:1])) or "body"
