"""What the palette finds besides commands: each slice registers a finder of what it has."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from pydantic import ValidationError
from typing_extensions import TypedDict

from product_importer.core.errors import DomainError


class Hit(TypedDict):
    """Something that was found: its name, a note beside it, the group it stands in, and its address."""

    name: str
    note: str
    group: str
    to: str


Finder = Callable[[str], Awaitable[list[Hit]]]
_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Let the palette find what `finder` returns for a text."""
    _finders.append(finder)


async def find(text: str) -> list[Hit]:
    """Return what all finders find; one that cannot search for this text finds nothing."""
    found = await asyncio.gather(*(_found(finder, text) for finder in _finders))
    return [hit for hits in found for hit in hits]


async def _found(finder: Finder, text: str) -> list[Hit]:
    with suppress(DomainError, ValidationError):
        return await finder(text)
    return []
