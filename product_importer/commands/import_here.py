"""Import on the servers of this machine, and work on the import in this process until it has ended.

A worker may take the import first, or continue it after this process was killed. This process is a client with a
worker of its own.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Event
from typing import NoReturn
from uuid import UUID

from product_importer import migrations
from product_importer.commands import import_report
from product_importer.commands.base import INTERRUPTED
from product_importer.commands.import_report import ProgressLine
from product_importer.commands.import_source import Source
from product_importer.commands.interrupts import Interrupts
from product_importer.core import db
from product_importer.core.embedded import servers
from product_importer.core.errors import Conflict
from product_importer.core.settings import settings
from product_importer.imports import progress, reconciler, rejected_rows, service, tasks
from product_importer.imports.options import ImportOptions
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import receiver
from product_importer.imports.upload.receiver import IncomingUpload

POLL_SECONDS = 0.2
# Between attempts to take an import that another process holds or that PostgreSQL interrupted.
RETRY_SECONDS = 2.0


class LocalImporter:
    """Imports with the servers that the settings name."""

    def __init__(self) -> None:
        self.max_bytes: int | None = settings().max_upload_bytes

    def run(self, source: Source, chosen: ImportOptions, line: ProgressLine, interrupts: Interrupts) -> ImportRead:
        """Import a file, and return the import when it has ended."""
        # Before a long download: these fail early when a server cannot be started.
        servers.redis_url()
        migrations.migrate()
        receiver.refuse_too_many()
        with IncomingUpload(source.name) as incoming:
            _receive(source, incoming, line)
            interrupts.count_only()
            accepted = incoming.accept(chosen)
        return follow(accepted.id, line, interrupts)

    def rejects(self, job_id: UUID) -> Iterator[bytes]:
        """Yield the rejected rows of an import as CSV."""
        return (piece.encode() for piece in rejected_rows.stream_rejects(job_id))


def follow(job_id: UUID, line: ProgressLine, interrupts: Interrupts) -> ImportRead:
    """Work on an import, or watch another process work on it; return it when it has ended."""
    ended = Event()
    with ThreadPoolExecutor(1, thread_name_prefix="import") as pool:
        work = pool.submit(_work, job_id, ended)
        try:
            return _watch(job_id, work, line, interrupts)
        finally:
            ended.set()


def _receive(source: Source, incoming: IncomingUpload, line: ProgressLine) -> None:
    byte_count = 0
    with closing(source.pieces(line.say_redirected)) as pieces:
        for piece in pieces:
            incoming.write(piece)
            byte_count += len(piece)
            line.show(import_report.received(byte_count))


def _work(job_id: UUID, ended: Event) -> None:
    """Run an import as a worker does, again until it has ended; a run does nothing while another process has it."""
    while True:
        tasks.run(str(job_id))
        if ended.wait(RETRY_SECONDS):
            return
        # As in a web process: fail the import once it has stopped too often.
        with suppress(*db.OUTAGE):
            db.run(reconciler.reconcile)


def _watch(job_id: UUID, work: Future[None], line: ProgressLine, interrupts: Interrupts) -> ImportRead:
    is_cancelled = False
    while True:
        if work.done():
            work.result()
        if interrupts.count > 1:
            _leave(line)
        try:
            if interrupts.count and not is_cancelled:
                _cancel(job_id)
                is_cancelled = True
                line.say("Stopping after the current batch … Press Ctrl-C again to stop at once.")
            job = progress.current(job_id)
        except db.OUTAGE:
            line.show("waiting for PostgreSQL, which does not answer")
        else:
            line.show(import_report.progress_text(job))
            if job.is_final:
                return job
        servers.watch()
        time.sleep(POLL_SECONDS)


def _cancel(job_id: UUID) -> None:
    # An import that has just ended cannot be cancelled.
    with suppress(Conflict):
        db.run(service.cancel_import, job_id)


def _leave(line: ProgressLine) -> NoReturn:
    """End at once, without waiting for threads in the middle of a batch: PostgreSQL rolls their batches back."""
    line.say("Stopped at once. Merged batches stay; the import ends as soon as a web server or another import runs.")
    os._exit(INTERRUPTED)
