"""What the text index proposes: products that may match a filter, by its segments or as written since."""

import re
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    column,
    func,
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
from product_importer.catalog.search.filters import conditions, met

# The share of the catalogue that may wait for the index before it is no help.
STALE_SHARE = 0.2

TEXTS = ("sku", "name", "description", "q")
LIKE_SPECIAL = re.compile("[%_/]")
# Three letters or digits in a row, or two before or one behind something else: pg_trgm pads words with two spaces
# before and one behind them, and only a term with a trigram narrows the search.
HAS_TRIGRAM = re.compile(r"[^\W_]{3}|[^\W_]{2}[\W_]|[\W_][^\W_]")

SEGMENTS = select(search_segment.c.id).where(search_segment.c.retired_at.is_(None))
WAITING = select(func.coalesce(func.sum(product_change.c.number), 0))
WRITTEN = select(func.unnest(product_change.c.product_ids).label("id")).subquery("written")
# The planner misjudges how much a term matches: what is asked for is little, found by index and looked up one by one.
PLAN = text("SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")


def proposed(session: Session, chosen: ProductFilter, size: int) -> CompoundSelect[tuple[UUID]] | None:
    """Return the statement that asks the index of a catalogue of that size; None where it cannot tell anything.

    What follows in the transaction is planned for a few products that are looked up.
    """
    if not any(_is_telling(field, getattr(chosen, field)) for field in TEXTS) or _is_behind(session, size):
        return None
    asked = [_candidates(number, chosen) for number in session.scalars(SEGMENTS)]
    session.execute(PLAN)
    matching = select(PRODUCTS.c.id).where(PRODUCTS.c.id == WRITTEN.c.id, *conditions(PRODUCTS.c, chosen))
    # LIMIT leaves no plan but a look-up for each: a join goes by statistics, which behind an import are those from
    # before it, and has compared each match with each product that waits.
    return union(*asked, select(WRITTEN.c.id).join_from(WRITTEN, matching.limit(1).lateral(), true()))


def _is_behind(session: Session, size: int) -> bool:
    """Whether so much waits for the index that reading all products is quicker than looking both up."""
    return int(session.scalar(WAITING) or 0) > size * STALE_SHARE


def _candidates(segment: int, chosen: ProductFilter) -> Select[tuple[UUID]]:
    """Return the statement that asks one segment; terms that tell it nothing are left to the products' check."""
    silent = {field: "" for field in TEXTS if not _is_telling(field, getattr(chosen, field))}
    telling = chosen.model_copy(update=silent)
    part = table(f"{SEGMENT_PREFIX}{segment}", *(column(name) for name in SEGMENT_COLUMNS))

    def contains(field: str, term: str) -> ColumnElement[bool]:
        # A segment's texts are in PostgreSQL's lower case, which is not always Python's.
        if field == "sku" and len(term) >= SKU_PART:
            return _has_parts(part.c.sku, func.lower(term))
        literal = LIKE_SPECIAL.sub(r"/\g<0>", term)
        return part.c[field].like(func.lower(f"%{literal}%"), escape="/")

    return select(part.c.product_id).where(*met(telling, contains))


def _is_telling(field: str, term: str) -> bool:
    return bool(HAS_TRIGRAM.search(term)) or (field == "sku" and len(term) >= SKU_PART)


def _has_parts(sku: ColumnElement[str], term: ColumnElement[str]) -> ColumnElement[bool]:
    """Compare by the index of parts, and as the index of trigrams cannot: it would be asked as well."""
    parts = func.product_sku_parts(sku, SKU_PART).collate("C").op("@>", is_comparison=True)
    return and_(parts(func.product_sku_parts(term, SKU_PART)), func.strpos(sku, term) > 0)
