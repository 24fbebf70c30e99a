"""Render the pages of the forms from their templates."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from product_importer.access.passwords import MIN_LENGTH
from product_importer.core.errors import DomainError, Unauthenticated

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["min_length"] = MIN_LENGTH


def page(template: str, error: DomainError | None = None, **values: Any) -> HTMLResponse:
    """Return a page of the template; an error is shown on it, and gives the answer its status.

    `errors` in the template are the messages of its fields by name.
    """
    shown: dict[str, Any] = {"error": error, "errors": _messages(error), **values}
    answer = HTMLResponse(
        _templates.get_template(template).render(shown),
        status_code=error.status if error else 200,
        headers=_headers(error),
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _messages(error: DomainError | None) -> defaultdict[str, str]:
    found = error.extra.get("errors", []) if error else []
    return defaultdict(str, {item["field"]: item["message"] for item in found})


def _headers(error: DomainError | None) -> Mapping[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {} if error is None or error.retry_after is None else {"Retry-After": str(error.retry_after)}
