"""End an import: its final status, its event, and what it leaves behind."""

from typing import Any, NamedTuple

from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from sqlmodel import Session

from product_importer.imports import events
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.models import ImportPhase, ImportStatus
from product_importer.imports.pipeline import action_batches, cuts, dry_run
from product_importer.imports.pipeline.lease import Lease
from product_importer.imports.schemas import ALL_COUNTS

END = sql.SQL(f"""
status = %(status)s, phase = '{ImportPhase.FINISHED}', finished_at = now(), percent = %(percent)s,
preview_table = CASE WHEN %(keeps_outcomes)s THEN preview_table END, lease_until = NULL, spool_id = NULL,
error_code = %(code)s, error_message = %(message)s, error_line = %(line)s
""")


class Ending(NamedTuple):
    """How an import ends: its status, and for a failure code, message and physical line."""

    status: ImportStatus
    code: str | None = None
    message: str | None = None
    line: int | None = None


def of_counts(row: dict[str, Any], is_dry_run: bool) -> Ending:
    """Return how an import ends that has written all its rows: every row must have an outcome."""
    decided = sum(row[count] for count in ALL_COUNTS)
    if decided == row["total_rows"]:
        return Ending(ImportStatus.PREVIEWED if is_dry_run else ImportStatus.COMPLETED)
    message = f"{row['total_rows']} rows were read, but {decided} have an outcome, an application error."
    return Ending(ImportStatus.FAILED, ImportErrorCode.ROW_SUM, message)


def write(lease: Lease, session: Session, connection: PgConnection, ending: Ending, percent: float) -> dict[str, Any]:
    """Write the end inside the caller's transaction, and return the job's row; `percent` is how far it came.

    A dry run keeps its cuts and outcomes until it is applied, and these until that is complete.
    """
    keeps_outcomes = ending.status == ImportStatus.PREVIEWED or (
        lease.job.applied_at is not None and ending.status != ImportStatus.COMPLETED
    )
    if not keeps_outcomes:
        # What is left, `retention` drops later.
        dry_run.drop(connection, lease.job.id)
    if ending.status == ImportStatus.COMPLETED:
        cuts.delete(connection, lease.job.id)
        action_batches.delete(connection, lease.job.id)
    is_whole = ending.status in (ImportStatus.COMPLETED, ImportStatus.PREVIEWED)
    row = lease.write(
        connection,
        END,
        **ending._asdict(),
        percent=100.0 if is_whole else percent,
        keeps_outcomes=keeps_outcomes,
    )
    events.record_end(session, row)
    return row
