"""Check a Parquet file in a process of its own, within limits of time and memory: Arrow is not made for bad ones."""

from typing import BinaryIO

from product_importer.imports.parsing import head_process
from product_importer.imports.parsing.header_sample import HeaderSample
from product_importer.imports.parsing.limited_process import LimitedProcess
from product_importer.imports.parsing.parquet.reader import ADVICE
from product_importer.imports.read_warnings import ReadWarnings

READER = LimitedProcess("product_importer.imports.parsing.parquet_head")
# Otherwise Arrow reserves addresses for threads and for speed, which count as memory there.
FRUGAL = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}


def read_parquet_head(stream: BinaryIO) -> tuple[HeaderSample, ReadWarnings, int]:
    """Return the sample of a Parquet file's header, no warnings, and its size as text in bytes.

    Raises:
        Invalid: it cannot be read, or not within the limits of time and memory.
        TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
        TooMany: too many files wait to be read.
    """
    answer = head_process.ask(READER, stream, what="Parquet file", advice=ADVICE, environment=FRUGAL)
    return HeaderSample(*answer["head"]), ReadWarnings(), answer["size"]
