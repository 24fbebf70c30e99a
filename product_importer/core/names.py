"""Names that people and programs write: the known one that was probably meant, and those that stand there twice."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any

# How alike two names must be, of 1.
LIKENESS = 0.7


def near(name: str, known: Collection[str]) -> str | None:
    """Return the known name that was probably meant: case, `_` and `-` count for nothing."""
    plain = {_plain(one): one for one in known}
    found = get_close_matches(_plain(name)[:100], plain, n=1, cutoff=LIKENESS)
    return plain[found[0]] if found else None


def repeated_in_json(text: str | bytes) -> list[str]:
    """Return the names that an object in a JSON text has twice, with dots: `attributes.colour`.

    Python, like most readers, would take the last one and say nothing. A text that is no JSON has none.
    """
    try:
        return list(_repeated(json.loads(text, object_pairs_hook=_Object), ()))
    except (ValueError, RecursionError):
        # Whoever reads the text for what it says refuses it: no field is as deep as that.
        return []


def names_in_json(text: str | bytes) -> list[str]:
    """Return the names of the object that a JSON text is; none where it is something else, or no JSON."""
    try:
        found = json.loads(text, object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        return []
    return [name for name, _ in found] if isinstance(found, _Object) else []


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


class _Object(list[tuple[str, Any]]):
    """A JSON object as it stands there: its names and values in order."""


def _repeated(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, _Object):
        counts = Counter(name for name, _ in value)
        yield from (".".join((*path, name)) for name, count in counts.items() if count > 1)
        for name, inner in value:
            yield from _repeated(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _repeated(inner, path)
