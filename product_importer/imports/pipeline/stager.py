"""Read the file of an import, validate its rows, and stage them in parts."""

import gc
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection

from product_importer.core import storage
from product_importer.core.settings import settings
from product_importer.imports.columns.header import Header
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.models import ImportPhase
from product_importer.imports.parsing.csv import arrow
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.opening import CountingReader, open_records
from product_importer.imports.parsing.records import Chunk, Unreadable
from product_importer.imports.pipeline import merge, staging_table
from product_importer.imports.pipeline.copy_encoder import Encoder
from product_importer.imports.pipeline.error_buffer import ErrorBuffer
from product_importer.imports.pipeline.heartbeat import Heartbeat
from product_importer.imports.pipeline.lease import Lease
from product_importer.imports.pipeline.prefetch import ahead
from product_importer.imports.pipeline.row_validation import RowValidator
from product_importer.imports.schemas import ImportChoices

# The merge may have rejected rows before PostgreSQL lost the staging table: they stay counted.
STAGED = sql.SQL(f"""
phase = '{ImportPhase.MERGING}', staging_table = %(table)s, staged_rows = %(staged)s, rows_read = %(rows)s,
rejected = CASE WHEN total_rows IS NULL THEN %(rejected)s ELSE rejected END, total_rows = %(rows)s, attempts = 0,
lane_ends = coalesce(lane_ends, %(lane_ends)s), lane_checkpoints = coalesce(lane_checkpoints, %(checkpoints)s),
lane_created = coalesce(lane_created, %(lane_created)s)
""")
ENTER = sql.SQL("phase = %(phase)s")

# Line numbers are integers in PostgreSQL; empty lines count.
MAX_LINES = 2**31 - 1


class Stager:
    """Stages one import under one lease."""

    def __init__(self, lease: Lease, heartbeat: Heartbeat, header: Header, choices: ImportChoices):
        self._lease = lease
        self._job = lease.job
        self._heartbeat = heartbeat
        self._header = header
        self._keeps_blank = choices.blank == "keep"
        self._order = "ASC" if choices.duplicates == "first" else "DESC"
        self._rejected = 0

    def stage(self) -> None:
        """Fill the staging table from the file, unless an earlier worker did and it is still complete.

        Raises:
            Stopped: the work was asked to stop.
            Unreadable: the file cannot be read to its end.
        """
        with self._lease.connect() as connection:
            self._drop_leftovers(connection)
            if self._is_staged(connection):
                return
            table = staging_table.name(self._job.id, self._lease.fence)
            with ErrorBuffer(self._job.id) as errors:
                self._read(connection, errors, table)
                ends = self._lane_ends(connection, table)
                with self._lease.transaction(connection):
                    # After a restart of PostgreSQL the file is read again, but its errors are stored already.
                    if self._job.total_rows is None:
                        errors.copy(connection)
                    row = self._record_staged(connection, table, ends)
            self._heartbeat.committed(row)

    def _drop_leftovers(self, connection: PgConnection) -> None:
        with connection:
            staging_table.drop_all(connection, self._job.id, keep=self._job.staging_table)

    def _is_staged(self, connection: PgConnection) -> bool:
        """Whether the staging table is complete: PostgreSQL empties it when it crashes."""
        table = self._job.staging_table
        with connection:
            return table is not None and staging_table.count(connection, table) == self._job.staged_rows

    def _read(self, connection: PgConnection, errors: ErrorBuffer, table: str) -> None:
        """Read the file into parts of the staging table, and index them."""
        with self._entering(connection, ImportPhase.READING):
            staging_table.create(connection, table, self._order)
        with (
            storage.opened(self._job.storage_key) as stream,
            self._lease.connect() as second,
            staging_table.indexing(second, self._order) as index,
            _without_garbage_collection(),
            # Stops the thread that reads ahead before the file is closed, even if a part cannot be stored.
            closing(self._parts(CountingReader(stream), errors)) as parts,
        ):
            for number, texts in enumerate(parts, start=1):
                with self._entering(connection, ImportPhase.READING):
                    part = staging_table.create_part(connection, table, number)
                    staging_table.copy(connection, part, self._header, texts)
                index(part)
            with self._entering(connection, ImportPhase.INDEXING):
                pass

    def _parts(self, counted: CountingReader, errors: ErrorBuffer) -> Generator[Iterator[bytes], None, None]:
        """Yield the texts of each part; parts are about equal shares of the file."""
        share = max(staging_table.MIN_PART_BYTES, self._job.size_bytes // staging_table.PARTS)
        encode = Encoder(self._header, self._keeps_blank)
        with closing(ahead(map(encode, self._chunks(counted, errors)))) as texts:
            yield from staging_table.parted(texts, share, lambda: counted.bytes_read)

    def _chunks(self, counted: CountingReader, errors: ErrorBuffer) -> Iterator[Chunk]:
        """Yield valid chunks; buffer their errors and note the progress on the way."""
        records = open_records(counted, Format.model_validate(self._job.format), arrow.parse)
        validator = RowValidator(self._header, self._keeps_blank)
        records.header()
        for raw in records.chunks():
            self._heartbeat.stop_if_halted()
            chunk = validator.validate(raw)
            self._rejected += len(chunk.errors)
            errors.add(chunk.errors)
            self._heartbeat.rows_read += len(chunk)
            _check_count(chunk, self._heartbeat.rows_read)
            self._heartbeat.bytes_read = counted.bytes_read
            yield chunk

    def _lane_ends(self, connection: PgConnection, table: str) -> list[str]:
        """Return the keys at which the lanes end."""
        with connection:
            staging_table.analyze(connection, table)
            # Another worker may have merged some rows: its checkpoints only make sense with its lanes.
            return self._job.lane_ends or merge.lane_ends(connection, table, self._staged)

    def _record_staged(self, connection: PgConnection, table: str, ends: list[str]) -> dict[str, Any]:
        return self._lease.write(
            connection,
            STAGED,
            table=table,
            staged=self._staged,
            rows=self._heartbeat.rows_read,
            rejected=self._rejected,
            lane_ends=ends,
            checkpoints=["", *ends][: len(ends)],
            lane_created=[0] * len(ends),
        )

    @property
    def _staged(self) -> int:
        return self._heartbeat.rows_read - self._rejected

    @contextmanager
    def _entering(self, connection: PgConnection, phase: ImportPhase) -> Iterator[None]:
        """Open a transaction whose last write sets the phase, if the lease is still held."""
        with self._lease.transaction(connection):
            yield
            row = self._lease.write(connection, ENTER, phase=phase)
        self._heartbeat.committed(row)


def _check_count(chunk: Chunk, rows_read: int) -> None:
    """Refuse a file of too many rows; `chunk` is the last one read.

    Raises:
        Unreadable: there are more than `MAX_ROWS`, or lines than `MAX_LINES`.
    """
    max_rows, rejected = settings().max_rows, [error.line for error in chunk.errors]
    if rows_read > max_rows:
        message = f"The file has more than {max_rows:,} rows. Split it, or raise MAX_ROWS. No row was imported."
        raise Unreadable(
            ImportErrorCode.TOO_MANY_ROWS, message, sorted([*chunk.lines, *rejected])[max_rows - rows_read]
        )
    if max([*chunk.lines[-1:], *rejected], default=0) > MAX_LINES:
        message = f"The file has more than {MAX_LINES:,} lines. Split it."
        raise Unreadable(ImportErrorCode.TOO_MANY_ROWS, message, MAX_LINES)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Turn off garbage collection: it would search hundreds of thousands of rows for cycles, and there are none."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
