"""Check a Parquet file and read its header; `python -m` this module does so in a process of its own."""

from typing import Any, BinaryIO

from product_importer.imports.columns.header import check_column_count
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.parsing import head_process, limited_process
from product_importer.imports.parsing.archives import too_large
from product_importer.imports.parsing.header_sample import HeaderSample, read_header_sample
from product_importer.imports.parsing.limited_process import Task
from product_importer.imports.parsing.parquet.reader import ParquetRecords
from product_importer.imports.parsing.records import Unreadable, not_csv


def read_table(stream: BinaryIO) -> tuple[HeaderSample, int]:
    """Return the sample of a Parquet file's header and its size as text; all of it is unpacked once.

    Raises:
        Invalid: it is damaged, or holds what has no text.
        TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
    """
    try:
        records = ParquetRecords(stream)
        check_column_count(records.header()[0])
        return read_header_sample(records), records.check()
    except Unreadable as error:
        if error.code == ImportErrorCode.TOO_LARGE:
            raise too_large("What the file holds") from error
        raise not_csv(error.message) from error


def _head(task: Task) -> dict[str, Any]:
    head, size = read_table(task.stream)
    return {"head": head, "size": size}


if __name__ == "__main__":
    limited_process.serve(head_process.answering(_head))
