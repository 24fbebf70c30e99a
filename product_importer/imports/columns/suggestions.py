"""Suggest which column fills which field, by similar names and by the cells of the first rows."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import get_args

from product_importer.core.edges import trim
from product_importer.imports.columns.synonyms import SYNONYMS, is_active_word
from product_importer.imports.options import Delimiter

# The minimum similarity of two names, from 0 to 1; that of "naem" and "name" is 0.75.
MIN_SIMILARITY = 0.75
# Shorter words are similar to too many others.
MIN_LETTERS = 4
# The suffix of Akeneo's names: `label-en_US`, `description-de_DE-ecommerce`.
LOCALE = re.compile(r"-[a-z]{2,3}_[A-Z]{2}(-\w+)?$")
# A name with more characters, with several delimiters or with all needed names is a whole line that was not split.
MAX_CHARACTERS = 100
DELIMITERS = re.compile(f"[{re.escape(''.join(get_args(Delimiter)))}]")
# Only the first columns of a header, which may have thousands, are compared by similarity.
MAX_COMPARED = 200
# A longer text is no name of a column.
MAX_USUAL_CHARACTERS = 60
MAX_USUAL_WORDS = 4


def suggest(
    names: Sequence[str], sample: Sequence[Sequence[str]] = (), wanted: Iterable[str] = tuple(SYNONYMS)
) -> dict[str, str]:
    """Return for each wanted field the column that was probably meant, if there is one.

    `names` are a file's column names and `sample` some of its rows. Columns that are empty in all of them come last,
    and only columns that hold active words are suggested for `active`. No column is suggested twice.
    """
    candidates = sorted(
        (_is_empty(sample, position), distance, position, field)
        for field in wanted
        for position, name in enumerate(names)
        if not _is_whole_line(name)
        and (distance := _distance(name, field, position)) is not None
        and _can_be(field, sample, position)
    )
    suggested: dict[str, int] = {}
    for _, _, position, field in candidates:
        if field not in suggested and position not in suggested.values():
            suggested[field] = position
    return {field: names[suggested[field]] for field in SYNONYMS if field in suggested}


def is_usual_name(name: str, field: str) -> bool:
    """Whether a column's name is one that other programs have for a field, or a short one that contains it."""
    if len(name) > MAX_USUAL_CHARACTERS:
        return False
    name = _words(name)
    return name in SYNONYMS[field] or (field in name.split() and name.count(" ") < MAX_USUAL_WORDS)


def _distance(name: str, field: str, position: int) -> tuple[int, float] | None:
    """Return the distance of a column's name from a field, or None if they differ.

    A synonym is nearest, then a name that contains the field's, then a similar name.
    """
    name = _words(name)
    synonyms = SYNONYMS[field]
    if name in synonyms:
        return 0, synonyms.index(name)
    if field in name.split():
        return 1, not name.startswith(field)
    if len(name) < MIN_LETTERS or position >= MAX_COMPARED:
        return None
    compared = (field, *(synonym for synonym in synonyms if len(synonym) > MIN_LETTERS))
    similarity = max(_similarity(name, one) for one in compared)
    return (2, -similarity) if similarity >= MIN_SIMILARITY else None


def _is_whole_line(name: str) -> bool:
    too_much = len(name) > MAX_CHARACTERS or len(DELIMITERS.findall(name)) > 1
    return too_much or {"sku", "name", "description"} <= set(_words(name).split())


def _words(name: str) -> str:
    """Return a name's words without case and punctuation: `body_html` and `Body (HTML)` are `body html`."""
    return " ".join(re.findall(r"[^\W_]+", LOCALE.sub("", name).casefold()))


def _similarity(name: str, synonym: str) -> float:
    matcher = SequenceMatcher(None, name, synonym, autojunk=False)
    # The quick ratios are upper bounds and much cheaper.
    can_match = matcher.real_quick_ratio() >= MIN_SIMILARITY and matcher.quick_ratio() >= MIN_SIMILARITY
    return matcher.ratio() if can_match else 0.0


def _is_empty(sample: Sequence[Sequence[str]], position: int) -> bool:
    return not any(trim(value) for value in _values(sample, position))


def _can_be(field: str, sample: Sequence[Sequence[str]], position: int) -> bool:
    return field != "active" or all(map(is_active_word, _values(sample, position)))


def _values(sample: Sequence[Sequence[str]], position: int) -> list[str]:
    return [row[position] for row in sample if position < len(row)]
