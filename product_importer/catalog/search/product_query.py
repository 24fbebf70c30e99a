"""Find products: always correct, also right after a change, and fast in catalogues of millions.

The text index, which `indexer` builds beside the table, and `product_change`, which notes later changes, only give
candidates. Every candidate is checked in the product table, so an outdated index costs time but never a wrong answer.
Filters that match a lot need no index: a scan in the list's order soon fills a page, and a random sample estimates
the total.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg2.errors import QueryCanceled
from sqlalchemy import (
    CTE,
    CompoundSelect,
    Integer,
    Row,
    Select,
    bindparam,
    case,
    func,
    join,
    outerjoin,
    select,
    text,
    true,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.util import ClauseAdapter
from sqlmodel import Session

from product_importer.catalog import distributed
from product_importer.catalog.models import PRODUCTS, product_count
from product_importer.catalog.schemas import ProductQuery
from product_importer.catalog.search import estimate
from product_importer.catalog.search.candidates import TRANSACTION, candidates
from product_importer.catalog.search.filters import conditions
from product_importer.catalog.search.keyset import PageStart, order, page_start
from product_importer.core.db import LIMIT_OPTION, raw_connection, read_alone
from product_importer.core.errors import Unprocessable
from product_importer.core.problem_types import ProblemType

TIMEOUT_SECONDS = 5
# The index is used for up to about this many matches, or this share of the catalogue; for more, the list is scanned.
# A catalogue of at most this size is read as a whole.
MAX_INDEXED = 5_000
MAX_INDEXED_SHARE = 0.003
# Up to this many candidates are checked for an exact total.
MAX_COUNTED = 2_000
# Up to this many products of one import are counted.
MAX_COUNTED_OF_IMPORT = 100_000
# A bounded scan reads this multiple of the rows in which evenly spread matches fill the page, and this many more. If
# that does not fill the page, the matches are clustered, such as SKUs with a common part: the index is used instead.
BOUNDED_SCAN_FACTOR = 2
BOUNDED_SCAN_ROWS = 1_000
# For more matches than this, or than this share of the catalogue, the index would take seconds: no bound.
MAX_BOUNDED = 250_000
MAX_BOUNDED_SHARE = 0.1
# The most rows that a page number may skip, from the nearer end of the list. A cursor skips none.
MAX_SKIPPED = 250_000

# The planner takes every term for a rare one, and would sort the whole table.
SCAN_IN_ORDER = text("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
CATALOGUE_SIZE = select(func.coalesce(func.sum(product_count.c.delta), 0))

# The orders that an index has, without reading products.
INDEXED_SORTS = {"created_at": PRODUCTS.c.id, "sku": PRODUCTS.c.sku_key}
SORT_COLUMNS = (PRODUCTS.c.sku_key, PRODUCTS.c.name, PRODUCTS.c.updated_at)


@dataclass(frozen=True)
class SearchResult:
    """A page of products, how many match in all, and whether more follow.

    Products are rows of the table, not objects of its model: making those took a third of the time of a page.
    """

    items: list[Row[Any]]
    total: int
    total_is_exact: bool
    has_next: bool


def find(session: Session, query: ProductQuery, start: PageStart) -> SearchResult:
    """Return the page of products that starts at `start`.

    Must be called first in its transaction, because it sets the isolation level: index, changes and products are read
    in one snapshot.

    Raises:
        Unprocessable: the page skips more than `MAX_SKIPPED` rows, or the search took longer than `TIMEOUT_SECONDS`.
    """
    search = Search(session, query, start)
    try:
        if search.is_from_here:
            read_alone(session, TIMEOUT_SECONDS)
            return search.page_from_here()
        session.connection(execution_options=TRANSACTION | {LIMIT_OPTION: TIMEOUT_SECONDS})
        return search.run()
    except OperationalError as error:
        if not isinstance(error.orig, QueryCanceled):
            raise
        raise Unprocessable(
            f"The search took longer than {TIMEOUT_SECONDS} s. Use longer terms or another order.",
            kind=ProblemType.SEARCH_TOO_SLOW,
            title="The search takes too long",
        ) from error


def is_quick(query: ProductQuery) -> bool:
    """Whether a page is surely found at once: the first one of all products, in an order that an index has."""
    is_first = query.page == 1 and not query.cursor
    return is_first and query.sort.removeprefix("-") in INDEXED_SORTS and not conditions(PRODUCTS.c, query)


def catalogue_size(session: Session) -> int:
    """Return the exact number of products, in the same time for any number."""
    return int(session.scalar(CATALOGUE_SIZE) or 0)


class Search:
    """One search, which chooses how to find the page."""

    def __init__(self, session: Session, query: ProductQuery, start: PageStart):
        self._session = session
        self._query = query
        self._start = start
        self._conditions = conditions(PRODUCTS.c, query)
        self._offset = 0 if start.where else query.offset

    @property
    def is_from_here(self) -> bool:
        """Whether the page is one of all products, and skips none."""
        return not self._conditions and not self._offset

    def page_from_here(self) -> SearchResult:
        """Return a page of all products that skips none, with their number: in one statement, as it is asked most."""
        page = _numbered(self._start.sort)
        if self._start.where:
            page = page.where(*self._start.where)
        rows = list(self._session.execute(page, {"wanted": self._query.page_size + 1}).all())
        if rows:
            return self._result(rows, rows[0].size, exact=True)
        # Without a cursor, the same statement has seen that there is no product.
        return self._result(rows, catalogue_size(self._session) if self._start.where else 0, exact=True)

    def run(self) -> SearchResult:
        """Return any other page."""
        size = catalogue_size(self._session)
        if not self._conditions:
            return self._page_of_catalogue(size)
        if size <= MAX_INDEXED:
            return self._page_of_matches(self._matching_ids())
        if self._is_of_import_alone() and self._start.sort.endswith("created_at"):
            return self._page_of_import(size)
        few = max(MAX_INDEXED, size * MAX_INDEXED_SHARE)
        expected = estimate.estimate(self._session, self._query, size, few)
        are_many = expected.total > few and not expected.is_clustered
        if are_many and (found := self._scan_for_page(size, expected.total)):
            return found
        ids = candidates(self._session, self._query, size)
        if ids is None:
            return self._page_of_matches(self._matching_ids())
        # Nodes look up no candidate after the other.
        if self._start.sort.endswith("created_at") and not distributed.is_distributed(raw_connection(self._session)):
            return self._page_of_candidates(ids)
        return self._page_of_matches(self._matching_ids().where(PRODUCTS.c.id.in_(ids)))

    def _page_of_catalogue(self, size: int) -> SearchResult:
        """Return a page of all products; where the list's end is nearer, read from there."""
        rows_after = size - self._offset - self._query.page_size
        if self._offset <= rows_after:
            self._limit_skipped(self._offset)
            return self._result(self._scan(self._start, self._offset, self._query.page_size + 1), size, exact=True)
        self._limit_skipped(max(0, rows_after))
        from_end = page_start(self._query.model_copy(update={"sort": _reversed(self._query.sort)}))
        wanted = max(0, min(self._query.page_size, size - self._offset))
        rows = self._scan(from_end, max(0, rows_after), wanted)
        return SearchResult(rows[::-1], size, total_is_exact=True, has_next=rows_after > 0)

    def _is_of_import_alone(self) -> bool:
        """Whether the list holds all products that an import created."""
        return self._query.import_id is not None and len(self._conditions) == 1

    def _page_of_import(self, size: int) -> SearchResult:
        """Return a page of an import's products: their ids are one range, which the index has in this order."""
        self._limit_skipped(self._offset)
        rows = self._scan(self._start, self._offset, self._query.page_size + 1)
        counted = self._matching_ids().limit(MAX_COUNTED_OF_IMPORT + 1).subquery()
        total = self._session.scalar(select(func.count()).select_from(counted)) or 0
        if total <= MAX_COUNTED_OF_IMPORT:
            return self._result(rows, total, exact=True)
        expected = estimate.estimate(self._session, self._query, size, few=0).total
        return self._result(rows, max(total, expected), exact=False)

    def _scan_for_page(self, size: int, expected: int) -> SearchResult | None:
        """Scan for a page of common matches; None where a bounded scan does not fill it."""
        wanted = self._query.page_size + 1
        # In other orders everything must be sorted first, so that a scan never stops early.
        if self._start.sort.removeprefix("-") in INDEXED_SORTS:
            if expected <= min(MAX_BOUNDED, size * MAX_BOUNDED_SHARE):
                bound = BOUNDED_SCAN_ROWS + BOUNDED_SCAN_FACTOR * (self._offset + wanted) * size // expected
                rows = self._bounded_scan(bound)
                return self._result(rows, expected, exact=False) if len(rows) == wanted else None
            self._session.execute(SCAN_IN_ORDER)
        self._limit_skipped(self._offset)
        return self._result(self._scan(self._start, self._offset, wanted), expected, exact=False)

    def _bounded_scan(self, bound: int) -> list[Row[Any]]:
        """Return the page's matches among the first `bound` rows of the list."""
        first = select(PRODUCTS).where(*self._start.where).order_by(*self._start.order_by).limit(bound).subquery()
        of_first = ClauseAdapter(first).traverse
        matches = (
            select(first.c.id).where(*map(of_first, self._conditions)).order_by(*map(of_first, self._start.order_by))
        )
        ids = matches.offset(self._offset).limit(self._query.page_size + 1)
        page = select(PRODUCTS).where(PRODUCTS.c.id.in_(ids)).order_by(*self._start.order_by)
        return list(self._session.execute(page))

    def _page_of_matches(self, matching: Select[tuple[UUID]]) -> SearchResult:
        """Find all matches once, for the page and the exact total, and fetch only the page's products."""
        matches = matching.add_columns(*SORT_COLUMNS).cte("matches").prefix_with("MATERIALIZED", dialect="postgresql")
        total = select(func.count()).select_from(matches)
        of_matches = ClauseAdapter(matches).traverse
        ids = (
            select(matches.c.id)
            .where(*map(of_matches, self._start.where))
            .order_by(*map(of_matches, self._start.order_by))
            .offset(self._offset)
            .limit(self._query.page_size + 1)
        )
        numbered = select(PRODUCTS, total.scalar_subquery().label("total"))
        page = numbered.where(PRODUCTS.c.id.in_(ids)).order_by(*self._start.order_by)
        rows = list(self._session.execute(page))
        if not rows:
            # On the first page there is no match at all; after the last one, no row has the total.
            is_first = not self._offset and not self._start.where
            found = 0 if is_first else self._session.scalar(total) or 0
            return SearchResult([], found, total_is_exact=True, has_next=False)
        return self._result(rows, rows[0].total, exact=True)

    def _page_of_candidates(self, candidate_ids: CompoundSelect[tuple[UUID]]) -> SearchResult:
        """Check the candidates in the order of creation until the page is full.

        Nearly all of them match, so their number is a good estimate of a total above `MAX_COUNTED`.
        """
        ids = candidate_ids.cte("ids").prefix_with("MATERIALIZED", dialect="postgresql")
        number = select(func.count()).select_from(ids).scalar_subquery()
        matches = select(func.count()).where(PRODUCTS.c.id.in_(select(ids)), *self._conditions).scalar_subquery()
        totals = select(number.label("number"), case((number <= MAX_COUNTED, matches)).label("exact")).subquery()
        page = self._checked_ids(ids).subquery()
        found = outerjoin(totals, join(page, PRODUCTS, PRODUCTS.c.id == page.c.id), true())
        statement = select(PRODUCTS, totals).select_from(found).order_by(*self._start.order_by)
        rows = list(self._session.execute(statement))
        products, number, exact = [row for row in rows if row.id], rows[0].number, rows[0].exact
        if exact is None and self._offset and not products:
            # The page is after the end of the list: only an exact total tells where that is.
            return self._page_of_matches(self._matching_ids().where(PRODUCTS.c.id.in_(candidate_ids)))
        return self._result(products, number if exact is None else exact, exact is not None)

    def _checked_ids(self, ids: CTE) -> Select[tuple[UUID]]:
        """Return the statement that looks up one candidate after the other until the page is full."""
        [id] = ids.c
        is_descending = self._start.sort.startswith("-")
        candidate = select(id.label("id")).order_by(id.desc() if is_descending else id).subquery()
        match = select(PRODUCTS.c.id).where(PRODUCTS.c.id == candidate.c.id, *self._conditions, *self._start.where)
        # The order lets the look-ups stop at the end of the page; any other plan has to look up all candidates.
        page = select(candidate.c.id).join_from(candidate, match.limit(1).lateral(), true())
        page = page.order_by(candidate.c.id.desc() if is_descending else candidate.c.id)
        return page.offset(self._offset).limit(self._query.page_size + 1)

    def _scan(self, start: PageStart, skipped: int, wanted: int) -> list[Row[Any]]:
        """Read the list in its order until there are enough matches."""

        def page(what: Any) -> Any:
            matching = select(what).where(*self._conditions, *start.where)
            return matching.order_by(*start.order_by).offset(skipped).limit(wanted)

        key = INDEXED_SORTS.get(start.sort.removeprefix("-"))
        if key is None or not skipped or self._conditions:
            return list(self._session.execute(page(PRODUCTS)))
        # The keys first, from the index alone: skipping then reads no product.
        return list(self._session.execute(select(PRODUCTS).where(key.in_(page(key))).order_by(*start.order_by)))

    def _result(self, rows: list[Row[Any]], total: int, exact: bool) -> SearchResult:
        """Return the page of `rows`, which has one more where others follow; correct an estimate by what it shows."""
        page = rows[: self._query.page_size]
        has_next = len(rows) > len(page)
        passed = self._offset + len(rows)
        if exact or self._start.where:
            return SearchResult(page, total, exact, has_next)
        if rows or not self._offset:
            # On the last page, the number of rows before it is known.
            return SearchResult(page, max(total, passed) if has_next else passed, not has_next, has_next)
        # After the end, there are at most as many as were skipped.
        return SearchResult(page, min(total, self._offset), total_is_exact=False, has_next=False)

    def _matching_ids(self) -> Select[tuple[UUID]]:
        return select(PRODUCTS.c.id).where(*self._conditions)

    def _limit_skipped(self, skipped: int) -> None:
        if skipped <= MAX_SKIPPED:
            return
        message = (
            f"Page {self._query.page:,} begins more than {MAX_SKIPPED:,} rows from either end of the list. "
            "Narrow the list, or follow next_cursor."
        )
        raise Unprocessable(message, errors=[{"field": "page", "message": message}])


@lru_cache
def _numbered(sort: str) -> Select[Any]:
    """Return the statement of the first `wanted` products, each with the number of all.

    It is made once: SQLAlchemy takes a third less time for a statement that it has seen as the same object.
    """
    numbered = select(PRODUCTS, CATALOGUE_SIZE.scalar_subquery().label("size"))
    return numbered.order_by(*order(sort)).limit(bindparam("wanted", type_=Integer))


def _reversed(sort: str) -> str:
    return sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"
