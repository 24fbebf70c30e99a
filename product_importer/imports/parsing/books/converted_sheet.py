"""Read the rows of a sheet that another process converts; memory holds a chunk of them."""

import json
import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from product_importer.core.errors import StorageFull
from product_importer.core.settings import settings
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing.books.kinds import CONVERSION_SECONDS
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.limited_process import (
    MEMORY_BYTES,
    DeadlineExceeded,
    LimitedProcess,
    ProcessFailed,
)
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.parsing.sheet_rows import SheetRow, SheetRows, fitted
from product_importer.imports.parsing.xlsx.xml_parts import ADVICE

CONVERTER = LimitedProcess("product_importer.imports.parsing.books.conversion", CONVERSION_SECONDS, keeps_ready=False)
# The progress is shown once for so many rows.
ROWS_PER_PROGRESS = 1_000


class ConvertedSheet(SheetRows):
    """The rows of a workbook's sheet, which is the part of its format.

    The sheet is converted into a file without a name, which the kernel removes however this process ends. `progress`
    is called with the share of the rows that were read, from 0 to 1.

    Raises:
        Unreadable: the workbook is damaged, needs too much time or memory, or its rows cannot be stored.
    """

    def __init__(self, stream: BinaryIO, format: Format, progress: Callable[[float], None]):
        self._progress = progress
        self._converted = _converted(stream, format)
        super().__init__(format.part or "", format.header_line)

    def _rows(self) -> Iterator[SheetRow]:
        with self._converted as file:
            size = file.seek(0, 2)
            file.seek(0)
            for place, line in enumerate(file):
                row = SheetRow(*json.loads(line))
                if place % ROWS_PER_PROGRESS == 0:
                    self._progress(file.tell() / size)
                yield row._replace(cells=fitted(row.cells, len(self._names)))
        self._progress(1)


def _converted(stream: BinaryIO, format: Format) -> BinaryIO:
    """Return a file with a line of JSON for each row.

    Raises:
        Unreadable: the workbook cannot be converted.
    """
    folder = settings().spools
    request = json.dumps({"kind": format.kind, "sheet": format.part}).encode()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = cast(BinaryIO, tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - its reader closes it
        environment = {"MAX_UPLOAD_MB": str(settings().max_upload_mb)}
        error = json.loads(CONVERTER.ask(stream, environment, request, file))
    except DeadlineExceeded:
        raise _bad(f"Reading the workbook took longer than {CONVERSION_SECONDS} s") from None
    except ProcessFailed:
        raise _bad(f"The workbook is damaged, or needs more than {MEMORY_BYTES // 2**20:,} MB of memory") from None
    except StorageFull as full:
        raise Unreadable(ImportErrorCode.SPOOL_FULL, full.detail) from full
    if error:
        raise Unreadable(ImportErrorCode(error["code"]), error["message"])
    return file


def _bad(reason: str) -> Unreadable:
    return Unreadable(ImportErrorCode.BAD_WORKBOOK, f"{reason}. {ADVICE}")
