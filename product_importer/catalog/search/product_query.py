"""Finding products: always right, also about rows written a second ago, and quick in catalogues of millions.

Texts are looked up in the segments of a trigram index that `indexer` builds beside the table. What was written
since then stands in `product_change`. Both only propose candidates: every product found is checked itself, so an
outdated index costs time and never a wrong answer. Terms that match a lot need no index at all: the first rows of
the list already hold a page of them, and a random sample tells about how many there are.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg2.errors import QueryCanceled
from sqlalchemy import CTE, CompoundSelect, Select, case, func, join, outerjoin, select, text, true
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.util import ClauseAdapter
from sqlmodel import Session, col

from product_importer.catalog.models import PRODUCTS, Product, product_count
from product_importer.catalog.schemas import ProductQuery
from product_importer.catalog.search import estimate
from product_importer.catalog.search.candidates import proposed
from product_importer.catalog.search.filters import conditions
from product_importer.catalog.search.keyset import Place, place
from product_importer.core.errors import Unprocessable
from product_importer.core.problem_types import ProblemType

TIMEOUT_SECONDS = 5
# Up to about so many matches, or this share of the catalogue, the index is asked; beyond, the list is walked.
# A catalogue that is no larger is read.
MAX_ASKED = 5_000
MAX_ASKED_SHARE = 0.003
# Up to so many are looked up for an exact total.
MAX_COUNTED = 2_000
# A walk is worth it where its page ends within so many rows, and so many times the way it is if matches are spread
# evenly. They are not where they share a part of their SKU and came in its order: then the index is asked, unless
# they are more than this share of the catalogue, or so many that this takes seconds.
NEAR_ROWS = 1_000
NEAR_TIMES = 2
MAX_FOUND_SHARE = 0.1
MAX_FOUND = 250_000
# The most rows that a page number may skip, from whichever end of the list is nearer; a cursor skips none.
MAX_SKIPPED = 250_000

# For a walk: the planner takes every term for a rare one, and would sort the whole table.
IN_ORDER = text("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
SIZE = select(func.coalesce(func.sum(product_count.c.delta), 0))

# What an index gives the order of, without a look at the products.
INDEXED = {"created_at": col(Product.id), "sku": col(Product.sku_key)}

SORTED_BY = (col(Product.sku_key), col(Product.name), col(Product.updated_at))


@dataclass(frozen=True)
class Found:
    """A page of products, how many there are in all, and whether more follow."""

    items: list[Product]
    total: int
    total_is_exact: bool
    has_next: bool


def find(session: Session, query: ProductQuery, begins: Place) -> Found:
    """Return the page of products that begins at `begins`.

    Must be called first in its transaction, for it sets the isolation level: the index, the changes since, and
    the products are looked at in one snapshot.

    Raises:
        Unprocessable: the page lies too deep, or PostgreSQL took longer than `TIMEOUT_SECONDS`.
    """
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    session.execute(text(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'"))
    try:
        return Search(session, query, begins).run()
    except OperationalError as error:
        if not isinstance(error.orig, QueryCanceled):
            raise
        raise Unprocessable(
            f"The search took longer than {TIMEOUT_SECONDS} s. Give longer terms, or another order.",
            kind=ProblemType.SEARCH_TOO_SLOW,
            title="The search takes too long",
        ) from error


def catalogue_size(session: Session) -> int:
    """Return how many products there are, exactly and at once, however many."""
    return int(session.scalar(SIZE) or 0)


class Search:
    """One search: chooses how to find the page."""

    def __init__(self, session: Session, query: ProductQuery, begins: Place):
        self._session = session
        self._query = query
        self._begins = begins
        self._conditions = conditions(PRODUCTS.c, query)
        self._offset = 0 if begins.where else query.offset

    def run(self) -> Found:
        """Return the page."""
        size = catalogue_size(self._session)
        if not self._conditions:
            return self._page_of_all(size)
        if size <= MAX_ASKED:
            return self._page_of_hits(self._all_hits())
        few = max(MAX_ASKED, size * MAX_ASKED_SHARE)
        expected = estimate.estimate(self._session, self._query, size, few)
        are_many = expected.total > few and not expected.is_local
        if are_many and (found := self._page_of_many(size, expected.total)):
            return found
        ids = proposed(self._session, self._query, size)
        if ids is None:
            return self._page_of_hits(self._all_hits())
        if self._begins.sort.endswith("created_at"):
            return self._page_of_proposed(ids)
        return self._page_of_hits(self._all_hits().where(PRODUCTS.c.id.in_(ids)))

    def _page_of_all(self, size: int) -> Found:
        behind = size - self._offset - self._query.page_size
        if self._begins.where or self._offset <= behind:
            self._refuse_too_deep(self._offset)
            return self._found(self._walk(self._begins, self._offset, self._query.page_size + 1), size, exact=True)
        # The list's end is nearer: walk from there, and turn the page round.
        self._refuse_too_deep(max(0, behind))
        flipped = place(self._query.model_copy(update={"sort": _flipped(self._query.sort)}))
        wanted = max(0, min(self._query.page_size, size - self._offset))
        rows = self._walk(flipped, max(0, behind), wanted)
        return Found(rows[::-1], size, total_is_exact=True, has_next=behind > 0)

    def _page_of_many(self, size: int, expected: int) -> Found | None:
        """Matches are so common that a page of them comes soon; None where that turns out wrong."""
        wanted = self._query.page_size + 1
        # What has to be sorted first never stops early.
        if self._begins.sort.removeprefix("-") in INDEXED:
            if expected <= min(MAX_FOUND, size * MAX_FOUND_SHARE):
                rows = self._walk_near(NEAR_ROWS + NEAR_TIMES * (self._offset + wanted) * size // expected)
                return self._found(rows, expected, exact=False) if len(rows) == wanted else None
            self._session.execute(IN_ORDER)
        self._refuse_too_deep(self._offset)
        return self._found(self._walk(self._begins, self._offset, wanted), expected, exact=False)

    def _walk_near(self, reach: int) -> list[Product]:
        """Read so many rows of the list in its order, or fewer until the page is full."""
        near = select(PRODUCTS).where(*self._begins.where).order_by(*self._begins.order_by).limit(reach).subquery()
        of_near = ClauseAdapter(near).traverse
        matches = (
            select(near.c.id).where(*map(of_near, self._conditions)).order_by(*map(of_near, self._begins.order_by))
        )
        ids = matches.offset(self._offset).limit(self._query.page_size + 1)
        page = select(Product).where(PRODUCTS.c.id.in_(ids)).order_by(*self._begins.order_by)
        return list(self._session.scalars(page))

    def _page_of_hits(self, chosen: Select[tuple[UUID]]) -> Found:
        """All matches are found once, for the page and for the exact total; only the page's products are fetched."""
        found = chosen.add_columns(*SORTED_BY)
        hits = found.cte("hits").prefix_with("MATERIALIZED", dialect="postgresql")
        total = select(func.count()).select_from(hits)
        of_hits = ClauseAdapter(hits).traverse
        ids = (
            select(hits.c.id)
            .where(*map(of_hits, self._begins.where))
            .order_by(*map(of_hits, self._begins.order_by))
            .offset(self._offset)
            .limit(self._query.page_size + 1)
        )
        page = (
            select(Product, total.scalar_subquery()).where(col(Product.id).in_(ids)).order_by(*self._begins.order_by)
        )
        rows = self._session.execute(page).all()
        if not rows:
            # Behind the last page nothing carries the total along.
            return Found([], self._session.scalar(total) or 0, total_is_exact=True, has_next=False)
        return self._found([product for product, _ in rows], rows[0][1], exact=True)

    def _page_of_proposed(self, proposals: CompoundSelect[tuple[UUID]]) -> Found:
        """What the index proposes is walked in the order of creation, and looked up as far as the page goes.

        Nearly all of that matches, so where it is much, its number is a good estimate of the total.
        """
        ids = proposals.cte("ids").prefix_with("MATERIALIZED", dialect="postgresql")
        number = select(func.count()).select_from(ids).scalar_subquery()
        matches = select(func.count()).where(PRODUCTS.c.id.in_(select(ids)), *self._conditions).scalar_subquery()
        totals = select(number.label("number"), case((number <= MAX_COUNTED, matches)).label("exact")).subquery()
        page = self._looked_up(ids).subquery()
        found = outerjoin(totals, join(page, Product, col(Product.id) == page.c.id), true())
        statement = select(Product, totals).select_from(found).order_by(*self._begins.order_by)
        rows = self._session.execute(statement).all()
        products, (_, number, exact) = [product for product, _, _ in rows if product], rows[0]
        if exact is None and self._offset and not products:
            # Behind the end, whoever asked has to be told where that is.
            return self._page_of_hits(self._all_hits().where(PRODUCTS.c.id.in_(proposals)))
        return self._found(products, number if exact is None else exact, exact is not None)

    def _looked_up(self, ids: CTE) -> Select[tuple[UUID]]:
        """Return the statement that looks up one after the other until the page is full."""
        [id] = ids.c
        is_descending = self._begins.sort.startswith("-")
        asked = select(id.label("id")).order_by(id.desc() if is_descending else id).subquery()
        found = select(PRODUCTS.c.id).where(PRODUCTS.c.id == asked.c.id, *self._conditions, *self._begins.where)
        # The order stops the look-ups at the page's end: of any other plan nothing would be known to be the first.
        page = select(asked.c.id).join_from(asked, found.limit(1).lateral(), true())
        page = page.order_by(asked.c.id.desc() if is_descending else asked.c.id)
        return page.offset(self._offset).limit(self._query.page_size + 1)

    def _walk(self, begins: Place, skipped: int, wanted: int) -> list[Product]:
        """Read the list in its order until there are enough."""

        def page(what: Any) -> Any:
            chosen = select(what).where(*self._conditions, *begins.where)
            return chosen.order_by(*begins.order_by).offset(skipped).limit(wanted)

        key = INDEXED.get(begins.sort.removeprefix("-"))
        if key is None or not skipped or self._conditions:
            return list(self._session.scalars(page(Product)))
        # The keys first, from the index alone: skipping then touches no product.
        return list(self._session.scalars(select(Product).where(key.in_(page(key))).order_by(*begins.order_by)))

    def _found(self, rows: list[Product], total: int, exact: bool) -> Found:
        page = rows[: self._query.page_size]
        has_next = len(rows) > len(page)
        passed = self._offset + len(rows)
        if exact or self._begins.where:
            return Found(page, total, exact, has_next)
        if rows or not self._offset:
            # Where the list ends, it is known how many came before.
            return Found(page, max(total, passed) if has_next else passed, not has_next, has_next)
        # Behind the end: there are no more than were skipped.
        return Found(page, min(total, self._offset), total_is_exact=False, has_next=False)

    def _all_hits(self) -> Select[tuple[UUID]]:
        return select(PRODUCTS.c.id).where(*self._conditions)

    def _refuse_too_deep(self, skipped: int) -> None:
        if skipped <= MAX_SKIPPED:
            return
        message = (
            f"Page {self._query.page:,} begins more than {MAX_SKIPPED:,} rows from either end of the list. "
            "Narrow the list, or follow next_cursor."
        )
        raise Unprocessable(message, errors=[{"field": "page", "message": message}])


def _flipped(sort: str) -> str:
    return sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"
