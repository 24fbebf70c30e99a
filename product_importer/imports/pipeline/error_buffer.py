"""The rows of an import that become no products, kept until they are stored."""

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
    """The rows of one import that become no products, until they are stored; a file where they are many.

    They are stored in the transaction that records the staging, and not while reading: a transaction that stays
    open for as long as a file is read would hold up whoever takes over from a reader that stands still.
    """

    def __init__(self, job_id: UUID):
        self._job_id = str(job_id)
        self._file = tempfile.SpooledTemporaryFile(SPOOLED_BYTES)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, errors: Iterable[RowError]) -> None:
        """Keep errors, each with its line, code and reason."""
        for error in errors:
            self._file.write(_error_text(self._job_id, error).encode())

    def copy(self, connection: PgConnection) -> None:
        """Store what was kept, inside the caller's transaction."""
        self._file.seek(0)
        with connection.cursor() as cursor:
            cursor.copy_expert("COPY import_row_error (job_id, line, code, reason, row) FROM STDIN", self._file)


def _error_text(job_id: str, error: RowError) -> str:
    row = json.dumps([value.replace("\0", "\N{SYMBOL FOR NULL}") for value in error.row], ensure_ascii=False)
    return "\t".join(escaped([job_id, str(error.line), error.code, error.reason, row])) + "\n"
