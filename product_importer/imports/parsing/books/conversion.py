"""Write the rows of a sheet as lines of JSON; `python -m` this module does so in a process of its own."""

import json

from product_importer.core.errors import DomainError
from product_importer.core.settings import settings
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing import limited_process
from product_importer.imports.parsing.books.calamine_sheet import CalamineSheet
from product_importer.imports.parsing.books.kinds import CONVERSION_SECONDS
from product_importer.imports.parsing.limited_process import Task
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.parsing.sheet_rows import row_length


def convert(task: Task) -> bytes:
    """Write each row of the requested sheet as JSON of a `SheetRow`; return as JSON `{}`, or the error.

    More text than `MAX_UPLOAD_MB` ends the writing: who reads the rows finds that there is too much.
    """
    assert task.output is not None
    request = json.loads(task.request)
    left = settings().max_upload_bytes
    try:
        for row in CalamineSheet(task.stream, request["kind"], request["sheet"]).raw_rows():
            task.output.write(json.dumps(row).encode() + b"\n")
            left -= row_length(row.cells)
            if left < 0:
                break
        task.output.flush()
    except Unreadable as error:
        return _answer(error.code, error.message)
    except DomainError as error:
        return _answer(ImportErrorCode.BAD_WORKBOOK, error.detail)
    except OSError as error:
        return _answer(ImportErrorCode.SPOOL_FULL, f"The rows of the sheet could not be stored: {error.strerror}.")
    return b"{}"


def _answer(code: str, message: str) -> bytes:
    return json.dumps({"code": code, "message": message}).encode()


if __name__ == "__main__":
    limited_process.serve(convert, CONVERSION_SECONDS)
