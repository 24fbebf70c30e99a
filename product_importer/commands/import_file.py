"""The command `import`: a file goes in as every upload does, and this process works on it until it has ended.

A worker that runs beside may be quicker to take it, or goes on where this process was killed; either way this is
only a client that happens to bring a worker along.
"""

import argparse
import json
import logging
import os
import shlex
import signal
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import Any, NoReturn, Self
from uuid import UUID

from product_importer import migrations
from product_importer.commands import import_report, import_source, output
from product_importer.commands.import_report import ProgressLine
from product_importer.commands.import_source import Source
from product_importer.core import db
from product_importer.core.embedded import servers
from product_importer.core.errors import Conflict, DomainError, Unprocessable
from product_importer.core.logs import escaped
from product_importer.imports import options, progress, reconciler, rejected_rows, service, tasks
from product_importer.imports.options import ImportOptions
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import receiver
from product_importer.imports.upload.receiver import IncomingUpload

LOOK_SECONDS = 0.2
# An import that another process holds, or that PostgreSQL interrupted, is asked for again so often.
RETRY_SECONDS = 2.0
STOPPED = 130


def run(chosen: argparse.Namespace) -> int:
    """Import one file and say what became of it.

    Returns:
        0 when it is completed, or previewed where only that was asked for; 130 after Ctrl-C; else 1.
    """
    # A line tells how far it is; a log would cut it into pieces.
    logging.getLogger().setLevel(logging.WARNING)
    try:
        given = _options(chosen)
        if chosen.rejects:
            output.check(chosen.rejects)
        with Interrupts() as interrupts:
            with import_source.opened(chosen.file) as source, ProgressLine() as line:
                job = _import(source, given, line, interrupts)
            return _report(job, given, chosen, is_stopped=interrupts.count > 0)
    except DomainError as refusal:
        raise SystemExit(f"product-importer: {escaped(refusal.detail)}{_advice(refusal)}") from None
    except (import_source.SourceError, output.OutputError) as error:
        raise SystemExit(f"product-importer: {escaped(str(error))}") from None
    except KeyboardInterrupt:
        print("Stopped. Nothing of the file was kept.", file=sys.stderr)
        return STOPPED


class Interrupts:
    """What Ctrl-C does: it ends the program as ever, but from `count_only` on it is only counted."""

    def __init__(self) -> None:
        self.count = 0
        self._is_counted_only = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def count_only(self) -> None:
        """From here on nothing is left half-way."""
        self._is_counted_only = True

    def _note(self, *_: Any) -> None:
        if not self._is_counted_only:
            raise KeyboardInterrupt
        self.count += 1


def follow(job_id: UUID, line: ProgressLine, interrupts: Interrupts) -> ImportRead:
    """Work on an import, or watch whoever does, and return it when it has ended."""
    ended = Event()
    with ThreadPoolExecutor(1, thread_name_prefix="import") as pool:
        work = pool.submit(_work, job_id, ended)
        try:
            return _watch(job_id, work, line, interrupts)
        finally:
            ended.set()


def _options(chosen: argparse.Namespace) -> ImportOptions:
    """Return what the options choose; a refusal names them as they are written."""
    told = {name: getattr(chosen, name) for name in ImportOptions.model_fields}
    given = {name: str(value) for name, value in told.items() if value is not None}
    try:
        return options.parse(given)
    except Unprocessable as refusal:
        # Of one option, the first reason says it: the others are of other ways to write it.
        reasons = {fault["field"].partition(".")[0]: fault["message"] for fault in reversed(refusal.extra["errors"])}
        named = (f"--{name.replace('_', '-')}: {message}" for name, message in reversed(reasons.items()))
        raise Unprocessable("; ".join(named)) from None


def _import(source: Source, given: ImportOptions, line: ProgressLine, interrupts: Interrupts) -> ImportRead:
    # Servers that cannot be started are told of before a long download.
    servers.redis_url()
    migrations.migrate()
    receiver.refuse_too_many()
    with IncomingUpload(source.name) as incoming:
        _receive(source, incoming, line)
        interrupts.count_only()
        accepted = incoming.accept(given)
    return follow(accepted.id, line, interrupts)


def _receive(source: Source, incoming: IncomingUpload, line: ProgressLine) -> None:
    byte_count = 0

    def write(piece: bytes) -> None:
        nonlocal byte_count
        incoming.write(piece)
        byte_count += len(piece)
        line.show(import_report.received(byte_count))

    source.pour(write, lambda host: line.say(f"Redirected to {host}."))


def _work(job_id: UUID, ended: Event) -> None:
    """Run an import as a worker does, again and again until it has ended: nothing happens while another has it."""
    while True:
        tasks.run(str(job_id))
        if ended.wait(RETRY_SECONDS):
            return
        # Ends it as a web process would, once it has stopped too often.
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
                line.say("Stopping at the edge of a batch … Press Ctrl-C again to leave at once.")
            job = progress.current(job_id)
        except db.OUTAGE:
            line.show("waiting for PostgreSQL, which does not answer")
        else:
            line.show(import_report.how_far(job))
            if job.is_final:
                return job
        servers.watch()
        time.sleep(LOOK_SECONDS)


def _cancel(job_id: UUID) -> None:
    # It may have ended just now: then there is nothing to cancel.
    with suppress(Conflict):
        db.run(service.cancel_import, job_id)


def _leave(line: ProgressLine) -> NoReturn:
    """End at once, as if killed: threads in the middle of a batch would be waited for. Their batches roll back."""
    line.say("Left. What is merged stays; the import ends as soon as a web server or another import runs.")
    os._exit(STOPPED)


def _report(job: ImportRead, given: ImportOptions, chosen: argparse.Namespace, is_stopped: bool) -> int:
    # Where standard output is the file of rejects, it holds nothing else.
    people = sys.stderr if chosen.rejects == "-" else sys.stdout
    print(import_report.summary(job), file=people, flush=True)
    if chosen.rejects:
        output.write(rejected_rows.stream_rejects(job.id), chosen.rejects)
    elif job.rejected:
        print(import_report.rejects_hint(job), file=people, flush=True)
    if job.status == ("previewed" if given.dry_run else "completed"):
        return 0
    print(f"product-importer: {import_report.reason(job, is_stopped)}", file=sys.stderr)
    return STOPPED if is_stopped else 1


def _advice(refusal: DomainError) -> str:
    """Say how to name columns that are there under other names."""
    near = refusal.extra.get("suggestions")
    if not near:
        return ""
    columns = json.dumps({column: field for field, column in near.items()}, ensure_ascii=False)
    return f" Perhaps: --columns {shlex.quote(columns)}"
