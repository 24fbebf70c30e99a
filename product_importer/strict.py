"""Reject parameters, fields and bodies that a route does not declare, before the route runs.

Only a parameter that is declared as a list may be repeated.

A dependency of the whole application reads the declarations of the route, so new routes are covered.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any, get_args, get_origin
from uuid import UUID

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Cookie, Header, Path
from fastapi.routing import APIRoute
from pydantic import AwareDatetime

from product_importer.core.errors import MAX_FIELD_ERRORS, invalid_fields, repeated_field, unknown_field
from product_importer.core.names import names_in_json, repeated_in_json, similar_name

# Probes and scrapers add parameters of their own, which these routes ignore.
LENIENT = frozenset({"/api/health", "/api/ready", "/metrics"})

INTEGER = (re.compile(r"-?[0-9]+"), "This is not a whole number; write digits only, such as 1.")
ID = (re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE), "This is not a UUID.")
TIME = (
    re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII),
    "This is not a time with a time zone; write one such as 2026-11-01T00:00:00Z.",
)
# How values must be written. Pydantic accepts more: 0.5 as half a second after 1970, 1_0 as ten.
FORMATS: dict[Any, tuple[re.Pattern[str], str]] = {int: INTEGER, UUID: ID, datetime: TIME, AwareDatetime: TIME}


async def reject_undeclared(request: Request) -> None:
    """Reject what the route does not declare, repeated names, and numbers, ids and times that are written wrongly.

    Raises:
        Unprocessable: with at most `MAX_FIELD_ERRORS` errors.
    """
    if request.url.path in LENIENT:
        return
    route = request.scope["route"]
    found = chain(
        _parameter_errors(request, route), _header_errors(request, route), await _body_errors(request, route)
    )
    errors = list(islice(found, MAX_FIELD_ERRORS))
    if errors:
        raise invalid_fields(errors)


def body_fields(route: APIRoute) -> tuple[str, ...]:
    """Return the names of the fields in a route's body, a JSON object or a form."""
    if route.body_field is not None:
        return tuple(getattr(route.body_field.field_info.annotation, "model_fields", ()))
    return tuple(name for kind in _media(route).values() for name in kind["schema"].get("properties", ()))


def _media(route: APIRoute) -> dict[str, Any]:
    """Return the media types of a body that a route reads itself, with their descriptions."""
    media: dict[str, Any] = (route.openapi_extra or {}).get("requestBody", {}).get("content", {})
    return media


@dataclass(frozen=True)
class _Declared:
    """What a route declares: the types of its parameters by name, None if it reads one itself.

    `prefixes` is what the names begin with that it declares as a family; its model checks the rest of them.
    """

    query: dict[str, Any]
    prefixes: tuple[str, ...]
    path: dict[str, Any]

    @classmethod
    def by(cls, route: APIRoute) -> "_Declared":
        own = (route.openapi_extra or {}).get("parameters", [])
        query = {parameter["name"]: None for parameter in own if parameter["in"] == "query"} | {
            field.alias: field.field_info.annotation
            for field in get_flat_params(route.dependant)
            if not isinstance(field.field_info, Path | Header | Cookie)
        }
        prefixes = tuple(parameter["x-prefix"] for parameter in own if "x-prefix" in parameter)
        path = {field.alias: field.field_info.annotation for field in route.dependant.path_params}
        return cls(query, prefixes, path)


# By the route's identity: routes cannot be hashed, and stay to the end. Reading one takes a tenth of a short request.
_declared: dict[int, tuple[APIRoute, _Declared]] = {}


def _declared_by(route: APIRoute) -> _Declared:
    if id(route) not in _declared:
        _declared[id(route)] = route, _Declared.by(route)
    return _declared[id(route)][1]


def _parameter_errors(request: Request, route: APIRoute) -> Iterator[dict[str, str]]:
    given = request.query_params.multi_items()
    declared = _declared_by(route)
    for name, count in Counter(name for name, _ in given).items():
        if name not in declared.query and not name.startswith(declared.prefixes):
            yield _unknown_parameter(name, declared.query, body_fields(route))
        elif count > 1 and get_origin(declared.query.get(name)) is not list:
            yield repeated_field(name)
    yield from _format_errors((name, value, declared.query.get(name)) for name, value in given)
    yield from _format_errors(
        (name, str(value), declared.path.get(name)) for name, value in request.path_params.items()
    )


def _unknown_parameter(name: str, declared: Collection[str], fields: Collection[str]) -> dict[str, str]:
    if not similar_name(name, declared) and (field := similar_name(name, fields)):
        return {
            "field": name,
            "message": f"This is not a query parameter. “{field}” is a field of the body: send it there.",
        }
    return unknown_field(name, declared)


def _format_errors(given: Iterable[tuple[str, str, Any]]) -> Iterator[dict[str, str]]:
    """Yield the errors of values whose type is in `FORMATS`; pydantic checks the others."""
    for name, value, annotation in given:
        for kind in (annotation, *get_args(annotation)):
            pattern, message = FORMATS.get(kind, (None, ""))
            if pattern and not pattern.fullmatch(value):
                yield {"field": name, "message": message}


def _header_errors(request: Request, route: APIRoute) -> Iterator[dict[str, str]]:
    """Yield the declared headers that occur more than once: FastAPI would use only one."""
    for field in route.dependant.header_params:
        if len(request.headers.getlist(field.alias)) > 1:
            yield repeated_field(field.alias)


async def _body_errors(request: Request, route: APIRoute) -> list[dict[str, str]]:
    if route.body_field is not None:
        # FastAPI has read it already.
        body = await request.body()
        return [*_many_unknown_fields(body, body_fields(route)), *map(repeated_field, repeated_in_json(body))]
    if _media(route):
        return []
    return [{"field": "body", "message": "This route accepts no body."}] if await _has_body(request) else []


def _many_unknown_fields(body: bytes, fields: Collection[str]) -> Iterator[dict[str, str]]:
    """Yield unknown names where there are very many: the schema would take a second to list them."""
    unknown = [name for name in names_in_json(body) if name not in fields]
    if len(unknown) > MAX_FIELD_ERRORS:
        yield from (unknown_field(name, fields) for name in unknown[:MAX_FIELD_ERRORS])


async def _has_body(request: Request) -> bool:
    """Whether there is a body other than `{}`, which some clients send with every POST."""
    start = b""
    async for piece in request.stream():
        start += piece
        if len(start) > len(b"{}"):
            return True
    return start not in (b"", b"{}")
