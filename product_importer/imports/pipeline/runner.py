"""Run one import from its file to its end: read, cut into ranges of keys, write them, finish.

A small file is written in one transaction with its end. Of a large one each range commits by itself: what a killed
worker had committed stays, counted and marked, and another worker reads the file again and goes on from there.
"""

import json
import logging
from functools import partial
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from sqlmodel import Session

from product_importer.catalog.schemas import KEY_RULES
from product_importer.core import outbox, storage
from product_importer.imports.columns.header import Header
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.models import ImportPhase, ImportStatus
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.pipeline import cuts, dry_run, endings, row_edits, undo
from product_importer.imports.pipeline.cuts import WHOLE, KeyRange
from product_importer.imports.pipeline.endings import Ending
from product_importer.imports.pipeline.heartbeat import Heartbeat, Stopped
from product_importer.imports.pipeline.lease import Lease
from product_importer.imports.pipeline.range_writer import RangeWriter
from product_importer.imports.pipeline.reading import FileReader, ReadFile
from product_importer.imports.pipeline.run_columns import RunColumns
from product_importer.imports.pipeline.spool import Spool, SpoolError
from product_importer.imports.pipeline.writers import COUNTED, Writers, retried
from product_importer.imports.read_warnings import ReadWarnings
from product_importer.imports.schemas import ImportChoices

log = logging.getLogger(__name__)

READING = sql.SQL(f"phase = '{ImportPhase.READING}'")
# What the reader counts and rejects is stored once; who goes on with an import finds it there.
BEGIN = sql.SQL("""
phase = %(phase)s, undo_table = %(undo_table)s, preview_table = %(preview_table)s, rows_read = %(rows)s,
rejected = CASE WHEN total_rows IS NULL THEN %(rejected)s ELSE rejected END,
warnings = %(warnings)s::jsonb, total_rows = %(rows)s, good_rows = %(good_rows)s, unidata = %(unidata)s, attempts = 0
""")
KEY_RULES_CHANGED = (
    "The program was updated meanwhile, and compares some SKUs differently now. Upload the file again: rows that were"
    " imported before are unchanged then."
)


def run(lease: Lease) -> None:
    """Run one claimed import to its end.

    Raises:
        LeaseLost: another worker has taken over.
        psycopg2.OperationalError: PostgreSQL went away; the import goes on after its lease has run out.
    """
    with Heartbeat(lease) as heartbeat:
        work = ImportRun(lease, heartbeat)
        try:
            work.run()
        except Unreadable as error:
            work.end(Ending(ImportStatus.FAILED, error.code, error.message, error.line))
        except SpoolError as error:
            work.end(Ending(ImportStatus.FAILED, error.code, str(error)))
        except storage.ObjectNotFound:
            message = "The uploaded file is gone. Upload it again."
            work.end(Ending(ImportStatus.FAILED, ImportErrorCode.UPLOAD_MISSING, message))
        except Stopped:
            if heartbeat.cancelled:
                work.end(Ending(ImportStatus.CANCELLED))


class ImportRun:
    """The steps of one import under one lease."""

    def __init__(self, lease: Lease, heartbeat: Heartbeat):
        self._lease = lease
        self._job = lease.job
        self._heartbeat = heartbeat
        self._header = Header(tuple(self._job.header), tuple(self._job.fields))
        self._choices = ImportChoices.model_validate(self._job.choices)
        self._is_dry_run = self._choices.dry_run and self._job.applied_at is None

    def run(self) -> None:
        """Read the file, and write its rows."""
        if self._job.unidata not in (None, KEY_RULES):
            self.end(Ending(ImportStatus.FAILED, ImportErrorCode.KEY_RULES_CHANGED, KEY_RULES_CHANGED))
            return
        if self._job.phase != ImportPhase.READING:
            self._enter_reading()
        stored = self._stored_cuts()
        is_cut, edits = stored is not None, self._row_edits()
        with FileReader(
            self._job, self._heartbeat, self._header, self._choices, is_cut=is_cut, edits=edits
        ) as reader:
            file = reader.read()
            self._heartbeat.stop_if_halted()
            if self._job.good_rows not in (None, file.good_rows):
                message = f"{self._job.good_rows} rows were valid before, and now {file.good_rows} are."
                self.end(Ending(ImportStatus.FAILED, ImportErrorCode.ROW_SUM, message))
            elif file.spool is None:
                self._write_at_once(reader.columns, file)
            else:
                self._write_ranges(reader.columns, file, file.spool, stored)

    def _enter_reading(self) -> None:
        """Show that the file is read again."""
        with self._lease.connect() as connection, self._lease.transaction(connection):
            row = self._lease.write(connection, READING)
        self._heartbeat.committed(row)

    def _stored_cuts(self) -> list[KeyRange] | None:
        """Return the ranges that are still to be written; None if the import was never cut."""
        if self._job.total_rows is None:
            return None
        with self._lease.connect() as connection, connection:
            count, undone = cuts.load(connection, self._job.id)
        return undone if count else None

    def _row_edits(self) -> row_edits.RowEdits | None:
        """Return the edits of the import's rows; None for one that can have none, which costs nothing."""
        if not self._choices.dry_run and self._job.parent_id is None:
            return None
        with self._lease.connect() as connection, connection:
            return row_edits.load(connection, self._job, self._header)

    def _write_at_once(self, columns: RunColumns, file: ReadFile) -> None:
        """Write a small file, its counts and the end of the import in one transaction."""

        def write(is_alone: bool) -> dict[str, Any]:
            with self._lease.session() as (session, connection):
                writer = self._prepare(session, connection, columns, file)
                make_undo = partial(self._make_undo, connection)
                counts = writer.write(connection, WHOLE, writer.pick(file.rows), make_undo, is_alone)
                if self._is_dry_run:
                    dry_run.index(connection, dry_run.name(self._job.id))
                self._lease.write(connection, BEGIN, **self._begun(file))
                row = self._lease.write(connection, COUNTED, **counts._asdict())
                ending = endings.of_counts(row, self._is_dry_run)
                return endings.write(self._lease, session, connection, ending, self._heartbeat.percent)

        self._ended(retried(write))

    def _write_ranges(self, columns: RunColumns, file: ReadFile, spool: Spool, stored: list[KeyRange] | None) -> None:
        """Write a large file range by range, from the ranges that are not done on."""
        ranges = cuts.cut(spool.sample()) if stored is None else stored
        with self._lease.session() as (session, connection):
            writer = self._prepare(session, connection, columns, file)
            if stored is None:
                cuts.store(connection, self._job.id, ranges)
            row = self._lease.write(connection, BEGIN, **self._begun(file))
        self._heartbeat.committed(row)
        Writers(self._lease, spool, writer, self._heartbeat.committed, self._heartbeat.halted).run(ranges)
        self._heartbeat.stop_if_halted()
        if self._is_dry_run:
            with self._lease.connect() as connection, connection:
                dry_run.index(connection, dry_run.name(self._job.id))
        self.end(endings.of_counts(self._heartbeat.row, self._is_dry_run))

    def _prepare(
        self, session: Session, connection: PgConnection, columns: RunColumns, file: ReadFile
    ) -> RangeWriter:
        """Store the rows that the reader rejected, inside the caller's transaction; return the writer of ranges."""
        if self._job.total_rows is None:
            file.errors.copy(connection)
        if self._is_dry_run:
            outcomes: str | None = dry_run.create(connection, self._job.id)
            return RangeWriter(self._job.id, columns, self._choices, outcomes, is_dry_run=True)
        has_events = outbox.hold_batch(session, self._job.id)
        return RangeWriter(self._job.id, columns, self._choices, self._job.preview_table, has_events=has_events)

    def _begun(self, file: ReadFile) -> dict[str, Any]:
        name = dry_run.name(self._job.id) if self._is_dry_run else self._job.preview_table
        return {
            "phase": ImportPhase.PREVIEWING if self._is_dry_run else ImportPhase.MERGING,
            "undo_table": None if self._is_dry_run else undo.name(self._job.id),
            "preview_table": name,
            "rows": file.rows_read,
            "good_rows": file.good_rows,
            "rejected": file.rejected,
            "warnings": json.dumps(ReadWarnings.of(self._job.warnings).replace(file.warnings).stored()),
            "unidata": KEY_RULES,
        }

    def _make_undo(self, connection: PgConnection) -> str:
        return undo.create(connection, self._job.id)

    def end(self, ending: Ending) -> None:
        """Write how the import ends, and its event."""
        with self._lease.session() as (session, connection):
            row = endings.write(self._lease, session, connection, ending, self._heartbeat.percent)
        self._ended(row)

    def _ended(self, row: dict[str, Any]) -> None:
        self._heartbeat.committed(row)
        log.info("import %s: %s %s", self._job.id, row["status"], row["error_message"] or "")
