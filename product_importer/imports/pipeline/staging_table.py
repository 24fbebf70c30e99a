"""Staging: the checked rows of one import in an unlogged table of their own, ready to be merged by key.

The table itself stays empty. Parts that inherit from it hold the rows: one is indexed while the next is filled.
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
# What every file has; COPY writes no more columns than there are.
COLUMNS = ("line", "sku_key", "sku", "name", "description")
# As much as a chunk makes goes to the server in one call, which another thread need not wait for.
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
# Seen as one table, whose every part is an unlogged one of its own.
CREATE_PART = sql.SQL("CREATE UNLOGGED TABLE {part} () INHERITS ({table}) WITH (autovacuum_enabled = false)")
# Each row is found by as many looks at an index as there are parts, so these are few, whatever the file's size.
PARTS = 4
LEAST_PART_BYTES = 8 * 1024 * 1024
NULL = "\\N"
# Frozen, rows need no second look at who wrote them, and keys can be read from the index alone.
COPY = sql.SQL("COPY {table} ({columns}) FROM STDIN WITH (FREEZE)")
# Built after the COPY, which an index would slow down; it gives the merge its ranges and its order.
INDEX = sql.SQL("CREATE INDEX {index} ON {table} (sku_key, line {order})")
ORDERS = {"ASC": sql.SQL("ASC"), "DESC": sql.SQL("DESC")}
# A few thousand rows tell how the keys are spread.
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
    """Return the name of the staging table that the holder of `fence` fills."""
    return f"{PREFIX}{job_id.hex}_{fence}"


def count(connection: PgConnection, table: str) -> int | None:
    """Return how many rows the staging table holds; None when it is not there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", (table,))
        if cursor.fetchone() == (None,):
            return None
        cursor.execute(COUNT.format(table=identifier(table)))
        row = cursor.fetchone()
    return row[0] if row else None


def drop_all(connection: PgConnection, job_id: UUID, keep: str | None = None) -> None:
    """Drop every staging table of an import, whoever left it, but the one to `keep`."""
    for table in tables(connection):
        if job_of(table) == job_id and table != keep:
            _execute(connection, DROP, table)


def tables(connection: PgConnection) -> list[str]:
    """Return the names of all staging tables there are, without those of their parts."""
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
    """Give what indexes a filled part beside the caller's work; behind the block all of them are indexed.

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
    """Let the planner know how large a filled staging table is, and how its keys are spread."""
    _execute(connection, SAMPLE, table)
    _execute(connection, ANALYZE, table)


def parted(texts: Iterator[bytes], share: int, passed: Callable[[], int]) -> Iterator[Iterator[bytes]]:
    """Yield the texts of one part after the other; each is full when `share` more bytes of the file have `passed`."""
    for text in texts:
        yield chain([text], _until(passed() + share, passed, texts))


def _until(full: int, passed: Callable[[], int], texts: Iterator[bytes]) -> Iterator[bytes]:
    while passed() < full and (text := next(texts, None)) is not None:
        yield text


def copy(connection: PgConnection, table: str, header: Header, texts: Iterator[bytes]) -> None:
    """Stream rows, as `copy_text` writes them, into a part; memory holds one text at a time.

    The table must have been created in the same transaction.
    """
    names = [*COLUMNS, *(["active"] if header.position("active") is not None else [])]
    names += ["attributes"] if header.attributes else []
    statement = COPY.format(table=identifier(table), columns=sql.SQL(", ").join(map(identifier, names)))
    stream = _Stream(texts)
    try:
        with connection.cursor() as cursor:
            cursor.copy_expert(statement, stream, size=BLOCK_BYTES)
    except psycopg2.errors.QueryCanceled:
        # psycopg2 turns whatever the source raises into a cancelled COPY: say what it really was.
        if stream.failure is not None:
            raise stream.failure from None
        raise


def escaped(values: Sequence[str]) -> Sequence[str]:
    """Escape a column for `COPY`'s text format. Checked rows hold no NUL, so NUL can join and part them."""
    joined = "\0".join(values)
    if not ("\\" in joined or "\n" in joined or "\t" in joined or "\r" in joined):
        return values
    joined = joined.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return joined.split("\0")


class _Stream(io.RawIOBase):
    """An iterator of texts as the file that `copy_expert` reads from."""

    def __init__(self, texts: Iterator[bytes]):
        self._texts = texts
        self._rest = memoryview(b"")
        self.failure: BaseException | None = None

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
        except BaseException as failure:
            self.failure = failure
            raise


def _execute(connection: PgConnection, statement: sql.SQL, table: str, **parts: sql.Composable) -> None:
    names = {"table": identifier(table), "index": identifier(f"{table}_key"), **parts}
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**names))
