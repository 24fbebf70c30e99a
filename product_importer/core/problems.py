"""Respond to errors with `application/problem+json` (RFC 9457)."""

import json
from typing import Any

from starlette.responses import JSONResponse

from product_importer.core.errors import DomainError, Unauthenticated

TYPE_PREFIX = "/api/problems/"
PROBLEM_MEDIA = "application/problem+json"


class ProblemResponse(JSONResponse):
    """A problem as a response. Characters that UTF-8 cannot encode, quoted from the request, become `?`."""

    media_type = PROBLEM_MEDIA

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode(errors="replace")


def problem(status: int, kind: str, title: str, detail: str, **extra: Any) -> JSONResponse:
    """Return a problem as a response; `kind` ends its `type`, `extra` holds further members."""
    body = {"type": TYPE_PREFIX + kind, "title": title, "status": status, "detail": detail, **extra}
    return ProblemResponse(body, status_code=status)


def problem_of(error: DomainError) -> JSONResponse:
    """Return a domain error as a response, with `Retry-After` or `WWW-Authenticate` where it has one."""
    answer = problem(error.status, error.kind, error.title, error.detail, **error.extra)
    if isinstance(error, Unauthenticated):
        answer.headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer
