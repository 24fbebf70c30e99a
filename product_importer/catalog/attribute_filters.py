"""Filters on attributes: query parameters `attribute.NAME`, with their bounds and their description in OpenAPI."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from product_importer.core.edges import trim

PREFIX = "attribute."
MAX_ATTRIBUTE_FILTERS = 10

UNKNOWN = "There is no such field."
REPEATED = "It was sent more than once."
TOO_MANY = f"At most {MAX_ATTRIBUTE_FILTERS} attributes can be filtered at once."


def parameter(schema_of_name: Mapping[str, Any], schema_of_text: Mapping[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI description: an object, each property of which is a query parameter of its own.

    `x-prefix` is what the names of these parameters begin with; `strict` lets them pass.
    """
    return {
        "name": f"{PREFIX}NAME",
        "in": "query",
        "x-prefix": PREFIX,
        "style": "form",
        "explode": True,
        "description": (
            "Text in the attribute NAME, in any case; NAME is as it is stored. Without a text, all products that "
            f"have the attribute. Up to {MAX_ATTRIBUTE_FILTERS} attributes, each once: all must match."
        ),
        "example": {f"{PREFIX}colour": "teal"},
        "schema": {
            "type": "object",
            "maxProperties": MAX_ATTRIBUTE_FILTERS,
            "propertyNames": dict(schema_of_name),
            "additionalProperties": dict(schema_of_text),
        },
    }


def checked(
    given: Mapping[str, Any], fields: Collection[str], name_error: Callable[[str], str | None]
) -> dict[str, Any]:
    """Return what was given, with the names of attributes trimmed.

    `fields` are the other names that may be given; `name_error` says what is wrong with the name of an attribute.

    Raises:
        ValidationError: a name is unknown, wrong, or used twice, or there are too many attributes.
    """
    trimmed = {name: f"{PREFIX}{trim(name.removeprefix(PREFIX))}" for name in given if name not in fields}
    if errors := list(_errors(trimmed, name_error)):
        raise ValidationError.from_exception_data("ProductFilter", errors)
    return {trimmed.get(name, name): value for name, value in given.items()}


def _errors(trimmed: Mapping[str, str], name_error: Callable[[str], str | None]) -> Iterator[InitErrorDetails]:
    taken: set[str] = set()
    for given, name in trimmed.items():
        if not given.startswith(PREFIX):
            yield _error(given, UNKNOWN)
        elif error := name_error(name.removeprefix(PREFIX)):
            yield _error(given, error)
        elif name in taken:
            yield _error(given, REPEATED)
        elif len(taken) >= MAX_ATTRIBUTE_FILTERS:
            yield _error(given, TOO_MANY)
        taken.add(name)


def _error(name: str, message: str) -> InitErrorDetails:
    # As a value of the template: braces in names are literal.
    kind = PydanticCustomError("attribute_filter", "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=(name,), input=name)
