"""Buffer the rejected rows of an import until they are stored."""

import json
import tempfile
from collections.abc import Iterable
from typing import Self
from uuid import UUID

from psycopg2.extensions import connection as PgConnection

from product_importer.imports.parsing.records import RowError
from product_importer.imports.pipeline.staging_table import escaped

SPOOLED_BYTES = 4 * 1024 * 1024


class ErrorBuffer:
    """The rejected rows of one import, in memory, or in a file if they are many.

    They are stored in the transaction that records the staging, not while reading: a transaction that stays open
    for so long would block the worker that takes over from one that was stopped.
    """

    def __init__(self, job_id: UUID):
        self._job_id = str(job_id)
        self._file = tempfile.SpooledTemporaryFile(SPOOLED_BYTES)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, errors: Iterable[RowError]) -> None:
        """Add errors."""
        for error in errors:
            self._file.write(_error_text(self._job_id, error).encode())

    def copy(self, connection: PgConnection) -> None:
        """Store the errors inside the caller's transaction."""
        self._file.seek(0)
        with connection.cursor() as cursor:
            cursor.copy_expert("COPY import_row_error (job_id, line, code, reason, row) FROM STDIN", self._file)


def _error_text(job_id: str, error: RowError) -> str:
    row = json.dumps([value.replace("\0", "\N{SYMBOL FOR NULL}") for value in error.row], ensure_ascii=False)
    return "\t".join(escaped([job_id, str(error.line), error.code, error.reason, row])) + "\n"
