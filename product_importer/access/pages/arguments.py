"""Check that an event has the arguments that its handler takes: a page sends them, but anybody could."""

import inspect
from functools import cache
from typing import Any, get_origin

from pydantic import TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError
from reflex.event import Event, EventHandler
from reflex.state import State
from reflex_base.registry import RegistrationContext
from reflex_base.utils.form import FORM_DATA_ENTRIES_KEY, FormData

from product_importer.core.errors import Unprocessable

# What the browser itself stores, by the full names of states and their variables. All of it is text.
STORED: TypeAdapter[Any] = TypeAdapter(dict[str, str] | None)
# Reflex makes a form of either; it does not check the entries.
FORM: TypeAdapter[Any] = TypeAdapter(dict[str, Any])
ENTRIES: TypeAdapter[Any] = TypeAdapter(list[tuple[str, Any]])


def check(event: Event) -> None:
    """Check the arguments of an event by the annotations of its handler, which Reflex does not, nor for its own.

    Raises:
        Unprocessable: one is missing, is not known, or has another type.
    """
    handler = RegistrationContext.get().event_handlers[event.name].handler
    adapters = _adapters(handler)
    try:
        inspect.signature(handler.fn).bind(None, **event.payload)
        for name, value in event.payload.items():
            if name in adapters:
                adapters[name].validate_python(value)
            if isinstance(value, dict) and FORM_DATA_ENTRIES_KEY in value:
                ENTRIES.validate_python(value[FORM_DATA_ENTRIES_KEY])
        if not handler.fn.__module__.startswith("product_importer."):
            _check_stored(event.payload.get("vars"))
    except (TypeError, ValueError):
        raise Unprocessable("The page sent an event with wrong arguments. Load the page again.") from None


def _check_stored(given: Any) -> None:
    """Check what the browser has stored, which Reflex writes into the states.

    Raises:
        ValueError: it is no text, or there is no such state.
    """
    for name in STORED.validate_python(given) or ():
        State.get_class_substate(name.rpartition(".")[0])


@cache
def _adapters(handler: EventHandler) -> dict[str, TypeAdapter[Any]]:
    """Return what checks each argument that is plain JSON; an upload's chunks are not."""
    adapters = {}
    for name, hint in handler._get_type_hints().items():
        if name == "return":
            continue
        try:
            adapters[name] = FORM if get_origin(hint) is FormData else TypeAdapter(hint)
        except PydanticSchemaGenerationError:
            continue
    return adapters
