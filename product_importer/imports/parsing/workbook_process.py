"""A workbook's head, read where the workbook can neither hold up nor fill the process that was asked."""

import json
from typing import BinaryIO

from product_importer.core.errors import Invalid, TooLarge
from product_importer.core.limited_process import (
    DEADLINE_SECONDS,
    MEMORY_BYTES,
    DeadlineExceeded,
    LimitedProcess,
    ProcessFailed,
)
from product_importer.core.settings import settings
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.header_sample import HeaderSample
from product_importer.imports.parsing.records import NOT_CSV
from product_importer.imports.parsing.xlsx.xml_parts import ADVICE

READER = LimitedProcess("product_importer.imports.parsing.workbook_head")
REFUSALS = {"Invalid": Invalid, "TooLarge": TooLarge}


def recognise_sheet(stream: BinaryIO) -> tuple[Format, HeaderSample]:
    """Return the format and the head of a workbook.

    Raises:
        Invalid: it cannot be read, at all or within the time and the memory that it may take.
        TooLarge: more than `MAX_UPLOAD_MB` is packed in it.
        TooMany: too many workbooks wait to be looked at.
    """
    try:
        answer = json.loads(READER.ask(stream, {"MAX_UPLOAD_MB": str(settings().max_upload_mb)}))
    except DeadlineExceeded:
        raise Invalid(f"To look at the workbook took longer than {DEADLINE_SECONDS} s. {ADVICE}", **NOT_CSV) from None
    except ProcessFailed:
        limit = f"{MEMORY_BYTES // 2**20:,} MB of memory"
        raise Invalid(
            f"The workbook is damaged, or needs more than {limit} to be read. {ADVICE}", **NOT_CSV
        ) from None
    if "refusal" in answer:
        raise REFUSALS[answer["refusal"]](**answer["told"])
    return Format(container="xlsx", part=answer["title"]), HeaderSample(*answer["head"])
