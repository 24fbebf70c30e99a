"""Nothing asked for is ignored: what a route does not declare is refused, on every route, before anything happens.

One dependency of the whole application reads what the route declares, so a new route has it without a word.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Any, get_args
from uuid import UUID

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Cookie, Header, Path
from fastapi.routing import APIRoute
from pydantic import AwareDatetime

from product_importer.core.errors import MAX_TOLD, invalid_fields, repeated_field, unknown_field
from product_importer.core.names import names_in_json, near, repeated_in_json

# Probes and scrapers add parameters of their own, and nothing there could be meant by them.
LENIENT = frozenset({"/api/health", "/api/ready", "/metrics"})

WHOLE = (re.compile(r"-?[0-9]+"), "This is no whole number; write digits only, such as 1.")
IDENTITY = (re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE), "This is no UUID.")
TIME = (
    re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII),
    "This is no time with its zone; write one such as 2026-11-01T00:00:00Z.",
)
# Pydantic reads more: 0.5 as half a second after 1970, 1_0 as ten.
WRITTEN: dict[Any, tuple[re.Pattern[str], str]] = {int: WHOLE, UUID: IDENTITY, datetime: TIME, AwareDatetime: TIME}


async def refuse_undeclared(request: Request) -> None:
    """Refuse parameters, fields and bodies that the route does not declare, and what is there twice.

    Raises:
        Unprocessable: each of them is named, `MAX_TOLD` at most: a long list would keep others waiting.
    """
    if request.url.path in LENIENT:
        return
    route = request.scope["route"]
    found = chain(_parameters(request, route), _headers(request, route), await _body(request, route))
    errors = list(islice(found, MAX_TOLD))
    if errors:
        raise invalid_fields(errors)


def body_fields(route: APIRoute) -> tuple[str, ...]:
    """Return the fields of the body that a route declares: of a JSON object, or of a form."""
    if route.body_field is not None:
        return tuple(getattr(route.body_field.field_info.annotation, "model_fields", ()))
    media = (route.openapi_extra or {}).get("requestBody", {}).get("content", {})
    return tuple(name for kind in media.values() for name in kind["schema"]["properties"])


def _declared(route: APIRoute) -> dict[str, Any]:
    """Return the query parameters that a route declares, and their types."""
    return {
        field.alias: field.field_info.annotation
        for field in get_flat_params(route.dependant)
        if not isinstance(field.field_info, Path | Header | Cookie)
    }


def _parameters(request: Request, route: APIRoute) -> Iterator[dict[str, str]]:
    given = request.query_params.multi_items()
    declared = _declared(route) if given else {}
    for name, count in Counter(name for name, _ in given).items():
        if name not in declared:
            yield _unknown_parameter(name, declared, body_fields(route))
        elif count > 1:
            yield repeated_field(name)
    yield from _misspelt((name, value, declared.get(name)) for name, value in given)
    path = {field.alias: field.field_info.annotation for field in route.dependant.path_params}
    yield from _misspelt((name, str(value), path.get(name)) for name, value in request.path_params.items())


def _unknown_parameter(name: str, declared: Collection[str], fields: Collection[str]) -> dict[str, str]:
    if not near(name, declared) and (field := near(name, fields)):
        return {
            "field": name,
            "message": f"This is no query parameter. “{field}” is a field of the body: send it there.",
        }
    return unknown_field(name, declared)


def _misspelt(given: Iterable[tuple[str, str, Any]]) -> Iterator[dict[str, str]]:
    """Yield the values that are not written as their type is; what has another type is pydantic's to judge."""
    for name, value, annotation in given:
        for kind in (annotation, *get_args(annotation)):
            pattern, message = WRITTEN.get(kind, (None, ""))
            if pattern and not pattern.fullmatch(value):
                yield {"field": name, "message": message}


def _headers(request: Request, route: APIRoute) -> Iterator[dict[str, str]]:
    """Yield the declared headers that are there twice: only one would count."""
    for field in route.dependant.header_params:
        if len(request.headers.getlist(field.alias)) > 1:
            yield repeated_field(field.alias)


async def _body(request: Request, route: APIRoute) -> list[dict[str, str]]:
    if route.body_field is not None:
        # Has been read already, for the route itself.
        body = await request.body()
        return [*_many_unknown(body, body_fields(route)), *map(repeated_field, repeated_in_json(body))]
    if body_fields(route):
        return []
    return [{"field": "body", "message": "This takes no body."}] if await _has_body(request) else []


def _many_unknown(body: bytes, fields: Collection[str]) -> Iterator[dict[str, str]]:
    """Yield the names that do not exist where there are very many: the schema would take a second to list them."""
    unknown = [name for name in names_in_json(body) if name not in fields]
    if len(unknown) > MAX_TOLD:
        yield from (unknown_field(name, fields) for name in unknown[:MAX_TOLD])


async def _has_body(request: Request) -> bool:
    """Whether a body says anything. Clients that send an empty object with every POST ask for nothing."""
    start = b""
    async for piece in request.stream():
        start += piece
        if len(start) > len(b"{}"):
            return True
    return start not in (b"", b"{}")
