"""Errors as they are answered: `application/problem+json` (RFC 9457)."""

import json
from typing import Any

from starlette.responses import JSONResponse

from product_importer.core.errors import DomainError

PROBLEM_TYPE = "/api/problems/"
PROBLEM_MEDIA = "application/problem+json"


class ProblemResponse(JSONResponse):
    """An RFC 9457 problem. It may quote what was sent, which is not always text that can be written."""

    media_type = PROBLEM_MEDIA

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode(errors="replace")


def problem(status: int, kind: str, title: str, detail: str, **extra: Any) -> JSONResponse:
    """Return an RFC 9457 problem."""
    body = {"type": PROBLEM_TYPE + kind, "title": title, "status": status, "detail": detail, **extra}
    return ProblemResponse(body, status_code=status)


def problem_of(error: DomainError) -> JSONResponse:
    """Return a domain error as a problem."""
    answer = problem(error.status, error.kind, error.title, error.detail, **error.extra)
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer
