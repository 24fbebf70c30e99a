"""The listing's SQL: filters and order."""

from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, or_
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from product_importer.catalog.models import Product
from product_importer.catalog.schemas import ProductQuery

# UUIDv7 sort by creation, so the primary key serves the order of creation without an index of its own.
SORT_COLUMNS = {
    "created_at": col(Product.id),
    "updated_at": col(Product.updated_at),
    "sku": col(Product.sku_key),
    "name": col(Product.name),
}


def conditions(query: ProductQuery) -> list[ColumnElement[bool]]:
    """Return what a product must meet to be listed."""
    found = [
        col(column).icontains(term, autoescape=True)
        for column, term in (
            (Product.sku, query.sku),
            (Product.name, query.name),
            (Product.description, query.description),
        )
        if term
    ]
    if query.q:
        anywhere = (Product.sku, Product.name, Product.description)
        found.append(or_(*(col(column).icontains(query.q, autoescape=True) for column in anywhere)))
    if query.active is not None:
        found.append(col(Product.active).is_(query.active))
    return found


def matching(query: ProductQuery) -> SelectOfScalar[Product]:
    """Return the statement for one page of the products that `query` asks for."""
    return (
        select(Product)
        .where(*conditions(query))
        .order_by(*_order(query.sort))
        .limit(query.page_size)
        .offset((query.page - 1) * query.page_size)
    )


def _order(sort: str) -> list[UnaryExpression[Any]]:
    name = sort.removeprefix("-")
    columns = [SORT_COLUMNS[name]]
    # Equal values need a last word, or a row could stand on two pages.
    if name in ("updated_at", "name"):
        columns.append(col(Product.id))
    return [column.desc() if sort.startswith("-") else column.asc() for column in columns]
