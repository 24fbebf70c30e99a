"""One import from its file to its end: read, stage, merge, finish. Every step can be taken up by another worker.

The engine commits by itself, batch by batch: what a killed worker had committed stays, counted and checkpointed.
"""

import logging

from psycopg2 import sql

from product_importer.core import outbox, storage
from product_importer.imports import events
from product_importer.imports.columns.header import Header
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.models import ImportPhase, ImportStatus
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.pipeline import dry_run, staging_table, undo
from product_importer.imports.pipeline.heartbeat import Heartbeat, Stopped
from product_importer.imports.pipeline.lease import Lease
from product_importer.imports.pipeline.merge import Merge
from product_importer.imports.pipeline.merge_sql import Statements, Steps
from product_importer.imports.pipeline.stager import Stager
from product_importer.imports.schemas import COUNTS, ImportChoices

log = logging.getLogger(__name__)

PREVIEWING = sql.SQL(f"phase = '{ImportPhase.PREVIEWING}', preview_table = %(table)s")
HELD = sql.SQL(f"phase = '{ImportPhase.MERGING}'")
MERGING = sql.SQL(f"phase = '{ImportPhase.MERGING}', undo_table = %(table)s")
END = sql.SQL(f"""
status = %(status)s, phase = '{ImportPhase.FINISHED}', finished_at = now(), percent = %(percent)s,
staging_table = %(staging_table)s, preview_table = %(preview_table)s,
lease_until = NULL, error_code = %(code)s, error_message = %(message)s, error_line = %(line)s
""")


def run(lease: Lease) -> None:
    """Carry one claimed import to its end.

    Raises:
        Fenced: another worker has taken over.
        psycopg2.OperationalError: PostgreSQL went away; the import goes on when its lease has run out.
    """
    with Heartbeat(lease) as heartbeat:
        work = ImportRun(lease, heartbeat)
        try:
            work.stage()
            if work.is_dry_run:
                work.preview()
                work.finish(ImportStatus.PREVIEWED)
            else:
                work.merge()
                work.finish(ImportStatus.COMPLETED)
        except Unreadable as error:
            work.end(ImportStatus.FAILED, error.code, error.message, error.line)
        except storage.ObjectNotFound:
            message = "The uploaded file is gone. Upload it again."
            work.end(ImportStatus.FAILED, ImportErrorCode.UPLOAD_MISSING, message)
        except Stopped:
            if heartbeat.cancelled:
                work.end(ImportStatus.CANCELLED)


class ImportRun:
    """The steps of one import under one lease."""

    def __init__(self, lease: Lease, heartbeat: Heartbeat):
        self._lease = lease
        self._job = lease.job
        self._heartbeat = heartbeat
        self._header = Header(tuple(self._job.header), tuple(self._job.fields))
        self._choices = ImportChoices.model_validate(self._job.choices)

    @property
    def is_dry_run(self) -> bool:
        """Whether only to show what would happen: asked for, and not applied yet."""
        return self._choices.dry_run and self._job.applied_at is None

    def stage(self) -> None:
        """Fill the staging table from the file."""
        Stager(self._lease, self._heartbeat, self._header, self._choices).stage()

    def preview(self) -> None:
        """Note what the merge would do with each row, in the same lanes and ranges."""
        with self._lease.connect() as connection, self._lease.transaction(connection):
            table = dry_run.create(connection, self._job.id)
            row = self._lease.write(connection, PREVIEWING, table=table)
        self._heartbeat.committed(row)
        statements = self._statements()
        self._run_lanes(statements, statements.preview(table))
        with self._lease.connect() as connection, connection:
            dry_run.index(connection, table)

    def merge(self) -> None:
        """Merge what is staged, from the checkpoints on."""
        tells_each = self._begin_events()
        with self._lease.connect() as connection, self._lease.transaction(connection):
            table = undo.create(connection, self._job.id)
            row = self._lease.write(connection, MERGING, table=table)
        self._heartbeat.committed(row)
        statements, shown = self._statements(), self._job.preview_table
        self._run_lanes(statements, statements.merge(shown, tells_each), table)

    def finish(self, status: ImportStatus) -> None:
        """Check that every row has an outcome, and only then say that the import is complete."""
        row = self._heartbeat.row
        decided = sum(row[count] for count in COUNTS)
        if decided == row["total_rows"]:
            self.end(status)
        else:
            message = f"{row['total_rows']} rows were read, but {decided} have an outcome. This is our fault."
            self.end(ImportStatus.FAILED, ImportErrorCode.ROW_SUM, message)

    def end(
        self, status: ImportStatus, code: str | None = None, message: str | None = None, line: int | None = None
    ) -> None:
        """Write the final status, its event and the end of the import's tables, together.

        A trial keeps its tables until it is applied, and what it has shown until that is complete.
        """
        row = self._heartbeat.row
        kept_table = row["staging_table"] if status == ImportStatus.PREVIEWED else None
        keeps_preview = status == ImportStatus.PREVIEWED or (
            self._job.applied_at is not None and status != ImportStatus.COMPLETED
        )
        values = {
            "status": status,
            "percent": 100.0
            if status in (ImportStatus.COMPLETED, ImportStatus.PREVIEWED)
            else self._heartbeat.percent,
            "code": code,
            "message": message,
            "line": line,
            "staging_table": kept_table,
            "preview_table": row["preview_table"] if keeps_preview else None,
        }
        with self._lease.session() as (session, connection):
            staging_table.drop_all(connection, self._job.id, keep=kept_table)
            if not keeps_preview:
                dry_run.drop(connection, self._job.id)
            row = self._lease.write(connection, END, **values)
            events.record_end(session, row)
        self._heartbeat.committed(row)
        log.info("import %s: %s %s", self._job.id, status, message or "")

    def _statements(self) -> Statements:
        return Statements(self._job.id, self._heartbeat.row["staging_table"], self._header, self._choices)

    def _run_lanes(self, statements: Statements, steps: Steps, undo_table: str = "") -> None:
        row, committed = self._heartbeat.row, self._heartbeat.committed
        work = Merge(self._lease, row["staging_table"], statements, steps, committed, undo_table=undo_table)
        work.stop = self._heartbeat.halted
        work.run(row["staged_rows"], row["lane_ends"], row["lane_checkpoints"], row["lane_created"])
        self._heartbeat.stop_if_halted()

    def _begin_events(self) -> bool:
        """Ask once whether anybody wants an event for each product; they wait for the import's end."""
        with self._lease.session() as (session, connection):
            wanted = outbox.hold_batch(session, self._job.id)
            if wanted:
                # Last, as every write of an import: under an outdated fence there must be no batch left behind.
                self._lease.write(connection, HELD)
        return wanted
