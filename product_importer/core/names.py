"""Suggest the known name for a misspelt one, and find the names in a JSON text."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any

# The lowest similarity at which a name is suggested, from 0 to 1.
MIN_SIMILARITY = 0.7


def similar_name(name: str, known: Collection[str]) -> str | None:
    """Return the known name most similar to `name`, if any; case, spaces, `_` and `-` are ignored."""
    plain = {_plain(one): one for one in known}
    found = get_close_matches(_plain(name)[:100], plain, n=1, cutoff=MIN_SIMILARITY)
    return plain[found[0]] if found else None


def repeated_in_json(text: str | bytes) -> list[str]:
    """Return the names that occur twice in one object of a JSON text, as paths with dots: `attributes.colour`.

    Most parsers, Python's too, silently use the last one. For a text that is not JSON the list is empty.
    """
    try:
        return list(_repeated(json.loads(text, object_pairs_hook=_Object), ()))
    except (ValueError, RecursionError):
        # The schema rejects such a text: it is not JSON, or nested too deeply.
        return []


def names_in_json(text: str | bytes) -> list[str]:
    """Return the names in a JSON object, repeated ones included; an empty list if the text is not a JSON object."""
    try:
        found = json.loads(text, object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        return []
    return [name for name, _ in found] if isinstance(found, _Object) else []


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


class _Object(list[tuple[str, Any]]):
    """A JSON object as a list of its names and values, in order, repeated names included."""


def _repeated(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, _Object):
        counts = Counter(name for name, _ in value)
        yield from (".".join((*path, name)) for name, count in counts.items() if count > 1)
        for name, inner in value:
            yield from _repeated(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _repeated(inner, path)
