"""What can go wrong in the domain, each once; `api.py` turns them into problem+json, pages into text."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


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


class Stale(DomainError):
    """The thing was changed since the person who changes it now has read it; `current` holds what it is."""

    status = 412
    kind = "stale"
    title = "Changed in the meantime"


class TooLarge(DomainError):
    """More bytes than the settings allow."""

    status = 413
    kind = "too-large"
    title = "The upload is too large"


class UnsupportedMedia(DomainError):
    """The body is in a format that is not taken here."""

    status = 415
    kind = "unsupported-media-type"
    title = "The body has the wrong format"


class Unprocessable(DomainError):
    """Fields are wrong; `errors` lists them as `{"field", "message"}`."""

    status = 422
    kind = "invalid-fields"
    title = "Some fields are invalid"


class Busy(DomainError):
    """Too much of this is going on already; trying again later is right."""

    status = 429
    kind = "busy"
    title = "Too much at once"
    retry_after_seconds = 10


class Unavailable(DomainError):
    """A server behind the application cannot be reached right now; trying again later is right."""

    status = 503
    kind = "unavailable"
    title = "Temporarily unavailable"


class StorageFull(DomainError):
    """What arrives cannot be stored: the disk is full, or the object store does not take it."""

    status = 507
    kind = "storage-full"
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
    400: "The request cannot be understood, or something it needs is missing.",
    404: "There is no such thing.",
    409: "It contradicts what is stored, or what is going on.",
    412: "It was changed in the meantime; `current` is what it is now.",
    413: "It is too large.",
    415: "The body has the wrong format.",
    422: "Some fields are invalid; `errors` names them.",
    429: "Too much of this is going on already; try again in a moment.",
    503: "A server behind the application does not answer; try again.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return a route's refusals for its documentation: `api.py` gives them the media type of problems."""
    return {status: {"model": Problem, "description": WORDS[status]} for status in statuses}


def field_errors(found: Iterable[Mapping[str, Any]], skip: int = 0) -> list[dict[str, str]]:
    """Return pydantic's `errors()` as `{"field", "message"}`; `skip` names' first parts say where, not what."""
    return [{"field": _field(item, skip), "message": item["msg"].removeprefix("Value error, ")} for item in found]


def _field(item: Mapping[str, Any], skip: int) -> str:
    location = item["loc"]
    # What breaks a JSON document is told with its place in the text, which is no field's name.
    inside = () if item["type"] == "json_invalid" else location[skip:]
    return ".".join(map(str, inside or location[:1])) or "body"
