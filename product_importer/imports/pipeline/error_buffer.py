"""Buffer the rejected rows of an import until they are stored."""

import json
import tempfile
from collections.abc import Iterable
from uuid import UUID

import pyarrow as pa
from psycopg2.extensions import connection as PgConnection

from product_importer.core.settings import settings
from product_importer.imports.parsing.records import RowError
from product_importer.imports.pipeline import copy_text, spool

SPOOLED_BYTES = 4 * 1024 * 1024


class ErrorBuffer:
    """The rejected rows of one import, in memory, or in a file if they are many.

    They are stored in the transaction that records the reading, not while reading: a transaction that stays open
    for so long would block the worker that takes over from one that was stopped.
    """

    def __init__(self, job_id: UUID):
        self._job_id = str(job_id)
        self._file = tempfile.SpooledTemporaryFile(SPOOLED_BYTES, dir=str(settings().spools))  # noqa: SIM115 - closed by `close`

    def close(self) -> None:
        """Forget the errors."""
        self._file.close()

    def add(self, errors: Iterable[RowError]) -> None:
        """Add errors.

        Raises:
            SpoolError: they cannot be kept.
        """
        if not (found := list(errors)):
            return
        columns = [
            pa.array([self._job_id] * len(found)),
            pa.array([error.line for error in found], pa.int32()),
            pa.array([error.code.value for error in found]),
            pa.array([error.reason for error in found]),
            pa.array([_row_text(error) for error in found]),
        ]
        with spool.refusing_full_disk():
            # What no longer fits into memory needs it; it may have been deleted meanwhile.
            spool.folder()
            self._file.write(copy_text.encode(columns))

    def copy(self, connection: PgConnection) -> None:
        """Store the errors inside the caller's transaction."""
        self._file.seek(0)
        with connection.cursor() as cursor:
            cursor.copy_expert("COPY import_row_error (job_id, line, code, reason, row) FROM STDIN", self._file)


def _row_text(error: RowError) -> str:
    # PostgreSQL cannot store NUL.
    return json.dumps([value.replace("\0", "\N{SYMBOL FOR NULL}") for value in error.row], ensure_ascii=False)
