"""Paging by cursor: the order of a list, and the condition that lets a page begin behind another's last row.

A page costs the same wherever it stands, and rows that come or go meanwhile neither repeat nor hide others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, UnaryExpression, literal, tuple_
from sqlmodel import col

from product_importer.catalog.models import Product
from product_importer.catalog.schemas import ProductQuery
from product_importer.core.pagination import Cursor, invalid_cursor


@dataclass(frozen=True)
class Key:
    """One of the values that a list is sorted by: its column, and how it is written into a cursor and read back."""

    column: Any
    write: Callable[[Product], str]
    read: Callable[[str], Any]


ID = Key(col(Product.id), lambda product: product.id.hex, UUID)
SKU_KEY = Key(col(Product.sku_key), lambda product: product.sku_key, str)
NAME = Key(col(Product.name), lambda product: product.name, str)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment needs its offset")
    return moment.astimezone(UTC)


def _updated_at(product: Product) -> str:
    assert product.updated_at is not None
    return product.updated_at.astimezone(UTC).isoformat()


# Equal values need a last word, or a row could stand on two pages. UUIDv7 sort by creation, so the primary key
# serves the order of creation without an index of its own.
SORTS: dict[str, tuple[Key, ...]] = {
    "created_at": (ID,),
    "updated_at": (Key(col(Product.updated_at), _updated_at, _moment), ID),
    "sku": (SKU_KEY,),
    "name": (NAME, ID),
}


@dataclass(frozen=True)
class Place:
    """Where a page of a list begins: its order, its number, and the condition for what comes behind the cursor."""

    sort: str
    page: int
    order_by: tuple[UnaryExpression[Any], ...]
    where: tuple[ColumnElement[bool], ...] = ()

    def next_cursor(self, last: Product) -> str:
        """Return the cursor of the page that begins behind `last`."""
        return Cursor(self.sort, self.page + 1, tuple(key.write(last) for key in _keys(self.sort))).encode()


def place(query: ProductQuery) -> Place:
    """Return where the page that `query` asks for begins; by page number, the offset is the caller's to add.

    Raises:
        Unprocessable: the cursor is not one of this list, or something beside it contradicts it.
    """
    if not query.cursor:
        return Place(query.sort, query.page, _order(query.sort))
    if "page" in query.model_fields_set:
        raise invalid_cursor("Give either a cursor or a page, not both.")
    cursor = Cursor.decode(query.cursor)
    if cursor.sort.removeprefix("-") not in SORTS or cursor.sort.startswith("--"):
        raise invalid_cursor()
    if "sort" in query.model_fields_set and query.sort != cursor.sort:
        raise invalid_cursor(f"This cursor is of a list that is sorted by {cursor.sort}.")
    return Place(cursor.sort, cursor.page, _order(cursor.sort), (_behind(cursor),))


def _keys(sort: str) -> tuple[Key, ...]:
    return SORTS[sort.removeprefix("-")]


def _order(sort: str) -> tuple[UnaryExpression[Any], ...]:
    return tuple(key.column.desc() if sort.startswith("-") else key.column.asc() for key in _keys(sort))


def _behind(cursor: Cursor) -> ColumnElement[bool]:
    """Return the condition for the rows behind the cursor: one comparison of rows, which an index can serve."""
    keys = _keys(cursor.sort)
    columns = tuple_(*(key.column for key in keys))
    values = tuple_(*(literal(value, key.column.type) for key, value in zip(keys, _values(cursor), strict=True)))
    return columns < values if cursor.sort.startswith("-") else columns > values


def _values(cursor: Cursor) -> list[Any]:
    try:
        return [key.read(text) for key, text in zip(_keys(cursor.sort), cursor.after, strict=True)]
    except (ValueError, OverflowError):
        raise invalid_cursor() from None
