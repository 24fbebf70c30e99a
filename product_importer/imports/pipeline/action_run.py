"""Run one action on products: choose them, write batch by batch, finish.

Each batch commits by itself, with its counts and its mark: another worker goes on behind what a killed one has done.
"""

import logging
from collections.abc import Iterator
from typing import Any

from psycopg2 import sql
from psycopg2.extras import Json

from product_importer.core import outbox
from product_importer.core.settings import settings
from product_importer.imports.action_schemas import ActionKind, StoredAction
from product_importer.imports.models import ImportPhase, ImportStatus
from product_importer.imports.pipeline import action_batches, endings, undo
from product_importer.imports.pipeline.action_writes import ActionWriter
from product_importer.imports.pipeline.endings import Ending
from product_importer.imports.pipeline.heartbeat import Heartbeat, Stopped
from product_importer.imports.pipeline.lease import Lease, LeaseLost
from product_importer.imports.pipeline.writers import in_threads, retried
from product_importer.imports.read_warnings import WarningCode, warning

log = logging.getLogger(__name__)

BEGIN = sql.SQL(f"""
phase = '{ImportPhase.MERGING}', undo_table = %(undo_table)s, total_rows = %(total)s, rows_read = %(total)s,
attempts = 0
""")
COUNTED = sql.SQL("""
updated = updated + %(updated)s, deleted = deleted + %(deleted)s, unchanged = unchanged + %(unchanged)s, attempts = 0
""")
# Only actions that set attributes have this warning, and no other one.
WARNED = sql.SQL("""{counted},
warnings = jsonb_build_array(
    %(warning)s::jsonb || jsonb_build_object('count', coalesce((warnings -> 0 ->> 'count')::integer, 0) + %(full)s)
)
""").format(counted=COUNTED)


def run(lease: Lease) -> None:
    """Run one claimed action to its end.

    Raises:
        LeaseLost: another worker has taken over.
        psycopg2.OperationalError: PostgreSQL went away; the action goes on after its lease has run out.
    """
    with Heartbeat(lease) as heartbeat:
        work = ActionRun(lease, heartbeat)
        try:
            work.run()
        except Stopped:
            if heartbeat.cancelled:
                work.end(Ending(ImportStatus.CANCELLED))


class ActionRun:
    """The steps of one action under one lease."""

    def __init__(self, lease: Lease, heartbeat: Heartbeat):
        self._lease = lease
        self._job = lease.job
        self._heartbeat = heartbeat
        self._action = StoredAction.model_validate(self._job.action)
        self._is_deletion = self._action.kind == ActionKind.DELETE

    def run(self) -> None:
        """Choose the products, unless an earlier worker has, and write what is not written yet."""
        self._heartbeat.stop_if_halted()
        if self._job.total_rows is None:
            with self._lease.new_session() as session:
                action_batches.choose(session, self._job.id, self._action.criteria())
            self._heartbeat.stop_if_halted()
        self._begin()
        coming = iter(self._left)
        count = min(settings().import_writers, len(self._left))
        if count:
            in_threads(lambda: self._write_batches(coming), count, self._heartbeat.halted)
        self._heartbeat.stop_if_halted()
        self.end(endings.of_counts(self._heartbeat.row, is_dry_run=False))

    def end(self, ending: Ending) -> None:
        """Write how the action ends, and its event."""
        with self._lease.session() as (session, connection):
            row = endings.write(self._lease, session, connection, ending, self._heartbeat.percent)
        self._heartbeat.committed(row)
        log.info("import %s: %s %s", self._job.id, row["status"], row["error_message"] or "")

    def _begin(self) -> None:
        with self._lease.session() as (session, connection):
            self._left = action_batches.left(session, self._job.id)
            has_events = outbox.hold_batch(session, self._job.id)
            self._writer = ActionWriter(self._job.id, self._action, has_events)
            total = action_batches.total(session, self._job.id)
            undo_table = undo.create(connection, self._job.id, of_deleted=self._is_deletion)
            row = self._lease.write(connection, BEGIN, undo_table=undo_table, total=total)
        self._heartbeat.committed(row)

    def _write_batches(self, coming: Iterator[int]) -> None:
        """Write batches until all are taken; the iterator of a list gives each of them to one thread only."""
        for number in coming:
            if self._heartbeat.halted.is_set():
                return
            row = retried(lambda is_alone: self._write(number, is_alone))  # noqa: B023 - called at once
            self._heartbeat.committed(row)

    def _write(self, number: int, is_alone: bool) -> dict[str, Any]:
        with self._lease.session() as (session, connection):
            written = self._writer.write(session, number, is_alone)
            products = action_batches.mark_done(connection, self._job.id, number)
            if products is None:
                raise LeaseLost(f"import {self._job.id}: batch {number} is done already")
            return self._lease.write(
                connection,
                WARNED if written.full else COUNTED,
                updated=0 if self._is_deletion else written.products,
                deleted=written.products if self._is_deletion else 0,
                unchanged=products - written.products,
                full=written.full,
                warning=Json(warning(WarningCode.ATTRIBUTES_FULL)),
            )
