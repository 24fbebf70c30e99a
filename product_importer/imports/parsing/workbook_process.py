"""Read the header of a workbook in a process of its own, within limits of time and memory."""

import json
from typing import BinaryIO

from product_importer.core.errors import Invalid, TooLarge
from product_importer.core.settings import settings
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.header_sample import HeaderSample
from product_importer.imports.parsing.limited_process import (
    DEADLINE_SECONDS,
    MEMORY_BYTES,
    DeadlineExceeded,
    LimitedProcess,
    ProcessFailed,
)
from product_importer.imports.parsing.records import not_csv
from product_importer.imports.parsing.xlsx.xml_parts import ADVICE

READER = LimitedProcess("product_importer.imports.parsing.workbook_head")
ERRORS = {"Invalid": Invalid, "TooLarge": TooLarge}


def read_workbook_head(stream: BinaryIO) -> tuple[Format, HeaderSample]:
    """Return the format of a workbook and the sample of its header.

    Raises:
        Invalid: it cannot be read, or not within the limits of time and memory.
        TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
        TooMany: too many workbooks wait to be read.
    """
    try:
        answer = json.loads(READER.ask(stream, {"MAX_UPLOAD_MB": str(settings().max_upload_mb)}))
    except DeadlineExceeded:
        raise not_csv(f"Reading the workbook took longer than {DEADLINE_SECONDS} s. {ADVICE}") from None
    except ProcessFailed:
        limit = f"{MEMORY_BYTES // 2**20:,} MB of memory"
        raise not_csv(f"The workbook is damaged, or needs more than {limit} to be read. {ADVICE}") from None
    if "error" in answer:
        raise ERRORS[answer["error"]](**answer["arguments"])
    return Format(container="xlsx", part=answer["title"]), HeaderSample(*answer["head"])
