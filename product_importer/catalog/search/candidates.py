"""Find candidates in the text index: products that may match, from its segments or changed since."""

import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    column,
    func,
    or_,
    select,
    table,
    text,
    true,
    union,
)
from sqlmodel import Session

from product_importer.catalog.models import (
    PRODUCTS,
    SEGMENT_COLUMNS,
    SEGMENT_PREFIX,
    SKU_PART,
    product_change,
    search_segment,
)
from product_importer.catalog.schemas import ProductFilter
from product_importer.catalog.search import short_terms
from product_importer.catalog.search.filters import conditions, match_texts
from product_importer.catalog.search.short_terms import TWO_LETTERS

# If more than this share of the catalogue has changed since it was indexed, reading all products is quicker.
MAX_STALE_SHARE = 0.05

TEXTS = ("sku", "name", "description", "q")
LIKE_SPECIAL = re.compile("[%_/]")
# Three letters or digits in a row, or two before or one after another character: pg_trgm pads words with two spaces
# before and one after, and only a term with a trigram narrows the search.
HAS_TRIGRAM = re.compile(r"[^\W_]{3}|[^\W_]{2}[\W_]|[\W_][^\W_]")

SEGMENTS = select(search_segment.c.id, search_segment.c.is_indexed, search_segment.c.letters).where(
    search_segment.c.retired_at.is_(None)
)
CHANGE_COUNT = select(func.coalesce(func.sum(product_change.c.number), 0))
CHANGED = select(func.unnest(product_change.c.product_ids).label("id")).subquery("changed")
# The planner misjudges how much a term matches. The candidates are few: find them by index, and look each one up.
PLAN = text("SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")


@dataclass(frozen=True)
class Segment:
    """A segment of the text index; `letters` are None if terms of two letters cannot be found by it."""

    number: int
    is_indexed: bool
    letters: str | None


def candidates(session: Session, criteria: ProductFilter, size: int) -> CompoundSelect[tuple[UUID]] | None:
    """Return the statement that selects candidates' ids; None where reading all products is as quick.

    `size` is the number of products. The planner settings of the transaction change: later statements are planned
    for a few products that are looked up.
    """
    if not any(getattr(criteria, field) for field in TEXTS) or _is_stale(session, size):
        return None
    in_segments = [_in_segment(Segment(*found), criteria) for found in session.execute(SEGMENTS)]
    session.execute(PLAN)
    matching = select(PRODUCTS.c.id).where(PRODUCTS.c.id == CHANGED.c.id, *conditions(PRODUCTS.c, criteria))
    # LIMIT leaves no plan but a look-up for each. A join would go by statistics, which after an import are those from
    # before it, and has compared each match with each changed product.
    return union(*in_segments, select(CHANGED.c.id).join_from(CHANGED, matching.limit(1).lateral(), true()))


def _is_stale(session: Session, size: int) -> bool:
    """Return whether so much has changed that reading all products is quicker."""
    return int(session.scalar(CHANGE_COUNT) or 0) > size * MAX_STALE_SHARE


def _in_segment(segment: Segment, criteria: ProductFilter) -> Select[tuple[UUID]]:
    """Return the statement that selects one segment's candidates, by its indexes where they can find a term.

    A segment without indexes is read as a whole. Its texts are in lower case, so that this takes half as long as
    reading the products.
    """
    entries = table(f"{SEGMENT_PREFIX}{segment.number}", *(column(name) for name in SEGMENT_COLUMNS))
    # Two letters are followed by any of many: other terms narrow the search by less work.
    alone = not any(_is_indexed(field, getattr(criteria, field)) for field in TEXTS)

    def contains(field: str, term: str) -> ColumnElement[bool]:
        # A segment's texts are in PostgreSQL's lower case, which is not always Python's.
        entry = entries.c[field]
        if segment.is_indexed and field == "sku" and len(term) >= SKU_PART:
            return _has_parts(entry, func.lower(term))
        if HAS_TRIGRAM.search(term):
            literal = LIKE_SPECIAL.sub(r"/\g<0>", term)
            return entry.like(func.lower(f"%{literal}%"), escape="/")
        if segment.is_indexed and segment.letters is not None and alone and TWO_LETTERS.fullmatch(term):
            return or_(*short_terms.contains(entry, term, segment.letters))
        # LIKE would read the whole index of trigrams for it, which takes longer than reading the texts.
        return func.strpos(entry, func.lower(term)) > 0

    return select(entries.c.product_id).where(*match_texts(criteria, contains))


def _is_indexed(field: str, term: str) -> bool:
    """Return whether a segment's indexes can find a term by itself."""
    return bool(HAS_TRIGRAM.search(term)) or (field == "sku" and len(term) >= SKU_PART)


def _has_parts(sku: ColumnElement[str], term: ColumnElement[str]) -> ColumnElement[bool]:
    """Compare so that only the index of SKU parts is used; LIKE would use that of trigrams, too."""
    parts = func.product_sku_parts(sku, SKU_PART).collate("C").op("@>", is_comparison=True)
    return and_(parts(func.product_sku_parts(term, SKU_PART)), func.strpos(sku, term) > 0)
