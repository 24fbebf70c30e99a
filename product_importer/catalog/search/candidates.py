"""Find candidates in the text index: products that may match, from its segments or changed since."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Select,
    TableClause,
    Text,
    and_,
    cast,
    column,
    func,
    or_,
    select,
    table,
    text,
    true,
    union,
)
from sqlalchemy.util import LRUCache
from sqlmodel import Session

from product_importer.catalog import distributed
from product_importer.catalog.models import (
    PRODUCTS,
    SEGMENT_COLUMNS,
    SEGMENT_PREFIX,
    SKU_PART,
    VALUE_END,
    product_change,
    search_segment,
)
from product_importer.catalog.schemas import ProductFilter
from product_importer.catalog.search import short_terms
from product_importer.catalog.search.filters import conditions, match_texts
from product_importer.catalog.search.short_terms import TWO_LETTERS
from product_importer.core.db import raw_connection

# If more than this share of the catalogue has changed since it was indexed, reading all products is quicker.
MAX_STALE_SHARE = 0.05

# What the transaction of a search begins with: index, changes and products are read in one snapshot. The names of
# segments are part of a statement, and change with the index: SQLAlchemy's own cache would keep up to 750 searches
# that never come again, of 0.1 MB each.
TRANSACTION: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "compiled_cache": LRUCache(50)}

TEXTS = ("sku", "name", "description", "q")
LIKE_SPECIAL = re.compile("[%_/]")
# Three letters or digits in a row, or two before or one after another character: pg_trgm pads words with two spaces
# before and one after, and only a term with a trigram narrows the search.
HAS_TRIGRAM = re.compile(r"[^\W_]{3}|[^\W_]{2}[\W_]|[\W_][^\W_]")
# Where the database's LC_CTYPE is C, as in the embedded server, pg_trgm takes only those of ASCII for letters.
HAS_ASCII_TRIGRAM = re.compile(r"[a-zA-Z0-9]{3}|[a-zA-Z0-9]{2}[^a-zA-Z0-9]|[^a-zA-Z0-9][a-zA-Z0-9]")

SEGMENTS = select(
    search_segment.c.id,
    search_segment.c.rows,
    search_segment.c.is_indexed,
    search_segment.c.attributes_indexed,
    search_segment.c.letters,
    (func.cardinality(func.show_trgm("ω")) > 0).label("has_all_letters"),
).where(search_segment.c.retired_at.is_(None))
CHANGE_COUNT = select(func.coalesce(func.sum(product_change.c.number), 0))
CHANGED = select(func.unnest(product_change.c.product_ids).label("id")).subquery("changed")
# The planner misjudges how much a term matches. The candidates are few: find them by index, and look each one up.
PLAN = text("SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")


@dataclass(frozen=True)
class Segment:
    """A segment of the text index.

    `attributes_indexed` is None if it has no attributes; `letters` are None if terms of two letters cannot be found
    by it. `has_all_letters` says whether its trigrams have more letters than those of ASCII.
    """

    number: int
    rows: int
    is_indexed: bool
    attributes_indexed: bool | None
    letters: str | None
    has_all_letters: bool

    def has_trigram(self, term: str) -> bool:
        """Return whether the index of trigrams narrows the search for a term."""
        return bool((HAS_TRIGRAM if self.has_all_letters else HAS_ASCII_TRIGRAM).search(term))

    def finds(self, field: str, term: str) -> bool:
        """Return whether the indexes can find a term by itself."""
        return self.has_trigram(term) or (field == "sku" and len(term) >= SKU_PART)

    def finds_two_letters(self, term: str) -> bool:
        """Return whether the index of trigrams can find a term because it is of two letters."""
        return bool(TWO_LETTERS.fullmatch(term)) and (self.has_all_letters or term.isascii())


def candidates(session: Session, criteria: ProductFilter, size: int) -> CompoundSelect[tuple[UUID]] | None:
    """Return the statement that selects candidates' ids; None where reading all products is as quick.

    `size` is the number of products. The planner settings of the transaction change: later statements are planned
    for a few products that are looked up.
    """
    has_texts = any(getattr(criteria, field) for field in TEXTS)
    if not has_texts and not criteria.attributes:
        return None
    segments = [Segment(*found) for found in session.execute(SEGMENTS)]
    # Without a text to narrow them, all products of such a segment would be looked up.
    lacking = 0 if has_texts else sum(segment.rows for segment in segments if segment.attributes_indexed is None)
    if int(session.scalar(CHANGE_COUNT) or 0) + lacking > size * MAX_STALE_SHARE:
        return None
    in_segments = [_in_segment(segment, criteria) for segment in segments]
    session.execute(PLAN)
    if distributed.is_distributed(raw_connection(session)):
        # They are checked when all candidates are.
        return union(*in_segments, select(CHANGED.c.id))
    matching = select(PRODUCTS.c.id).where(PRODUCTS.c.id == CHANGED.c.id, *conditions(PRODUCTS.c, criteria))
    # LIMIT leaves no plan but a look-up for each. A join would go by statistics, which after an import are those from
    # before it, and has compared each match with each changed product.
    return union(*in_segments, select(CHANGED.c.id).join_from(CHANGED, matching.limit(1).lateral(), true()))


def _in_segment(segment: Segment, criteria: ProductFilter) -> Select[tuple[UUID]]:
    """Return the statement that selects one segment's candidates, by its indexes where they can find a term.

    A segment without indexes is read as a whole. Its texts are in lower case, so that this takes half as long as
    reading the products.
    """
    entries = table(f"{SEGMENT_PREFIX}{segment.number}", *(column(name) for name in SEGMENT_COLUMNS))
    # Two letters are followed by any of many: other terms narrow the search by less work.
    terms = [(field, getattr(criteria, field)) for field in TEXTS] + list(criteria.attributes.items())
    letters = None if any(segment.finds(*given) for given in terms) else segment.letters

    def contains(field: str, term: str) -> ColumnElement[bool]:
        # Where name and description are read for a term, the parts of all SKUs would be made for nothing.
        has_index = term == criteria.sku or segment.has_trigram(term)
        if segment.is_indexed and field == "sku" and len(term) >= SKU_PART and has_index:
            return _has_parts(entries.c.sku, func.lower(term))
        return _has_text(segment, entries.c[field], term, letters if segment.is_indexed else None)

    found = match_texts(criteria, contains)
    if segment.attributes_indexed is not None:
        for name, term in criteria.attributes.items():
            found += _in_attribute(segment, entries, name, term, letters if segment.attributes_indexed else None)
    return select(entries.c.product_id).where(*found)


def _has_text(segment: Segment, entry: ColumnElement[str], term: str, letters: str | None) -> ColumnElement[bool]:
    """Compare so that the index of trigrams is used where it helps; `letters` are None if two are not found by it.

    A segment's texts are in PostgreSQL's lower case, which is not always Python's.
    """
    if segment.has_trigram(term):
        literal = LIKE_SPECIAL.sub(r"/\g<0>", term)
        return entry.like(func.lower(f"%{literal}%"), escape="/")
    if letters is not None and segment.finds_two_letters(term):
        return or_(*short_terms.contains(entry, term, letters))
    # LIKE would read the whole index of trigrams for it, which takes longer than reading the texts.
    return func.strpos(entry, func.lower(term)) > 0


def _in_attribute(
    segment: Segment, entries: TableClause, name: str, term: str, letters: str | None
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions on one attribute: its name, the term in any value, the term in its own value."""
    names, values = entries.c.attribute_names, entries.c.attribute_values
    named = cast([name], ARRAY(Text))
    yield names.op("@>", is_comparison=True)(named)
    if not term:
        return
    stored = term.replace(VALUE_END, " ")
    yield _has_text(segment, values, stored, letters)
    own = func.split_part(values, VALUE_END, func.array_position(names, cast(name, Text)))
    # Checked here, the values of other attributes cost no look-up of a product.
    yield func.strpos(own, func.lower(stored)) > 0


def _has_parts(sku: ColumnElement[str], term: ColumnElement[str]) -> ColumnElement[bool]:
    """Compare so that only the index of SKU parts is used; LIKE would use that of trigrams, too."""
    parts = func.product_sku_parts(sku, SKU_PART).collate("C").op("@>", is_comparison=True)
    return and_(parts(func.product_sku_parts(term, SKU_PART)), func.strpos(sku, term) > 0)
