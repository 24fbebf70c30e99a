"""What can go wrong in the domain, each once; `api.py` turns them into problem+json, pages into text."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any

from pydantic import BaseModel, ConfigDict

from product_importer.core.names import near
from product_importer.core.problem_types import ProblemType

# So many wrong fields are told of. To find out what was meant takes time, and a request may have 100,000.
MAX_TOLD = 20


def first_line(error: object) -> str:
    """Return the first line of an error's message, or the name of its class where the message is empty."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


class DomainError(Exception):
    """A refusal with a reason that is shown to the person who asked.

    `kind` ends the problem's type, `title` names the kind in words, `detail` says what, where and what to do,
    `extra` holds further members of the problem (RFC 9457, section 3.2). `retry_after` is the time in seconds after
    which trying again makes sense: the header `Retry-After`; None where waiting does not help.
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
    """The input is wrong as a whole: a file or an option."""


class CrossSite(DomainError):
    """A page of another origin sent what only our own page and programs may send."""

    status = 403
    kind = ProblemType.CROSS_SITE
    title = "Another site may not do this"


class WebhookLoop(DomainError):
    """A webhook's own request came back to the application that sends it."""

    status = 403
    kind = ProblemType.WEBHOOK_LOOP
    title = "A webhook may not call the application"


class NotFound(DomainError):
    """The thing that was named does not exist, or not any more."""

    status = 404
    kind = ProblemType.NOT_FOUND
    title = "Not found"


class RequestTimeout(DomainError):
    """A request that was begun did not go on."""

    status = 408
    kind = ProblemType.REQUEST_TIMEOUT
    title = "The request did not go on"


class Conflict(DomainError):
    """The request contradicts what is stored."""

    status = 409
    kind = ProblemType.CONFLICT
    title = "Conflict"


class Stale(DomainError):
    """The thing was changed since the person who changes it now has read it; `current` holds what it is."""

    status = 412
    kind = ProblemType.STALE
    title = "Changed in the meantime"


class TooLarge(DomainError):
    """More bytes than the settings allow."""

    status = 413
    kind = ProblemType.TOO_LARGE
    title = "The upload is too large"


class UnsupportedMedia(DomainError):
    """The body is in a format that is not taken here."""

    status = 415
    kind = ProblemType.UNSUPPORTED_MEDIA_TYPE
    title = "The body has the wrong format"


class Unprocessable(DomainError):
    """Fields are wrong; `errors` lists them as `{"field", "message"}`."""

    status = 422
    kind = ProblemType.INVALID_FIELDS
    title = "Some fields are invalid"


class TooMany(DomainError):
    """More at once than is taken; it is right to send the same again after `retry_after` seconds."""

    status = 429
    kind = ProblemType.TOO_MANY_REQUESTS
    title = "Too much at once"

    def __init__(self, detail: str, *, retry_after: int, **named: Any):
        super().__init__(detail, **named)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """A server behind the application cannot be reached right now; trying again later is right."""

    status = 503
    kind = ProblemType.UNAVAILABLE
    title = "Temporarily unavailable"


class StorageFull(DomainError):
    """What arrives cannot be stored: the disk is full, or the object store does not take it."""

    status = 507
    kind = ProblemType.STORAGE_FULL
    title = "The upload cannot be stored"


class FieldError(BaseModel):
    """What is wrong with one field; a field inside another is named with a dot: `attributes.colour`."""

    field: str
    message: str


class Problem(BaseModel):
    """An error as the API answers it (RFC 9457). Some kinds have further members, such as `missing` or `current`."""

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


WORDS = {
    400: "The request cannot be understood, something it needs is missing, or its host is not allowed.",
    403: "A page of another site may not do this, nor may a webhook.",
    404: "There is no such thing.",
    408: "Nothing has arrived for 30 s.",
    409: "It contradicts what is stored, or what is going on.",
    412: "It was changed in the meantime; `current` is what it is now.",
    413: "It is too large.",
    415: "The body has the wrong format.",
    422: "Some fields are invalid; `errors` names them.",
    429: "It is too much at once; send it again after `Retry-After` seconds.",
    503: "A server behind the application does not answer; try again.",
}


HEADERS: dict[int, dict[str, Any]] = {
    429: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return a route's refusals for its documentation: `api.py` gives them the media type of problems."""
    return {
        status: {"model": Problem, "description": WORDS[status], "headers": HEADERS.get(status, {})}
        for status in statuses
    }


def field_errors(
    found: Iterable[Mapping[str, Any]], skip: int = 0, known: Collection[str] = ()
) -> list[dict[str, str]]:
    """Return the first `MAX_TOLD` of pydantic's `errors()` as `{"field", "message"}`.

    `skip` names' first parts say where, not what. `known` are the fields that there are: the one that was probably
    meant is named.
    """
    told = islice(found, MAX_TOLD)
    return [{"field": _field(item, skip), "message": _message(item, known)} for item in told]


def invalid_fields(errors: list[dict[str, str]]) -> "Unprocessable":
    """Return the refusal of these fields."""
    return Unprocessable("; ".join(f"{fault['field']}: {fault['message']}" for fault in errors), errors=errors)


def unknown_field(name: str, known: Collection[str]) -> dict[str, str]:
    """Return what is wrong with a field that does not exist, and which one was probably meant."""
    if meant := near(name, known):
        return {"field": name, "message": f"There is no such field. Did you mean “{meant}”? Case counts."}
    there_is = f"There are: {', '.join(known)}." if known else "None is taken here."
    return {"field": name, "message": f"There is no such field. {there_is}"}


def repeated_field(name: str) -> dict[str, str]:
    """Return what is wrong with a field that is there twice."""
    return {"field": name, "message": "It is there more than once. Send it once."}


def _message(item: Mapping[str, Any], known: Collection[str]) -> str:
    if item["type"] == "extra_forbidden" and known:
        return unknown_field(str(item["loc"][-1]), known)["message"]
    return str(item["msg"]).removeprefix("Value error, ")


def _field(item: Mapping[str, Any], skip: int) -> str:
    location = item["loc"]
    # What breaks a JSON document is told with its place in the text, which is no field's name.
    inside = () if item["type"] == "json_invalid" else location[skip:]
    return ".".join(map(str, inside or location[:1])) or "body"
