"""The records of a Parquet file, with the methods of `csv.reader.Records`."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from product_importer.core.settings import settings
from product_importer.imports.error_codes import ImportErrorCode, RowErrorCode
from product_importer.imports.parsing.csv.arrow import ArrowChunk, row_view
from product_importer.imports.parsing.exact_texts import as_name
from product_importer.imports.parsing.parquet.texts import lengths, texts, unsupported
from product_importer.imports.parsing.records import (
    MAX_RECORD_CHARACTERS,
    RECORDS_PER_CHUNK,
    Chunk,
    RowError,
    Unreadable,
)

ADVICE = "Save it again, or as “CSV UTF-8”."
MAGIC = b"PAR1"
# The list of columns and row groups, which is read as a whole; and its texts and lists.
MAX_FOOTER_BYTES = 16 * 1024 * 1024
MAX_LIST = 1_000_000
# How much of each column's packed bytes is in memory, so that a row group may have any size.
BUFFER_BYTES = 64 * 1024
# Larger rows are rejected, so that a chunk that is no larger has none of them.
MAX_CHUNK_BYTES = MAX_RECORD_CHARACTERS


class ParquetRecords:
    """The rows of a Parquet file as text; the line of a row is its number, from 1."""

    def __init__(self, stream: BinaryIO):
        """Open a file, which must be seekable.

        Raises:
            Unreadable: it is damaged, or a column holds what has no text.
        """
        buffered = io.BufferedReader(_Whole(stream), BUFFER_BYTES)
        _check_footer(buffered)
        with _unreadable_if_damaged():
            source = pa.PythonFile(buffered, "r")
            limits = {"thrift_string_size_limit": MAX_FOOTER_BYTES, "thrift_container_size_limit": MAX_LIST}
            metadata = parquet.read_metadata(source)
            self._file = parquet.ParquetFile(
                source,
                metadata=metadata,
                # A text that many rows share is then in memory once.
                read_dictionary=_text_columns(metadata),
                buffer_size=BUFFER_BYTES,
                pre_buffer=False,
                coerce_int96_timestamp_unit="us",
                **limits,
            )
            self._schema = self._file.schema_arrow
        for field in self._schema:
            if kind := unsupported(field.type):
                raise Unreadable(
                    ImportErrorCode.BAD_PARQUET,
                    f"The column “{field.name[:100]}” has the type {kind[:100]}, which is no text. Leave it out.",
                )

    def header(self) -> tuple[list[str], int]:
        """Return the names of the columns; their line is 0."""
        return list(map(as_name, self._schema.names)), 0

    def check(self) -> int:
        """Unpack all rows once, and return how many bytes they have as text.

        Raises:
            Unreadable: the file is damaged, or has more than `MAX_UPLOAD_MB` unpacked.
        """
        size = 0
        for batch in self._batches():
            size += sum(pc.sum(lengths(column)).as_py() or 0 for column in batch.columns)
            _check_size(size)
        return size

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows, at most `RECORDS_PER_CHUNK` at a time.

        Raises:
            Unreadable: as `check` does.
        """
        line, size = 1, 0
        for batch in self._batches():
            for part, bytes_ in _parts(batch):
                size += bytes_
                _check_size(size)
                yield _chunk(part, line, bytes_)
                line += part.num_rows

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with _unreadable_if_damaged():
            yield from self._file.iter_batches(RECORDS_PER_CHUNK, use_threads=False)


class _Whole(io.RawIOBase):
    """A seekable stream for Arrow, which stays open when Arrow closes its own."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def _check_footer(stream: BinaryIO) -> None:
    """Check the end of a file before Arrow reads its list of columns.

    Raises:
        Unreadable: it is incomplete, encrypted, or the list is too long.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - 8))
    end = stream.read(8)
    stream.seek(0)
    if end[4:] == b"PARE":
        raise Unreadable(ImportErrorCode.BAD_PARQUET, f"The Parquet file is encrypted. {ADVICE}")
    if size < 12 or end[4:] != MAGIC:
        raise Unreadable(ImportErrorCode.BAD_PARQUET, "The Parquet file breaks off before its end. Send it again.")
    if int.from_bytes(end[:4], "little") > MAX_FOOTER_BYTES:
        limit = MAX_FOOTER_BYTES // 2**20
        raise Unreadable(
            ImportErrorCode.BAD_PARQUET, f"The file's list of columns is larger than {limit} MiB. {ADVICE}"
        )


def _text_columns(metadata: parquet.FileMetaData) -> list[str]:
    columns = (metadata.schema.column(place) for place in range(metadata.num_columns))
    return [column.path for column in columns if column.logical_type.type == "STRING" and "." not in column.path]


def _check_size(size: int) -> None:
    if size > settings().max_upload_bytes:
        raise Unreadable(ImportErrorCode.TOO_LARGE, f"The file unpacks to more than {settings().max_upload_mb} MB.")


def _parts(batch: pa.RecordBatch) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Yield parts of a batch with their sizes in bytes, each at most `MAX_CHUNK_BYTES` or one row."""
    size = sum(pc.sum(lengths(column)).as_py() or 0 for column in batch.columns)
    if batch.num_rows <= 1 or size <= MAX_CHUNK_BYTES:
        yield batch, size
        return
    middle = batch.num_rows // 2
    yield from _parts(batch.slice(0, middle))
    yield from _parts(batch.slice(middle))


def _chunk(batch: pa.RecordBatch, line: int, size: int) -> Chunk:
    if size > MAX_CHUNK_BYTES:
        reason = f"The row has more than {MAX_RECORD_CHARACTERS:,} characters."
        return Chunk(errors=[RowError(line, RowErrorCode.TOO_LONG, reason, [])])
    with _unreadable_if_damaged():
        columns = [texts(column) for column in batch.columns]
    lines, rows = range(line, line + batch.num_rows), row_view(columns)
    if any(pc.any(pc.match_substring(column, "\0")).as_py() for column in columns):
        return Chunk(lines, list(rows))
    return ArrowChunk(lines, rows, arrays=columns)


@contextmanager
def _unreadable_if_damaged() -> Iterator[None]:
    """Convert Arrow's errors to `Unreadable`, but for those of the storage."""
    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Unreadable(ImportErrorCode.BAD_PARQUET, f"The Parquet file is damaged. {ADVICE}") from error
