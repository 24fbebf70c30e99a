"""Read the file of an import into sorted runs: a thread parses ahead, this one validates, another one sorts."""

import gc
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Self

import pyarrow as pa

from product_importer.core import storage
from product_importer.core.settings import settings
from product_importer.imports.columns.header import Header
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.models import ImportJob
from product_importer.imports.parsing.csv import arrow
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.opening import CountingReader, open_records
from product_importer.imports.parsing.records import Chunk, Unreadable
from product_importer.imports.parsing.text_formulas import unwrap_chunk
from product_importer.imports.pipeline import spool
from product_importer.imports.pipeline.error_buffer import ErrorBuffer
from product_importer.imports.pipeline.heartbeat import Heartbeat
from product_importer.imports.pipeline.prefetch import ahead
from product_importer.imports.pipeline.row_edits import RowEdits
from product_importer.imports.pipeline.row_validation import RowValidator
from product_importer.imports.pipeline.run_columns import RunColumns
from product_importer.imports.pipeline.spool import Spool
from product_importer.imports.read_warnings import ReadWarnings, WarningCode
from product_importer.imports.schemas import ImportChoices

# Line numbers are integers in PostgreSQL; empty lines count.
MAX_LINES = 2**31 - 1
# Rows of a file that fit into one range, and into so many bytes, stay in memory.
MAX_SMALL_BYTES = 8 * 1024 * 1024


@dataclass
class ReadFile:
    """The rows of a file: the good ones in `spool`, or sorted in `rows` if they are few; the others in `errors`.

    `warnings` are those about its rows. Rows that were left out are in no number. `rows` is None for a file that is
    spooled; `good_rows` counts either.
    """

    errors: ErrorBuffer
    warnings: ReadWarnings = field(default_factory=ReadWarnings)
    rows_read: int = 0
    good_rows: int = 0
    rows: pa.Table | None = None
    spool: Spool | None = None

    @property
    def rejected(self) -> int:
        """The number of rows that were rejected."""
        return self.rows_read - self.good_rows


class FileReader:
    """Reads the file of one import; as a context manager it removes what it has spooled.

    The rows of an import that `is_cut` already are spooled in any case. `edits` are those of its rows, if it has any.
    """

    def __init__(
        self,
        job: ImportJob,
        heartbeat: Heartbeat,
        header: Header,
        choices: ImportChoices,
        *,
        is_cut: bool = False,
        edits: RowEdits | None = None,
    ):
        keeps_blank = choices.blank == "keep"
        self.columns = RunColumns(header, keeps_blank)
        self._job = job
        self._format = Format.model_validate(job.format)
        self._heartbeat = heartbeat
        self._is_cut = is_cut
        self._edits = edits
        self._file = ReadFile(ErrorBuffer(job.id))
        has_own_header = self._format.header_line != 0
        self._validator = RowValidator(header, choices, self._file.warnings, has_own_header)
        self._sorter = ThreadPoolExecutor(1, thread_name_prefix="sorting")
        self._sorting: Future[None] | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sorter.shutdown()
        self._file.errors.close()
        if self._file.spool is not None:
            self._file.spool.close()

    def read(self) -> ReadFile:
        """Read the file to its end.

        Raises:
            Stopped: the work was asked to stop.
            Unreadable: the file cannot be read to its end.
            SpoolError: its rows cannot be spooled.
        """
        # Of what is packed the size is not known before.
        if self._format.container == "plain" and self._job.size_bytes > MAX_SMALL_BYTES:
            spool.check_room(self._job.size_bytes)
        with storage.opened(self._job.storage_key) as stream, _without_garbage_collection():
            counted = CountingReader(stream)
            records = open_records(counted, self._format, arrow.parse)
            records.header()
            # Stops the thread that parses ahead before the file is closed.
            with closing(ahead(iter(records.chunks()))) as chunks:
                for chunk in chunks:
                    self._heartbeat.stop_if_halted()
                    self._add(chunk)
                    self._heartbeat.rows_read = self._file.rows_read
                    self._heartbeat.bytes_read = counted.bytes_read
        self._finish()
        if self._edits is not None and self._edits.is_selection:
            # They are about all rows of the file, and the import of all rows has shown them.
            self._file.warnings = ReadWarnings()
        return self._file

    def _add(self, raw: Chunk) -> None:
        if raw.shortened:
            self._file.warnings.add(WarningCode.NUMBERS_SHORTENED, raw.shortened[0], len(raw.shortened))
        chunk = unwrap_chunk(raw, self._file.warnings)
        if self._edits is None:
            chunk = self._validator.validate(chunk)
        else:
            # All rows are validated: those above tell which product a row continues.
            chunk = self._edits.selected(self._validator.validate(self._edits.applied(chunk)))
        self._file.errors.add(chunk.errors)
        self._file.rows_read += len(chunk)
        self._file.good_rows += len(chunk.rows)
        _check_count(chunk, self._file.rows_read)
        if chunk.rows:
            batch = self.columns.batch(chunk)
            self._waiting.append(batch)
            self._waiting_rows += batch.num_rows
            self._waiting_bytes += batch.nbytes
            if self._waiting_rows >= spool.RUN_ROWS or self._waiting_bytes >= spool.RUN_BYTES:
                self._sort_waiting()

    def _finish(self) -> None:
        """Keep the rows in memory if they are few; else sort the last ones, and wait for all runs."""
        is_few = self._file.good_rows <= settings().batch_size and self._waiting_bytes <= MAX_SMALL_BYTES
        if self._file.spool is None and is_few and not self._is_cut:
            self._file.rows = spool.sort(self._table())
            return
        self._sort_waiting()
        self._await_sorting()

    def _sort_waiting(self) -> None:
        """Let the other thread sort and write the waiting rows; memory holds one run that it works on."""
        self._await_sorting()
        if self._file.spool is None:
            self._file.spool = Spool(self.columns.schema)
        self._sorting = self._sorter.submit(self._file.spool.add, self._table())

    def _await_sorting(self) -> None:
        if self._sorting is not None:
            self._sorting.result()

    def _table(self) -> pa.Table:
        """Return the waiting rows, of which none is left."""
        rows = pa.Table.from_batches(self._waiting, schema=self.columns.schema)
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        return rows


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
