"""Refuse events with half of a character in a text: sent back, it would break the connection again and again."""

import re
from typing import Any

from reflex.event import Event

from product_importer.core.errors import Unprocessable

SURROGATE = re.compile("[\ud800-\udfff]")


def check(event: Event) -> None:
    """Check that the texts of an event are whole.

    Raises:
        Unprocessable: one has half of a surrogate pair.
    """
    if not _is_whole(event.payload):
        raise Unprocessable("The text holds half of a character, as of an emoji that was cut. Write it again.")


def _is_whole(value: Any) -> bool:
    match value:
        case str():
            return value.isascii() or not SURROGATE.search(value)
        case dict():
            return all(map(_is_whole, (*value, *value.values())))
        case list() | tuple():
            return all(map(_is_whole, value))
    return True
