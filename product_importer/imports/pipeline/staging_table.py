"""Stage the valid rows of one import in an unlogged table, from which they are merged by key.

The table itself stays empty. Parts that inherit from it hold the rows: one is indexed while the next one is filled.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from typing import Any
from uuid import UUID

import psycopg2.errors
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection

from product_importer.core.db import identifier
from product_importer.imports.columns.header import Header

PREFIX = "import_staging_"
# The columns that every file has.
COLUMNS = ("line", "sku_key", "sku", "name", "description")
# A whole encoded chunk goes to the server in one call, which does not block other threads.
BLOCK_BYTES = 4 * 1024 * 1024

CREATE = sql.SQL("""
CREATE UNLOGGED TABLE {table} (
    line integer NOT NULL,
    sku_key text COLLATE "C" NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    active boolean,
    attributes jsonb
) WITH (autovacuum_enabled = false)
""")
CREATE_PART = sql.SQL("CREATE UNLOGGED TABLE {part} () INHERITS ({table}) WITH (autovacuum_enabled = false)")
# A row is looked up in the index of each part, so there are few parts, whatever the size of the file.
PARTS = 4
MIN_PART_BYTES = 8 * 1024 * 1024
NULL = "\\N"
# Frozen rows need no visibility check, so keys can be read from the index alone.
COPY = sql.SQL("COPY {table} ({columns}) FROM STDIN WITH (FREEZE)")
# Built after the COPY, which an index would slow down; it gives the merge its ranges and its order.
INDEX = sql.SQL("CREATE INDEX {index} ON {table} (sku_key, line {order})")
ORDERS = {"ASC": sql.SQL("ASC"), "DESC": sql.SQL("DESC")}
# A few thousand rows tell how the keys are distributed.
SAMPLE = sql.SQL("ALTER TABLE {table} ALTER sku_key SET STATISTICS 20")
ANALYZE = sql.SQL("ANALYZE {table} (sku_key)")
COUNT = sql.SQL("SELECT count(*) FROM {table}")
DROP = sql.SQL("DROP TABLE IF EXISTS {table} CASCADE")


def create(connection: PgConnection, table: str, order: str) -> None:
    """Create the staging table of that name, empty and indexed by key and line (`ASC` or `DESC`)."""
    _execute(connection, CREATE, table)
    _execute(connection, INDEX, table, order=ORDERS[order])


def create_part(connection: PgConnection, table: str, number: int) -> str:
    """Create a part of a staging table, empty and without an index, and return its name."""
    part = f"{table}_{number}"
    _execute(connection, CREATE_PART, table, part=identifier(part))
    return part


def name(job_id: UUID, fence: int) -> str:
    """Return the name of the staging table that the holder of a fencing token fills."""
    return f"{PREFIX}{job_id.hex}_{fence}"


def count(connection: PgConnection, table: str) -> int | None:
    """Return the number of rows of a staging table; None if it does not exist."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", (table,))
        if cursor.fetchone() == (None,):
            return None
        cursor.execute(COUNT.format(table=identifier(table)))
        row = cursor.fetchone()
    return row[0] if row else None


def drop_all(connection: PgConnection, job_id: UUID, keep: str | None = None) -> None:
    """Drop all staging tables of an import but the one to `keep`."""
    for table in tables(connection):
        if job_of(table) == job_id and table != keep:
            _execute(connection, DROP, table)


def tables(connection: PgConnection) -> list[str]:
    """Return the names of all staging tables, without their parts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename ~ %s",
            (f"^{PREFIX}[0-9a-f]{{32}}_[0-9]+$",),
        )
        return [table for (table,) in cursor.fetchall()]


def job_of(table: str) -> UUID:
    """Return the import to which a staging table belongs."""
    return UUID(table.removeprefix(PREFIX).partition("_")[0])


@contextmanager
def indexing(connection: PgConnection, order: str) -> Iterator[Callable[[str], None]]:
    """Yield a function that indexes a filled part in a thread; after the block all of them are indexed.

    Until then nobody else may use the connection.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="indexing") as thread:
        begun = []

        def begin(part: str) -> None:
            begun.append(thread.submit(_index, connection, part, order))

        yield begin
        for indexed in begun:
            indexed.result()


def _index(connection: PgConnection, part: str, order: str) -> None:
    with connection:
        _execute(connection, INDEX, part, order=ORDERS[order])


def analyze(connection: PgConnection, table: str) -> None:
    """Let the planner know the size of a filled staging table and the distribution of its keys."""
    _execute(connection, SAMPLE, table)
    _execute(connection, ANALYZE, table)


def parted(texts: Iterator[bytes], share: int, passed: Callable[[], int]) -> Iterator[Iterator[bytes]]:
    """Yield the texts of each part; a part is full when `passed` has grown by `share` bytes."""
    for text in texts:
        yield chain([text], _until(passed() + share, passed, texts))


def _until(full: int, passed: Callable[[], int], texts: Iterator[bytes]) -> Iterator[bytes]:
    while passed() < full and (text := next(texts, None)) is not None:
        yield text


def copy(connection: PgConnection, table: str, header: Header, texts: Iterator[bytes]) -> None:
    """Stream encoded rows into a part; memory holds one text at a time.

    The part must have been created in the same transaction.
    """
    names = [*COLUMNS, *(["active"] if header.position("active") is not None else [])]
    names += ["attributes"] if header.attributes else []
    statement = COPY.format(table=identifier(table), columns=sql.SQL(", ").join(map(identifier, names)))
    stream = _Stream(texts)
    try:
        with connection.cursor() as cursor:
            cursor.copy_expert(statement, stream, size=BLOCK_BYTES)
    except psycopg2.errors.QueryCanceled:
        # psycopg2 turns an error of the source into a cancelled COPY: raise the real one.
        if stream.error is not None:
            raise stream.error from None
        raise


def escaped(values: Sequence[str]) -> Sequence[str]:
    """Escape a column for the text format of `COPY`. Valid rows hold no NUL, so NUL can join and split them."""
    joined = "\0".join(values)
    if not ("\\" in joined or "\n" in joined or "\t" in joined or "\r" in joined):
        return values
    joined = joined.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return joined.split("\0")


class _Stream(io.RawIOBase):
    """An iterator of texts as a file for `copy_expert`."""

    def __init__(self, texts: Iterator[bytes]):
        self._texts = texts
        self._rest = memoryview(b"")
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> Any:
        """Return at most `size` bytes; b"" only at the end."""
        while not self._rest:
            text = self._next()
            if text is None:
                return b""
            self._rest = memoryview(text)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken.tobytes()

    def _next(self) -> bytes | None:
        try:
            return next(self._texts, None)
        except BaseException as error:
            self.error = error
            raise


def _execute(connection: PgConnection, statement: sql.SQL, table: str, **parts: sql.Composable) -> None:
    names = {"table": identifier(table), "index": identifier(f"{table}_key"), **parts}
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**names))
