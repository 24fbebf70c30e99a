"""The REST API: the slices' routers, and domain errors as problem+json (RFC 9457)."""

from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from product_importer import __version__, health, metrics
from product_importer.access import api as access
from product_importer.access import permissions
from product_importer.access.api import require_permission
from product_importer.access.gate.authentication import PROGRAM_PATHS
from product_importer.access.gate.bodies import UPLOADS
from product_importer.access.gate.hosts import OPEN_PATHS
from product_importer.access.gate.origins import SAFE_METHODS
from product_importer.catalog import api as catalog
from product_importer.core.db import OUTAGE
from product_importer.core.errors import (
    DESCRIPTIONS,
    HEADERS,
    DomainError,
    Invalid,
    NotFound,
    field_errors,
    invalid_fields,
)
from product_importer.core.outages import unavailable
from product_importer.core.problem_types import ProblemType
from product_importer.core.problems import PROBLEM_MEDIA, problem, problem_of
from product_importer.imports import api as imports
from product_importer.strict import body_fields, reject_undeclared
from product_importer.webhooks import api as webhooks

NO_ANSWER = "The database does not answer. Try again in a moment; /api/ready says what is missing."
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}
OPENAPI = "/api/openapi.json"
DOCS = "/api/docs"
# Either is enough, and neither is needed while sign-in is off.
SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "pi_…",
        "description": "A token of the page “Tokens”: `Authorization: Bearer pi_…`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "pi_session",
        "description": "The cookie of a signed-in browser. Under TLS it is named `__Host-pi_session`.",
    },
}
SECURITY: list[dict[str, list[str]]] = [{name: []} for name in SECURITY_SCHEMES]


def operation_id(route: APIRoute) -> str:
    """Return the name of a route's function, by which generated clients call it."""
    return str(route.name)


async def check_request(request: Request) -> None:
    """Check, before each route, who asks and what for. One dependency: FastAPI takes its time for each."""
    await require_permission(request)
    await reject_undeclared(request)


api = FastAPI(
    title="Product Importer",
    version=__version__,
    description="Imports product catalogues from files into PostgreSQL and manages them.",
    # Defined below: FastAPI's own route accepts any parameter.
    openapi_url=None,
    docs_url=None,
    redoc_url=None,
    generate_unique_id_function=operation_id,
    webhooks=webhooks.messages,
    dependencies=[Depends(check_request)],
)
# Routes are tried in this order: what programs ask for most comes first.
for router in (catalog.router, imports.router, webhooks.router, access.router, health.router):
    api.include_router(router, prefix="/api")
# At `/metrics`, where Prometheus looks by default.
api.include_router(metrics.router)
api.mount(f"{DOCS}/assets", StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static"))


@api.get(OPENAPI, include_in_schema=False)
def show_openapi() -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(describe())


@api.get(DOCS, include_in_schema=False)
def show_docs() -> HTMLResponse:
    """Swagger UI from local files, where FastAPI's page would load them from other servers."""
    return get_swagger_ui_html(
        openapi_url=OPENAPI,
        title=api.title,
        swagger_js_url=f"{DOCS}/assets/swagger-ui-bundle.js",
        swagger_css_url=f"{DOCS}/assets/swagger-ui.css",
        swagger_favicon_url="/favicon.svg",
        # Otherwise it would send the document to a validator on another server.
        swagger_ui_parameters={"validatorUrl": None},
    )


def describe() -> dict[str, Any]:
    """Return the OpenAPI document."""
    if api.openapi_schema is None:
        document = describe_routes()
        document["components"]["securitySchemes"] = SECURITY_SCHEMES
        document["security"] = SECURITY
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                _describe_parameters(operation)
                _describe_problems(operation)
                _describe_access(path, method, operation)
                _describe_permission(operation)
        api.openapi_schema = document
    return api.openapi_schema


def _describe_parameters(operation: dict[str, Any]) -> None:
    """Remove null from the types of parameters, where FastAPI adds it: a parameter has a value or is absent."""
    for parameter in operation.get("parameters", []):
        if "content" in parameter:
            continue
        choices = [choice for choice in parameter["schema"].pop("anyOf", []) if choice != {"type": "null"}]
        if len(choices) == 1:
            parameter["schema"] |= choices[0]
        elif choices:
            parameter["schema"]["anyOf"] = choices


def _describe_problems(operation: dict[str, Any]) -> None:
    """Set the media type of errors, where FastAPI uses that of the route's successful response."""
    for answer in operation["responses"].values():
        if any(media.get("schema") == PROBLEM_SCHEMA for media in answer.get("content", {}).values()):
            answer["content"] = {PROBLEM_MEDIA: {"schema": PROBLEM_SCHEMA}}


def _describe_access(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add the responses of the access layer, which is in front of every route."""
    statuses = [429] if path in OPEN_PATHS else [400, 429]
    if method.upper() not in SAFE_METHODS:
        statuses += [403, 408, 413]
    _add_problems(operation, statuses)


def _describe_permission(operation: dict[str, Any]) -> None:
    """Say who may call an operation: everybody, or people and tokens with one of some permissions."""
    name = operation["operationId"]
    operation["security"] = [
        {scheme: [str(permission)]}
        for scheme, by_token in (("token", True), ("session", False))
        for permission in sorted(permissions.alternatives(name, by_token=by_token))
    ]
    if operation["security"]:
        _add_problems(operation, [401, 403])


def _add_problems(operation: dict[str, Any], statuses: list[int]) -> None:
    for status in statuses:
        answer = {"description": DESCRIPTIONS[status], "content": {PROBLEM_MEDIA: {"schema": PROBLEM_SCHEMA}}}
        if status in HEADERS:
            answer["headers"] = HEADERS[status]
        operation["responses"].setdefault(str(status), answer)


describe_routes, api.openapi = api.openapi, describe  # type: ignore[method-assign]


@api.exception_handler(DomainError)
def answer_domain_error(request: Request, error: DomainError) -> JSONResponse:
    """Answer a domain error."""
    return _close_after_upload(request, problem_of(error))


@api.exception_handler(RequestValidationError)
def answer_invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
    """Answer fields that do not match the schema."""
    errors = field_errors(error.errors(), skip=1, known=body_fields(request.scope["route"]))
    return _close_after_upload(request, problem_of(invalid_fields(errors)))


def _close_after_upload(request: Request, answer: JSONResponse) -> JSONResponse:
    """Announce that the connection closes after a rejected upload, whose rest is not read.

    Otherwise the client would send its next request there and get no response.
    """
    if (request.method, request.url.path) in UPLOADS or request.headers.get("content-type", "").startswith(
        "multipart/"
    ):
        answer.headers["Connection"] = "close"
    return answer


@api.exception_handler(HTTPException)
def answer_http_error(_: Request, error: HTTPException) -> JSONResponse:
    """Answer errors of the framework."""
    detail = str(error.detail)
    answer = problem(error.status_code, f"http-{error.status_code}", detail, detail)
    answer.headers.update(error.headers or {})
    return answer


def answer_unavailable(_: Request, cause: Exception) -> JSONResponse:
    """Answer that PostgreSQL cannot be reached, took too long, or stopped a statement for another one."""
    return problem_of(unavailable(cause, NO_ANSWER))


for outage_error in OUTAGE:
    api.add_exception_handler(outage_error, answer_unavailable)


@api.exception_handler(Exception)
def answer_internal_error(_: Request, __: Exception) -> JSONResponse:
    """Answer an unexpected exception, which the server logs."""
    return problem(
        500, ProblemType.INTERNAL, "Internal error", "An unexpected error occurred; the log has the details."
    )


def answer_bad_upload(request: Request, error: Exception) -> JSONResponse:
    """Answer exceptions of Reflex's upload route: no event handler for files, or no content type."""
    if isinstance(error, KeyError) and "content-type" in request.headers:
        raise error
    detail = "Send files as multipart/form-data, to an event handler that accepts files."
    return _close_after_upload(request, problem_of(Invalid(detail, kind=ProblemType.BAD_FORM)))


# Reflex later adds a route for all paths, which does not belong here.
KNOWN_ROUTES = tuple(api.routes)


def answer_unknown(request: Request) -> JSONResponse:
    """Answer API paths and methods without a route; the page would answer with an HTML page."""
    path = request.url.path
    allowed = [method for method in METHODS if _takes(request, method)]
    if not allowed:
        return problem_of(NotFound(f"There is no route {path}; /api/docs lists the routes."))
    detail = f"{path} accepts {', '.join(allowed)}, not {request.method}."
    answer = problem(405, ProblemType.METHOD_NOT_ALLOWED, "Method not allowed", detail)
    answer.headers["Allow"] = ", ".join(allowed)
    return answer


class UnknownRoute:
    """`answer_unknown` as an ASGI application: as a function, Starlette would route only GET to it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer_unknown(Request(scope))(scope, receive, send)


for pattern in ("/api", "/api/{path:path}", "/metrics"):
    api.router.routes.append(Route(pattern, UnknownRoute(), include_in_schema=False))


class Programs:
    """An ASGI application that sends what programs use straight to REST, and all else on to the pages.

    Reflex's layers around each request are for pages, and would take a tenth of the time of a short request.
    """

    def __init__(self, pages: ASGIApp):
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_program = scope["type"] == "http" and scope["path"].startswith(PROGRAM_PATHS)
        await (api if is_program else self._pages)(scope, receive, send)


def _takes(request: Request, method: str) -> bool:
    """Whether a route exists for the request's path and this method."""
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] == Match.FULL for route in KNOWN_ROUTES)
