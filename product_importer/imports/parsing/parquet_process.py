"""Check a Parquet file in a process of its own, within limits of time and memory: Arrow is not made for bad ones."""

import json
from typing import BinaryIO

from product_importer.core.errors import Invalid, TooLarge
from product_importer.core.settings import settings
from product_importer.imports.parsing.header_sample import HeaderSample
from product_importer.imports.parsing.limited_process import (
    DEADLINE_SECONDS,
    MEMORY_BYTES,
    DeadlineExceeded,
    LimitedProcess,
    ProcessFailed,
)
from product_importer.imports.parsing.parquet.reader import ADVICE
from product_importer.imports.parsing.records import not_csv
from product_importer.imports.read_warnings import ReadWarnings

READER = LimitedProcess("product_importer.imports.parsing.parquet_head")
ERRORS = {"Invalid": Invalid, "TooLarge": TooLarge}
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
    try:
        answer = json.loads(READER.ask(stream, {"MAX_UPLOAD_MB": str(settings().max_upload_mb), **FRUGAL}))
    except DeadlineExceeded:
        raise not_csv(f"Reading the Parquet file took longer than {DEADLINE_SECONDS} s. {ADVICE}") from None
    except ProcessFailed:
        limit = f"{MEMORY_BYTES // 2**20:,} MB of memory"
        raise not_csv(f"The Parquet file is damaged, or needs more than {limit} to be read. {ADVICE}") from None
    if "error" in answer:
        raise ERRORS[answer["error"]](**answer["arguments"])
    return HeaderSample(*answer["head"]), ReadWarnings(), answer["size"]
