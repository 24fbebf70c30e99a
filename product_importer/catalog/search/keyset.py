"""Page by cursor: the order of a list, and the condition for the rows after the last one of a page.

A page costs the same wherever it starts. Rows that come or go meanwhile neither repeat nor hide others.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, UnaryExpression, literal, tuple_

from product_importer.catalog.models import PRODUCTS
from product_importer.catalog.schemas import ProductQuery
from product_importer.core.pagination import Cursor, PageQuery, invalid_cursor

# The fields of a query that say which page of a list is wanted; the others say which list.
OF_PAGE = frozenset({*PageQuery.model_fields, "cursor", "sort"})


@dataclass(frozen=True)
class SortKey:
    """A column that a list is sorted by, and how a cursor writes and reads its value."""

    column: Any
    write: Callable[[Row[Any]], str]
    read: Callable[[str], Any]


ID = SortKey(PRODUCTS.c.id, lambda product: product.id.hex, UUID)
SKU_KEY = SortKey(PRODUCTS.c.sku_key, lambda product: product.sku_key, str)
NAME = SortKey(PRODUCTS.c.name, lambda product: product.name, str)


def _read_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment needs its offset")
    return moment.astimezone(UTC)


def _write_updated_at(product: Row[Any]) -> str:
    moment: datetime = product.updated_at
    return moment.astimezone(UTC).isoformat()


# The last key of each order is unique, or a row could be on two pages. UUIDv7 sort by creation, so the primary key
# serves that order without an index of its own.
SORTS: dict[str, tuple[SortKey, ...]] = {
    "created_at": (ID,),
    "updated_at": (SortKey(PRODUCTS.c.updated_at, _write_updated_at, _read_moment), ID),
    "sku": (SKU_KEY,),
    "name": (NAME, ID),
}


@dataclass(frozen=True)
class PageStart:
    """Where a page starts: its order, its number, and, with a cursor, the condition for the rows after it."""

    sort: str
    page: int
    filters: str
    order_by: tuple[UnaryExpression[Any], ...]
    where: tuple[ColumnElement[bool], ...] = ()

    def next_cursor(self, last: Row[Any]) -> str:
        """Return the cursor of the next page; `last` is the last product of this one."""
        values = tuple(key.write(last) for key in _keys(self.sort))
        return Cursor(self.sort, self.page + 1, values, self.filters).encode()


def page_start(query: ProductQuery) -> PageStart:
    """Return where the page of `query` starts. By page number, the caller adds the offset.

    Raises:
        Unprocessable: the cursor is invalid, or contradicts `page`, `sort` or the filters.
    """
    filters = _digest(query)
    if not query.cursor:
        return PageStart(query.sort, query.page, filters, order(query.sort))
    if "page" in query.model_fields_set:
        raise invalid_cursor("Give either a cursor or a page, not both.")
    cursor = Cursor.decode(query.cursor)
    if cursor.sort.removeprefix("-") not in SORTS or cursor.sort.startswith("--"):
        raise invalid_cursor()
    if "sort" in query.model_fields_set and query.sort != cursor.sort:
        raise invalid_cursor(f"This cursor belongs to a list that is sorted by {cursor.sort}.")
    # A cursor of an earlier version does not tell its filters.
    if cursor.filters != filters and cursor.filters:
        raise invalid_cursor("This cursor belongs to a list with other filters. Send the same, or begin without one.")
    return PageStart(cursor.sort, cursor.page, filters, order(cursor.sort), (_after(cursor),))


@lru_cache
def order(sort: str) -> tuple[UnaryExpression[Any], ...]:
    """Return the order of a list that is sorted by `sort`, one of `SORTS` or its reverse with a leading minus."""
    return tuple(key.column.desc() if sort.startswith("-") else key.column.asc() for key in _keys(sort))


def _digest(query: ProductQuery) -> str:
    """Return what tells these filters from others."""
    chosen = query.model_dump(mode="json", exclude_defaults=True, exclude=set(OF_PAGE))
    return blake2b(json.dumps(chosen, sort_keys=True).encode(), digest_size=8).hexdigest()


def _keys(sort: str) -> tuple[SortKey, ...]:
    return SORTS[sort.removeprefix("-")]


def _after(cursor: Cursor) -> ColumnElement[bool]:
    """Return the condition for the rows after the cursor: one row comparison, which an index can serve."""
    keys = _keys(cursor.sort)
    columns = tuple_(*(key.column for key in keys))
    values = tuple_(*(literal(value, key.column.type) for key, value in zip(keys, _values(cursor), strict=True)))
    return columns < values if cursor.sort.startswith("-") else columns > values


def _values(cursor: Cursor) -> list[Any]:
    try:
        return [key.read(text) for key, text in zip(_keys(cursor.sort), cursor.after, strict=True)]
    except (ValueError, OverflowError):
        raise invalid_cursor() from None
