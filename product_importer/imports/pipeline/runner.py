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
from product_importer.core.errors import first_line
from product_importer.core.settings import settings
from product_importer.imports import spools
from product_importer.imports.columns.header import Header
from product_importer.imports.error_codes import ImportErrorCode
from product_importer.imports.models import ImportPhase, ImportStatus
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.pipeline import (
    cuts,
    dry_run,
    endings,
    range_claims,
    row_edits,
    shared_spool,
    undo,
)
from product_importer.imports.pipeline.cuts import WHOLE
from product_importer.imports.pipeline.endings import Ending
from product_importer.imports.pipeline.heartbeat import Heartbeat, Stopped
from product_importer.imports.pipeline.lease import Lease
from product_importer.imports.pipeline.range_claims import Claim
from product_importer.imports.pipeline.range_writer import RangeWriter
from product_importer.imports.pipeline.reading import FileReader, ReadFile
from product_importer.imports.pipeline.run_columns import RunColumns
from product_importer.imports.pipeline.sharing import Helpers, Sharing
from product_importer.imports.pipeline.spool import Spool, SpoolError
from product_importer.imports.pipeline.writers import COUNTED, NOTHING, Writers, retried
from product_importer.imports.read_warnings import ReadWarnings
from product_importer.imports.schemas import ImportChoices

log = logging.getLogger(__name__)

# Workers that help with the rows of an earlier reading stop.
READING = sql.SQL(f"phase = '{ImportPhase.READING}', spool_id = NULL")
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


def run(lease: Lease, helpers: Helpers | None = None) -> None:
    """Run one claimed import to its end; `helpers` are the workers that may help, if it is to be shared.

    Raises:
        LeaseLost: another worker has taken over.
        psycopg2.OperationalError: PostgreSQL went away; the import goes on after its lease has run out.
    """
    with spools.reported(), Heartbeat(lease) as heartbeat:
        work = ImportRun(lease, heartbeat, helpers)
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

    def __init__(self, lease: Lease, heartbeat: Heartbeat, helpers: Helpers | None):
        self._lease = lease
        self._job = lease.job
        self._heartbeat = heartbeat
        self._helpers = helpers
        self._header = Header(tuple(self._job.header), tuple(self._job.fields))
        self._choices = ImportChoices.model_validate(self._job.choices)
        self._is_dry_run = self._choices.dry_run and self._job.applied_at is None

    def run(self) -> None:
        """Read the file, and write its rows."""
        if self._job.unidata not in (None, KEY_RULES):
            self.end(Ending(ImportStatus.FAILED, ImportErrorCode.KEY_RULES_CHANGED, KEY_RULES_CHANGED))
            return
        spool = self._shared_rows()
        if spool is not None:
            with spool:
                self._go_on(spool)
            return
        if self._job.phase != ImportPhase.READING:
            self._enter_reading()
        self._read_and_write()

    def _shared_rows(self) -> Spool | None:
        """Return the rows that an earlier worker of this import has read and shared; None if they cannot be had."""
        if self._job.spool_id is None:
            return None
        try:
            return shared_spool.fetch(self._job.spool_id, RunColumns.of_job(self._job).schema)
        except shared_spool.UNAVAILABLE as error:
            log.warning("import %s: its file is read again: %s", self._job.id, first_line(error))
            return None

    def _enter_reading(self) -> None:
        """Show that the file is read again."""
        with self._lease.connect() as connection, self._lease.transaction(connection):
            row = self._lease.write(connection, READING)
        self._heartbeat.committed(row)
        self._forget_shared_rows()

    def _read_and_write(self) -> None:
        is_cut, edits = self._is_cut(), self._row_edits()
        with FileReader(
            self._job, self._heartbeat, self._header, self._choices, is_cut=is_cut, edits=edits
        ) as reader:
            file = reader.read()
            self._heartbeat.stop_if_halted()
            if self._job.good_rows not in (None, file.good_rows):
                message = f"{self._job.good_rows} rows were valid before, and now {file.good_rows} are."
                self.end(Ending(ImportStatus.FAILED, ImportErrorCode.ROW_SUM, message))
            elif file.spool is None:
                self._write_at_once(file)
            else:
                self._write_ranges(file, file.spool, is_cut)

    def _is_cut(self) -> bool:
        """Whether an earlier worker has stored the ranges of this import."""
        if self._job.total_rows is None:
            return False
        with self._lease.connect() as connection, connection:
            return cuts.are_stored(connection, self._job.id)

    def _row_edits(self) -> row_edits.RowEdits | None:
        """Return the edits of the import's rows; None for one that can have none, which costs nothing."""
        if not self._choices.dry_run and self._job.parent_id is None:
            return None
        with self._lease.connect() as connection, connection:
            return row_edits.load(connection, self._job, self._header)

    def _write_at_once(self, file: ReadFile) -> None:
        """Write a small file, its counts and the end of the import in one transaction."""

        def write(is_alone: bool) -> dict[str, Any]:
            with self._lease.session() as (session, connection):
                writer = self._prepare(session, connection, file)
                make_undo = partial(undo.create, connection, self._job.id)
                counts = writer.write(connection, WHOLE, writer.pick(file.rows), make_undo, is_alone)
                self._lease.write(connection, BEGIN, **self._begun(file))
                if self._is_dry_run:
                    dry_run.index(connection, dry_run.name(self._job.id))
                row = self._lease.write(connection, COUNTED, **counts._asdict())
                return self._write_end(session, connection, row)

        self._ended(retried(write))

    def _write_ranges(self, file: ReadFile, spool: Spool, is_cut: bool) -> None:
        """Write a large file range by range, from the ranges that are not done on."""
        ranges = [] if is_cut else cuts.cut(spool.sample())
        with self._lease.session() as (session, connection):
            writer = self._prepare(session, connection, file)
            cuts.store(connection, self._job.id, ranges)
            claims = self._claim(connection)
            row = self._lease.write(connection, BEGIN, **self._begun(file))
        self._heartbeat.committed(row)
        self._merge(spool, writer, claims)

    def _go_on(self, spool: Spool) -> None:
        """Write what is left of an import whose rows an earlier worker has shared; its helpers go on meanwhile."""
        with self._lease.session() as (session, connection):
            writer = RangeWriter.of_job(self._job, self._holds_events(session))
            claims = self._claim(connection)
            row = self._lease.write(connection, NOTHING)
        self._heartbeat.committed(row)
        self._merge(spool, writer, claims)

    def _claim(self, connection: PgConnection) -> list[Claim]:
        """Claim the first ranges, and those that an earlier worker of this import had claimed."""
        range_claims.release(connection, self._job.id, self._lease.holder)
        return range_claims.claim(connection, self._job.id, self._lease.holder, settings().import_writers)

    def _merge(self, spool: Spool, writer: RangeWriter, claims: list[Claim]) -> None:
        """Write ranges, alone or with others, until all are done, and end the import."""
        writers = Writers(self._lease, spool, writer, self._heartbeat.committed, self._heartbeat.halted)
        with Sharing(self._lease, spool, self._helpers):
            writers.run_to_the_end(claims)
        self._heartbeat.stop_if_halted()
        if self._is_dry_run:
            with self._lease.connect() as connection, connection:
                dry_run.index(connection, dry_run.name(self._job.id))
        with self._lease.session() as (session, connection):
            # Other workers may have written the last ranges: only the stored row has all counts.
            row = self._lease.write(connection, NOTHING)
            row = self._write_end(session, connection, row)
        self._ended(row)

    def _write_end(self, session: Session, connection: PgConnection, row: dict[str, Any]) -> dict[str, Any]:
        """Write the end of an import whose rows are all written, inside the caller's transaction."""
        ending = endings.of_counts(row, self._is_dry_run)
        return endings.write(self._lease, session, connection, ending, self._heartbeat.percent)

    def _prepare(self, session: Session, connection: PgConnection, file: ReadFile) -> RangeWriter:
        """Store the rows that the reader rejected, inside the caller's transaction; return the writer of ranges."""
        if self._job.total_rows is None:
            file.errors.copy(connection)
        if self._is_dry_run:
            dry_run.create(connection, self._job.id)
        return RangeWriter.of_job(self._job, self._holds_events(session))

    def _holds_events(self, session: Session) -> bool:
        return not self._is_dry_run and outbox.hold_batch(session, self._job.id)

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

    def end(self, ending: Ending) -> None:
        """Write how the import ends, and its event."""
        with self._lease.session() as (session, connection):
            row = endings.write(self._lease, session, connection, ending, self._heartbeat.percent)
        self._ended(row)

    def _ended(self, row: dict[str, Any]) -> None:
        self._heartbeat.committed(row)
        self._forget_shared_rows()
        log.info("import %s: %s %s", self._job.id, row["status"], row["error_message"] or "")

    def _forget_shared_rows(self) -> None:
        """Delete the stored rows that no worker will fetch any more."""
        if self._job.spool_id is not None:
            shared_spool.delete(self._job.spool_id)
            self._job.spool_id = None
