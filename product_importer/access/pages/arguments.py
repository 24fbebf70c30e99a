"""Check that an event has the arguments that its handler takes: a page sends them, but anybody could."""

import inspect
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError
from reflex.event import Event, EventHandler
from reflex_base.registry import RegistrationContext

from product_importer.core.errors import Unprocessable


def check(event: Event) -> None:
    """Check the arguments of an event of ours by the annotations of its handler, which Reflex does not.

    Raises:
        Unprocessable: one is missing, is not known, or has another type.
    """
    handler = RegistrationContext.get().event_handlers[event.name].handler
    if not handler.fn.__module__.startswith("product_importer."):
        return
    adapters = _adapters(handler)
    try:
        inspect.signature(handler.fn).bind(None, **event.payload)
        for name, value in event.payload.items():
            if name in adapters:
                adapters[name].validate_python(value)
    except (TypeError, ValidationError):
        raise Unprocessable("The page sent an event with wrong arguments. Load the page again.") from None


@cache
def _adapters(handler: EventHandler) -> dict[str, TypeAdapter[Any]]:
    """Return what checks each argument that is plain JSON; an upload's chunks are not."""
    adapters = {}
    for name, hint in handler._get_type_hints().items():
        if name == "return":
            continue
        try:
            adapters[name] = TypeAdapter(hint)
        except PydanticSchemaGenerationError:
            continue
    return adapters
