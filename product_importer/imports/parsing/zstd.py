"""Unpack zstd with Arrow, which bounds each piece and finds a missing end."""

import io
from typing import Any, BinaryIO

import pyarrow as pa

from product_importer.imports.parsing.records import not_csv

READ_BYTES = 1024 * 1024


class Unzstd(io.RawIOBase):
    """Reads what is packed in a stream, from its present position.

    Raises:
        Invalid: on reading, if it is damaged or incomplete.
    """

    def __init__(self, stream: BinaryIO):
        self._inner = pa.CompressedInputStream(pa.PythonFile(_KeptOpen(stream), "r"), "zstd")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._inner.read(min(len(buffer), READ_BYTES))
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            reason = str(error).partition("\n")[0]
            raise not_csv(f"The zstd file cannot be unpacked: {reason}. Pack it again, as gzip.") from error
        buffer[: len(piece)] = piece
        return len(piece)


class _KeptOpen:
    """A stream that stays open when Arrow closes its own."""

    closed = False

    def __init__(self, stream: BinaryIO):
        self.read = stream.read

    def close(self) -> None:
        """Leave it to the owner."""
