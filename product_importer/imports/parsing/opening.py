"""Open a stored file as rows, by its format."""

import io
from typing import Any, BinaryIO, cast

from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing.archives import unpacked
from product_importer.imports.parsing.books.converted_sheet import ConvertedSheet
from product_importer.imports.parsing.books.kinds import is_read_by_calamine
from product_importer.imports.parsing.csv.reader import ParseBlock, Records
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.json.reader import JsonRecords
from product_importer.imports.parsing.parquet.reader import ParquetRecords
from product_importer.imports.parsing.records import RecordReader, Unreadable
from product_importer.imports.parsing.text_codecs import codec_of
from product_importer.imports.parsing.xlsx.reader import Sheet

READ_BYTES = 1024 * 1024
# The maximum length of a physical line, which bounds the reader's memory.
MAX_LINE_BYTES = 16 * 1024 * 1024


class CountingReader(io.RawIOBase):
    """Counts the bytes that are read of a stored file; they are the progress of reading, packed or not.

    `stream` is the file itself.
    """

    def __init__(self, stream: BinaryIO):
        self.stream = stream
        self.bytes_read = 0

    def readable(self) -> bool:
        """Tell buffers that this stream can be read."""
        return True

    def seekable(self) -> bool:
        """Tell zipfile that it may read the end first."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to another position in the stream."""
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position in the stream."""
        return self.stream.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the stream; return the number of bytes."""
        chunk = self.stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self.bytes_read += len(chunk)
        return len(chunk)

    def count_share(self, share: float) -> None:
        """Count a share of all bytes as read, from 0 to 1: another process read them."""
        self.bytes_read = round(self.stream.seek(0, io.SEEK_END) * share)


def open_records(counted: CountingReader, format: Format, parse: ParseBlock | None = None) -> RecordReader:
    """Open a stored file as rows: call `header()`, then `chunks()`. `parse` is a quicker parser for simple text.

    Raises:
        Unreadable: a workbook or a Parquet file is damaged.
        Invalid: a workbook has no sheet of the format's name.
    """
    stream = cast(BinaryIO, counted)
    if format.kind == "parquet":
        return ParquetRecords(stream)
    if is_read_by_calamine(format):
        return ConvertedSheet(counted.stream, format, counted.count_share)
    if format.kind in ("json", "jsonl"):
        return open_json(unpacked(stream, format), format.encoding, is_array=format.kind == "json")
    if format.container == "xlsx":
        return Sheet(stream, format.part, format.header_line)
    text = text_of(unpacked(stream, format), format.encoding)
    return Records(text, format.delimiter, parse, header_line=format.header_line, escape=format.escape)


def open_json(stream: BinaryIO, encoding: str, is_array: bool) -> JsonRecords:
    """Open unpacked JSON as rows. An array may be one line of any length: its reader bounds each object."""
    if not is_array:
        return JsonRecords(text_of(stream, encoding), is_array)
    whole = io.BufferedReader(_Unbounded(stream), READ_BYTES)
    return JsonRecords(io.TextIOWrapper(whole, encoding=codec_of(encoding), newline=""), is_array)


def text_of(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """Return unpacked bytes as text without a byte order mark. Line breaks of any kind end a line, and are kept.

    Raises:
        Unreadable: on reading, if a line is longer than `MAX_LINE_BYTES`.
    """
    lines = io.BufferedReader(_BoundedLines(stream), READ_BYTES)
    return io.TextIOWrapper(lines, encoding=codec_of(encoding), newline="")


class _Unbounded(io.RawIOBase):
    """Reads unpacked bytes as they are."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._check(chunk)
        return len(chunk)

    def _check(self, chunk: bytes) -> None:
        """Check what was read; here there is nothing to check."""


class _BoundedLines(_Unbounded):
    """Raises an error at a line without end, which would fill the memory."""

    def __init__(self, stream: BinaryIO):
        super().__init__(stream)
        self._line_bytes = 0

    def _check(self, chunk: bytes) -> None:
        last_break = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self._line_bytes = len(chunk) - last_break - 1 + (self._line_bytes if last_break < 0 else 0)
        if self._line_bytes > MAX_LINE_BYTES:
            raise Unreadable(
                ImportErrorCode.LINE_TOO_LONG, "A line is longer than 16 MiB: this is not a table of rows."
            )
