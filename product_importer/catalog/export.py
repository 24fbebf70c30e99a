"""The catalogue as CSV, streamed: what an import reads back unchanged."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal_column, text
from sqlmodel import col, select

from product_importer.catalog.csv_injection import escape
from product_importer.catalog.models import Product
from product_importer.catalog.schemas import COLUMNS, ProductFilter
from product_importer.catalog.search.filters import conditions
from product_importer.core import db

ROWS_PER_PIECE = 1_000
# A reader who takes nothing for so long is gone; what it holds open would keep PostgreSQL from cleaning up.
STALLED_SECONDS = 120


class Export:
    """The pieces of a CSV of every product that matches; `rows` counts those that were given out.

    Memory holds `ROWS_PER_PIECE` products. All is read in one snapshot, so the columns fit the rows whatever is
    written meanwhile. The products come in the order of their creation.
    """

    def __init__(self, chosen: ProductFilter):
        self.rows = 0
        pieces = _pieces(conditions(Product, chosen))
        # The first piece opens the database: what fails there fails before anybody is told of success.
        self._pieces = chain([next(pieces)], pieces)

    def __iter__(self) -> Iterator[str]:
        for rows, piece in self._pieces:
            self.rows += rows
            yield piece


def _pieces(conditions: list[ColumnElement[bool]]) -> Iterator[tuple[int, str]]:
    """Yield each piece with the number of products in it; left alone half-way, it closes its connection."""
    with _snapshot() as connection:
        # The fixed columns at once: to find the others takes a pass over the table.
        yield 0, ",".join(COLUMNS)
        names = _attribute_names(connection, conditions)
        yield 0, to_csv([["", *map(escape, names)]]) if names else "\r\n"
        for rows in _rows(connection, conditions):
            yield len(rows), to_csv(_cells(row, names) for row in rows)


def _snapshot() -> Connection:
    """Open a connection of its own, for exports last long and the pool is small: one read-only transaction."""
    engine = db.unpooled("product-importer export")
    connection = engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{STALLED_SECONDS}s'"))
    return connection


def _attribute_names(connection: Connection, conditions: list[ColumnElement[bool]]) -> list[str]:
    named = select(func.jsonb_object_keys(col(Product.attributes)).label("name")).where(*conditions)
    some = named.where(col(Product.attributes) != literal_column("'{}'::jsonb"))
    return sorted(connection.scalars(some.distinct()))


def _rows(connection: Connection, conditions: list[ColumnElement[bool]]) -> Iterator[Any]:
    columns = (Product.sku, Product.name, Product.description, Product.active, Product.attributes)
    ordered = select(*map(col, columns)).where(*conditions).order_by(col(Product.id))
    return connection.execution_options(yield_per=ROWS_PER_PIECE).execute(ordered).partitions()


def _cells(row: Any, names: list[str]) -> list[str]:
    sku, name, description, active, attributes = row
    values = (attributes.get(label, "") for label in names)
    return [escape(sku), escape(name), escape(description), "true" if active else "false", *map(escape, values)]


def to_csv(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as lines of CSV that end in CR LF."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
