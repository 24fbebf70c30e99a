"""Export the catalogue in bounded memory, as a file that an import reads back unchanged."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Text, cast, func, literal, literal_column, or_, text
from sqlmodel import Session, col, select

from product_importer.catalog.export_formats import csv_file, json_lines, parquet, workbook
from product_importer.catalog.export_formats.records import Columns, Record, not_possible
from product_importer.catalog.export_query import ExportFormat
from product_importer.catalog.models import Product
from product_importer.catalog.schemas import COLUMNS, ProductFilter
from product_importer.catalog.search.filters import conditions
from product_importer.core import db
from product_importer.core.names import similar_name

ROWS_PER_PIECE = 1_000
# After this time without reading, the reader is gone. Its open transaction would keep PostgreSQL from cleaning up.
STALLED_SECONDS = 120
# The error of an unknown column names at most so many that exist.
MAX_NAMED_COLUMNS = 100

Writer = Callable[[Columns, Iterable[list[Record]]], Iterator[bytes]]
Conditions = Sequence[ColumnElement[bool]]


class Format(NamedTuple):
    """A format of files: its media type, and what writes it."""

    media_type: str
    write: Writer


FORMATS = {
    ExportFormat.CSV: Format("text/csv; charset=utf-8", csv_file.write),
    ExportFormat.XLSX: Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", workbook.write),
    ExportFormat.JSONL: Format("application/jsonl", json_lines.write),
    ExportFormat.PARQUET: Format("application/vnd.apache.parquet", parquet.write),
}


class Export:
    """Iterate over a file of the products that match, in pieces of bytes.

    Memory holds `ROWS_PER_PIECE` products, or a row group of Parquet. Everything is read in one snapshot, so the
    columns fit the rows whatever is written meanwhile. Products come in the order of creation. Empty pieces mean that
    a file is prepared that begins only when all products are read.

    Raises:
        Unprocessable: an unknown column is chosen, or the products do not fit the format; before the first piece that
            is not empty.
        StorageFull: there is no room to prepare the file; as early.
    """

    def __init__(
        self,
        criteria: ProductFilter,
        columns: Sequence[str] = (),
        format: ExportFormat = ExportFormat.CSV,
        product_ids: Sequence[UUID] = (),
    ) -> None:
        self._lock = Lock()
        self._done = _Done()
        self._pieces = _pieces(_chosen(criteria, product_ids), columns, format, self._done)
        # The first piece opens the database, so that an outage is raised here, before a response has begun.
        self._first = next(self._pieces, None)

    @property
    def rows(self) -> int:
        """How many products were read so far."""
        return self._done.rows

    @property
    def is_prepared(self) -> bool:
        """Whether the file's first bytes are there, or it is empty; until then, call `prepare`."""
        return self._first != b""

    def prepare(self) -> None:
        """Take one step, of less than a second mostly, towards the file's first bytes."""
        with self._lock:
            self._first = next(self._pieces, None)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._lock:
            piece, self._first = self._first, None
            return next(self._pieces) if piece is None else piece

    def close(self) -> None:
        """End the export early: give back its connection and its temporary files. It may be called at any time."""
        with self._lock:
            self._pieces.close()


def check(session: Session, criteria: ProductFilter, format: ExportFormat, product_ids: Sequence[UUID] = ()) -> None:
    """Check that an export of all columns is possible; a browser shows no reason for a download that is refused.

    Raises:
        Unprocessable: the products that match do not fit the format.
    """
    columns = _fitting_columns(session.connection(), _chosen(criteria, product_ids), (), format)
    if format is ExportFormat.PARQUET:
        columns.bounded()


def _chosen(criteria: ProductFilter, product_ids: Sequence[UUID]) -> Conditions:
    """Return the conditions of the filters, and of ids where some are given."""
    of_ids = [col(Product.id).in_(product_ids)] if product_ids else []
    return [*conditions(Product, criteria), *of_ids]


@dataclass
class _Done:
    """How many products were read. Apart from `Export`, so that one that is dropped closes its connection at once."""

    rows: int = 0


def _pieces(
    conditions: Conditions, chosen: Sequence[str], format: ExportFormat, done: _Done
) -> Generator[bytes, None, None]:
    """Yield the pieces. The connection closes when all products are read, and if the reader stops early."""
    with _snapshot() as connection:
        columns = _fitting_columns(connection, conditions, chosen, format)
        yield from FORMATS[format].write(columns, _counted(connection, conditions, columns, done))


def _fitting_columns(
    connection: Connection, conditions: Conditions, chosen: Sequence[str], format: ExportFormat
) -> Columns:
    """Return the columns of the file, once it is sure that the products fit the format.

    Raises:
        Unprocessable: they do not, or an unknown column is chosen.
    """
    is_workbook = format is ExportFormat.XLSX
    if is_workbook:
        _refuse_too_many(connection, conditions)
    columns = _columns(connection, conditions, chosen)
    if is_workbook:
        _refuse_too_long(connection, conditions, columns.bounded())
    return columns


def _counted(connection: Connection, conditions: Conditions, columns: Columns, done: _Done) -> Iterator[list[Record]]:
    for records in _records(connection, conditions, columns.all):
        done.rows += len(records)
        yield records
    connection.close()


def _snapshot() -> Connection:
    """Open a read-only transaction on a new connection: exports take long, and the pool is small."""
    engine = db.unpooled("product-importer export")
    connection = engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{STALLED_SECONDS}s'"))
    return connection


def _columns(connection: Connection, conditions: Conditions, chosen: Sequence[str]) -> Columns:
    """Return the columns of the file: those chosen, or the fixed ones and then each attribute in use.

    Raises:
        Unprocessable: a column is chosen that no product of the whole catalogue has.
    """
    if not chosen:
        return Columns(COLUMNS, partial(_attribute_names, connection, conditions))
    if not set(chosen) <= set(COLUMNS):
        _refuse_unknown(chosen, [*COLUMNS, *_attribute_names(connection, ())])
    return Columns(chosen, tuple)


def _refuse_unknown(chosen: Sequence[str], known: list[str]) -> None:
    unknown = next((name for name in chosen if name not in set(known)), None)
    if unknown is None:
        return
    meant = similar_name(unknown, known)
    question = f" Did you mean “{meant}”?" if meant else ""
    more = f" and {len(known) - MAX_NAMED_COLUMNS:,} more" if len(known) > MAX_NAMED_COLUMNS else ""
    possible = ", ".join(known[:MAX_NAMED_COLUMNS])
    raise not_possible(
        "columns", f"No product has a column “{unknown[:100]}”.{question} Possible are {possible}{more}."
    )


def _attribute_names(connection: Connection, conditions: Conditions) -> list[str]:
    names = select(func.jsonb_object_keys(col(Product.attributes)).label("name")).where(*conditions)
    in_use = names.where(col(Product.attributes) != literal_column("'{}'::jsonb"))
    return sorted(connection.scalars(in_use.distinct()))


def _refuse_too_many(connection: Connection, conditions: Conditions) -> None:
    """Count before the work, but no further than needed.

    Raises:
        Unprocessable: a sheet cannot hold as many products.
    """
    matching = select(literal(1)).select_from(Product).where(*conditions).limit(workbook.MAX_ROWS)
    if connection.scalar(select(func.count()).select_from(matching.subquery())) == workbook.MAX_ROWS:
        raise workbook.too_many_rows()


def _refuse_too_long(connection: Connection, conditions: Conditions, names: list[str]) -> None:
    """Find a text that no cell can hold before the work; only texts that may be too long are read.

    Raises:
        Unprocessable: there is one in these columns.
    """
    half = workbook.MAX_CHARACTERS // 2
    attributes = func.char_length(cast(col(Product.attributes), Text))
    may_be_too_long = or_(func.char_length(col(Product.description)) > half, attributes > half)
    for records in _records(connection, [*conditions, may_be_too_long], names):
        for record in records:
            workbook.check_lengths(record, names)


def _records(connection: Connection, conditions: Conditions, names: list[str]) -> Iterator[list[Record]]:
    """Yield the products in lists of `ROWS_PER_PIECE`; attributes that are not in the file are not read."""
    # The SKU names a product in errors.
    fixed = [name for name in COLUMNS if name in names or name == "sku"]
    has_attributes = not set(names) <= set(COLUMNS)
    read: list[Any] = [getattr(Product, name) for name in (*fixed, *(["attributes"] if has_attributes else []))]
    ordered = select(*read).where(*conditions).order_by(col(Product.id))
    for rows in connection.execution_options(yield_per=ROWS_PER_PIECE).execute(ordered).partitions():
        if has_attributes:
            yield [{**row[-1], **dict(zip(fixed, row, strict=False))} for row in rows]
        else:
            yield [dict(zip(fixed, row, strict=True)) for row in rows]
