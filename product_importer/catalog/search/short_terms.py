r"""Find terms of two letters by the index of trigrams, which holds parts of three characters only.

Where a text has `jq`, another letter follows, or the text ends. pg_trgm turns the regular expression `jq[a-z]` into
the trigrams `jqa` to `jqz`, and `LIKE '%jq'` into that of a word's end. It cannot do so for `jq.`, with a dot for any
character: which letters there are, a segment must know.
"""

import re
from collections.abc import Iterator

from psycopg2 import sql
from sqlalchemy import ColumnElement, func
from sqlmodel import Session

from product_importer.catalog.models import SEGMENT_PREFIX
from product_importer.core import db

TWO_LETTERS = re.compile(r"[^\W_]{2}")
ASCII = r"[\x01-\x7f]"
# pg_trgm makes trigrams of a class of up to about 200 characters, none of them above U+07FF: those are searched for
# one by one.
CLASS_SIZE = 40
LAST_IN_CLASS = "\u07ff"
# With more letters than this, as in Chinese, reading the segment is quicker.
MAX_CLASSES = 4
MAX_SINGLE = 24

# Texts of nothing but ASCII are told by their length alone.
LETTERS = sql.SQL(r"""
SELECT coalesce(string_agg(DISTINCT letter, ''), '')
FROM {segment},
    LATERAL (VALUES (sku), (name), (description) {attributes}) AS texts (content),
    LATERAL unnest(string_to_array(regexp_replace(content, '[\x01-\x7f]+', '', 'g'), NULL)) AS letter
WHERE octet_length(content) > length(content)
""")
ATTRIBUTES = sql.SQL(", (attribute_values)")
NOTHING = sql.SQL("")


def letters(session: Session, segment: int, has_attributes: bool) -> str | None:
    """Return the letters in a segment's texts that are not ASCII; None if there are too many."""
    statement = LETTERS.format(
        segment=db.identifier(f"{SEGMENT_PREFIX}{segment}"), attributes=ATTRIBUTES if has_attributes else NOTHING
    )
    found = db.execute(session, statement).scalar_one()
    classes, single = _divided(found)
    return found if len(classes) <= MAX_CLASSES and len(single) <= MAX_SINGLE else None


def contains(column: ColumnElement[str], term: str, letters: str) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of which a text with the term meets at least one; `term` is two letters.

    `letters` are those that are not ASCII in all texts.
    """
    # Its lower case is PostgreSQL's, as that of the texts. Letters are literal in regular expressions and in LIKE.
    lower = func.lower(term)
    classes, single = _divided(letters)
    for following in (ASCII, *(f"[{some}]" for some in classes)):
        yield column.regexp_match(lower.concat(following))
    for ending in ("", *(f"{letter}%" for letter in single)):
        yield column.like(func.lower(f"%{term}").concat(ending))


def _divided(letters: str) -> tuple[list[str], str]:
    """Return the letters that may be in a class, by classes, and the others."""
    small = [letter for letter in letters if letter <= LAST_IN_CLASS]
    classes = ["".join(small[place : place + CLASS_SIZE]) for place in range(0, len(small), CLASS_SIZE)]
    return classes, "".join(letter for letter in letters if letter > LAST_IN_CLASS)
