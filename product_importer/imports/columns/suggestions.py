"""Which column was probably meant for which field: by near names, and by what stands in the first rows."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from product_importer.imports.columns.synonyms import SYNONYMS, is_active_word

# How alike two names must be, of 1; "naem" is like "name" by 0.75.
LIKENESS = 0.75
# A shorter word is like too many others by chance.
MIN_LIKE_LETTERS = 4
# What Akeneo puts behind a name: `label-en_US`, `description-de_DE-ecommerce`.
LOCALE = re.compile(r"-[a-z]{2,3}_[A-Z]{2}(-\w+)?$")
# A header may hold thousands of columns: more than these are not compared letter by letter.
MAX_COMPARED = 200


def suggest(
    names: Sequence[str], sample: Sequence[Sequence[str]] = (), wanted: Iterable[str] = tuple(SYNONYMS)
) -> dict[str, str]:
    """Return for each wanted field the column that was probably meant, where one is near.

    `names` are a file's column names and `sample` some of its rows. A column that is empty in all of them loses
    against another, and one that holds other words than those for active is not suggested for `active`. No column
    is suggested twice.
    """
    candidates = sorted(
        (_is_empty(sample, position), distance, position, field)
        for field in wanted
        for position, name in enumerate(names)
        if (distance := _distance(name, field, position)) is not None and _can_be(field, sample, position)
    )
    suggested: dict[str, int] = {}
    for _, _, position, field in candidates:
        if field not in suggested and position not in suggested.values():
            suggested[field] = position
    return {field: names[suggested[field]] for field in SYNONYMS if field in suggested}


def _distance(name: str, field: str, position: int) -> tuple[int, float] | None:
    """Return how far a column's name is from a field's, or None: a synonym, then one among words, then alike."""
    name = _words(name)
    synonyms = SYNONYMS[field]
    if name in synonyms:
        return 0, synonyms.index(name)
    if field in name.split():
        return 1, not name.startswith(field)
    if len(name) < MIN_LIKE_LETTERS or position >= MAX_COMPARED:
        return None
    likeness = max(_likeness(name, synonym) for synonym in (field, *synonyms) if _is_long(synonym, field))
    return (2, -likeness) if likeness >= LIKENESS else None


def _words(name: str) -> str:
    """Return a name without what programs write differently: `body_html` and `Body (HTML)` are `body html`."""
    return " ".join(re.findall(r"[^\W_]+", LOCALE.sub("", name).casefold()))


def _is_long(synonym: str, field: str) -> bool:
    return synonym == field or len(synonym) > MIN_LIKE_LETTERS


def _likeness(name: str, synonym: str) -> float:
    matcher = SequenceMatcher(None, name, synonym, autojunk=False)
    is_near = matcher.real_quick_ratio() >= LIKENESS and matcher.quick_ratio() >= LIKENESS
    return matcher.ratio() if is_near else 0.0


def _is_empty(sample: Sequence[Sequence[str]], position: int) -> bool:
    return not any(value.strip() for value in _values(sample, position))


def _can_be(field: str, sample: Sequence[Sequence[str]], position: int) -> bool:
    return field != "active" or all(map(is_active_word, _values(sample, position)))


def _values(sample: Sequence[Sequence[str]], position: int) -> list[str]:
    return [row[position] for row in sample if position < len(row)]
