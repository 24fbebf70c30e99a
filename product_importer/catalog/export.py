"""Stream the catalogue as CSV, which an import reads back unchanged."""

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
# After this time without reading, the reader is gone. Its open transaction would keep PostgreSQL from cleaning up.
STALLED_SECONDS = 120


class Export:
    """Iterate over a CSV file of the products that match, in pieces; `rows` counts the products so far.

    Memory holds `ROWS_PER_PIECE` products. Everything is read in one snapshot, so the columns fit the rows whatever
    is written meanwhile. Products come in the order of creation.
    """

    def __init__(self, criteria: ProductFilter):
        self.rows = 0
        pieces = _pieces(conditions(Product, criteria))
        # The first piece opens the database, so that an outage is raised here, before a response has begun.
        self._pieces = chain([next(pieces)], pieces)

    def __iter__(self) -> Iterator[str]:
        for rows, piece in self._pieces:
            self.rows += rows
            yield piece


def _pieces(conditions: list[ColumnElement[bool]]) -> Iterator[tuple[int, str]]:
    """Yield each piece with the number of products in it. The connection closes even if the reader stops early."""
    with _snapshot() as connection:
        # The fixed columns at once: finding the attributes takes a pass over the table.
        yield 0, ",".join(COLUMNS)
        names = _attribute_names(connection, conditions)
        yield 0, to_csv([["", *map(escape, names)]]) if names else "\r\n"
        for rows in _rows(connection, conditions):
            yield len(rows), to_csv(_cells(row, names) for row in rows)


def _snapshot() -> Connection:
    """Open a read-only transaction on a new connection: exports take long, and the pool is small."""
    engine = db.unpooled("product-importer export")
    connection = engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{STALLED_SECONDS}s'"))
    return connection


def _attribute_names(connection: Connection, conditions: list[ColumnElement[bool]]) -> list[str]:
    names = select(func.jsonb_object_keys(col(Product.attributes)).label("name")).where(*conditions)
    in_use = names.where(col(Product.attributes) != literal_column("'{}'::jsonb"))
    return sorted(connection.scalars(in_use.distinct()))


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
