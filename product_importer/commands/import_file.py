"""The command `import`: accept a file as an upload, and work on it in this process until it has ended.

A worker may take the import first, or continue it after this process was killed. This process is a client with a
worker of its own.
"""

import json
import logging
import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import Any, NoReturn, Self
from uuid import UUID

from product_importer import migrations
from product_importer.commands import import_report, import_source, output
from product_importer.commands.base import INTERRUPTED
from product_importer.commands.import_report import ProgressLine
from product_importer.commands.import_source import Source
from product_importer.core import db
from product_importer.core.embedded import servers
from product_importer.core.errors import Conflict, DomainError, Unprocessable
from product_importer.core.logging.logs import escaped
from product_importer.imports import options, progress, reconciler, rejected_rows, service, tasks
from product_importer.imports.options import ImportOptions
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import receiver
from product_importer.imports.upload.receiver import IncomingUpload

POLL_SECONDS = 0.2
# Between attempts to take an import that another process holds or that PostgreSQL interrupted.
RETRY_SECONDS = 2.0


def run(file: str, given: Mapping[str, object], rejects: str | None) -> int:
    """Import one file with the options given, and print the result; write rejected rows to `rejects`.

    Returns:
        0 when the import is completed, or previewed with `--dry-run`; 130 after Ctrl-C; else 1.

    Raises:
        SystemExit: the file or an option is not accepted; the message is one line.
        SourceError: the file cannot be read.
        OutputError: the rejected rows cannot be written.
    """
    # Log lines would break the progress line.
    logging.getLogger().setLevel(logging.WARNING)
    try:
        chosen = _options(given)
        if rejects:
            output.check(rejects)
        with Interrupts() as interrupts:
            with import_source.opened(file) as source, ProgressLine() as line:
                job = _import(source, chosen, line, interrupts)
            return _report(job, chosen, rejects, is_stopped=interrupts.count > 0)
    except DomainError as error:
        raise SystemExit(f"product-importer: {escaped(error.detail)}{_advice(error)}") from None
    except KeyboardInterrupt:
        print("Stopped. Nothing was imported.", file=sys.stderr)
        return INTERRUPTED


class Interrupts:
    """Handle Ctrl-C: raise KeyboardInterrupt at first; after `count_only`, only count."""

    def __init__(self) -> None:
        self.count = 0
        self._is_counted_only = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def count_only(self) -> None:
        """Count further interrupts instead of raising: what has begun must end properly."""
        self._is_counted_only = True

    def _note(self, *_: Any) -> None:
        if not self._is_counted_only:
            raise KeyboardInterrupt
        self.count += 1


def follow(job_id: UUID, line: ProgressLine, interrupts: Interrupts) -> ImportRead:
    """Work on an import, or watch another process work on it; return it when it has ended."""
    ended = Event()
    with ThreadPoolExecutor(1, thread_name_prefix="import") as pool:
        work = pool.submit(_work, job_id, ended)
        try:
            return _watch(job_id, work, line, interrupts)
        finally:
            ended.set()


def _options(given: Mapping[str, object]) -> ImportOptions:
    """Validate the options.

    Raises:
        Unprocessable: an option is invalid; the message names it as it is written on the command line.
    """
    try:
        return options.parse({name: str(value) for name, value in given.items() if value is not None})
    except Unprocessable as error:
        # The first reason for an option is enough: the others are about alternative ways to write it.
        reasons = {one["field"].partition(".")[0]: one["message"] for one in reversed(error.extra["errors"])}
        named = (f"--{name.replace('_', '-')}: {message}" for name, message in reversed(reasons.items()))
        raise Unprocessable("; ".join(named)) from None


def _import(source: Source, chosen: ImportOptions, line: ProgressLine, interrupts: Interrupts) -> ImportRead:
    # Before a long download: these fail early when a server cannot be started.
    servers.redis_url()
    migrations.migrate()
    receiver.refuse_too_many()
    with IncomingUpload(source.name) as incoming:
        _receive(source, incoming, line)
        interrupts.count_only()
        accepted = incoming.accept(chosen)
    return follow(accepted.id, line, interrupts)


def _receive(source: Source, incoming: IncomingUpload, line: ProgressLine) -> None:
    byte_count = 0

    def write(piece: bytes) -> None:
        nonlocal byte_count
        incoming.write(piece)
        byte_count += len(piece)
        line.show(import_report.received(byte_count))

    source.copy_to(write, lambda host: line.say(f"Redirected to {host}."))


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


def _report(job: ImportRead, chosen: ImportOptions, rejects: str | None, is_stopped: bool) -> int:
    # Standard output holds nothing but the rejected rows when they go there.
    summary = sys.stderr if rejects == "-" else sys.stdout
    print(import_report.summary(job), file=summary, flush=True)
    if rejects:
        output.write((piece.encode() for piece in rejected_rows.stream_rejects(job.id)), rejects)
    elif job.rejected:
        print(import_report.rejects_hint(job), file=summary, flush=True)
    if job.status == ("previewed" if chosen.dry_run else "completed"):
        return 0
    print(f"product-importer: {import_report.reason(job, is_stopped)}", file=sys.stderr)
    return INTERRUPTED if is_stopped else 1


def _advice(error: DomainError) -> str:
    """Suggest `--columns` for columns whose names come near the required ones."""
    near = error.extra.get("suggestions")
    if not near:
        return ""
    columns = json.dumps({column: field for field, column in near.items()}, ensure_ascii=False)
    return f" Perhaps: --columns {shlex.quote(columns)}"
