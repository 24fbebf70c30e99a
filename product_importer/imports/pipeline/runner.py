"""Run one import from its file to its end: read, stage, merge, finish.

Each step commits by itself, the merge range by range: what a killed worker had committed stays, counted and
checkpointed, and another worker goes on from there.
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

BEGIN_DRY_RUN = sql.SQL(f"phase = '{ImportPhase.PREVIEWING}', preview_table = %(table)s")
BEGIN_EVENTS = sql.SQL(f"phase = '{ImportPhase.MERGING}'")
BEGIN_MERGE = sql.SQL(f"phase = '{ImportPhase.MERGING}', undo_table = %(table)s")
END = sql.SQL(f"""
status = %(status)s, phase = '{ImportPhase.FINISHED}', finished_at = now(), percent = %(percent)s,
staging_table = %(staging_table)s, preview_table = %(preview_table)s,
lease_until = NULL, error_code = %(code)s, error_message = %(message)s, error_line = %(line)s
""")


def run(lease: Lease) -> None:
    """Run one claimed import to its end.

    Raises:
        LeaseLost: another worker has taken over.
        psycopg2.OperationalError: PostgreSQL went away; the import goes on after its lease has run out.
    """
    with Heartbeat(lease) as heartbeat:
        work = ImportRun(lease, heartbeat)
        try:
            work.stage()
            if work.is_dry_run:
                work.dry_run()
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
        """Whether this run only shows what would happen."""
        return self._choices.dry_run and self._job.applied_at is None

    def stage(self) -> None:
        """Fill the staging table from the file."""
        Stager(self._lease, self._heartbeat, self._header, self._choices).stage()

    def dry_run(self) -> None:
        """Store what the merge would do with each row, in the same lanes and ranges."""
        with self._lease.connect() as connection, self._lease.transaction(connection):
            table = dry_run.create(connection, self._job.id)
            row = self._lease.write(connection, BEGIN_DRY_RUN, table=table)
        self._heartbeat.committed(row)
        statements = self._statements()
        self._run_lanes(statements, statements.dry_run(table))
        with self._lease.connect() as connection, connection:
            dry_run.index(connection, table)

    def merge(self) -> None:
        """Merge the staged rows, from the checkpoints on."""
        has_events = self._begin_events()
        with self._lease.connect() as connection, self._lease.transaction(connection):
            table = undo.create(connection, self._job.id)
            row = self._lease.write(connection, BEGIN_MERGE, table=table)
        self._heartbeat.committed(row)
        statements = self._statements()
        self._run_lanes(statements, statements.merge(self._job.preview_table, has_events), table)

    def finish(self, status: ImportStatus) -> None:
        """End with this status if every row has an outcome; else the import has failed."""
        row = self._heartbeat.row
        decided = sum(row[count] for count in COUNTS)
        if decided == row["total_rows"]:
            self.end(status)
        else:
            message = f"{row['total_rows']} rows were read, but {decided} have an outcome, an application error."
            self.end(ImportStatus.FAILED, ImportErrorCode.ROW_SUM, message)

    def end(
        self, status: ImportStatus, code: str | None = None, message: str | None = None, line: int | None = None
    ) -> None:
        """Write the final status and its event, and drop the import's tables, in one transaction.

        A dry run keeps its tables until it is applied, and its outcomes until that is complete.
        """
        row = self._heartbeat.row
        kept_table = row["staging_table"] if status == ImportStatus.PREVIEWED else None
        keeps_outcomes = status == ImportStatus.PREVIEWED or (
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
            "preview_table": row["preview_table"] if keeps_outcomes else None,
        }
        with self._lease.session() as (session, connection):
            staging_table.drop_all(connection, self._job.id, keep=kept_table)
            if not keeps_outcomes:
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
        """Return whether a webhook wants an event for each product; the events are held until the import's end."""
        with self._lease.session() as (session, connection):
            is_wanted = outbox.hold_batch(session, self._job.id)
            if is_wanted:
                # Last in the transaction: with an outdated fencing token no batch must be left behind.
                self._lease.write(connection, BEGIN_EVENTS)
        return is_wanted
