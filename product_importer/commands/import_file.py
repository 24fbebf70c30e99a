"""The command `import`: import a file on this machine's servers or on another's, and report the result."""

import json
import logging
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol
from uuid import UUID

from product_importer.commands import import_report, import_source, output
from product_importer.commands.base import INTERRUPTED
from product_importer.commands.import_report import ProgressLine
from product_importer.commands.import_source import Source
from product_importer.commands.interrupts import Interrupts
from product_importer.core.errors import DomainError, Unprocessable
from product_importer.core.logging.logs import escaped
from product_importer.core.settings.remote import remote_settings
from product_importer.imports import options
from product_importer.imports.options import ImportOptions
from product_importer.imports.schemas import ImportRead


class Importer(Protocol):
    """Imports files somewhere. `max_bytes` is the largest file that it takes, None where only the server knows."""

    max_bytes: int | None

    def run(self, source: Source, chosen: ImportOptions, line: ProgressLine, interrupts: Interrupts) -> ImportRead:
        """Import a file, and return the import when it has ended."""

    def rejects(self, job_id: UUID) -> Iterator[bytes]:
        """Yield the rejected rows of an import as CSV."""


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
        with _importer() as importer, Interrupts() as interrupts:
            with import_source.opened(file, importer.max_bytes) as source, ProgressLine() as line:
                job = importer.run(source, chosen, line, interrupts)
            return _report(importer, job, chosen, rejects, is_stopped=interrupts.count > 0)
    except DomainError as error:
        raise SystemExit(f"product-importer: {escaped(error.detail)}{_advice(error)}") from None
    except KeyboardInterrupt:
        print("Stopped. Nothing was imported.", file=sys.stderr)
        return INTERRUPTED


def _importer() -> AbstractContextManager[Importer]:
    # Each needs packages that the other does without.
    if remote_settings().product_importer_url:
        from product_importer.commands.remote import imports, server

        return imports.importer(server.Server(remote_settings()))
    from product_importer.commands.import_here import LocalImporter

    return nullcontext(LocalImporter())


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


def _report(importer: Importer, job: ImportRead, chosen: ImportOptions, rejects: str | None, is_stopped: bool) -> int:
    # Standard output holds nothing but the rejected rows when they go there.
    summary = sys.stderr if rejects == "-" else sys.stdout
    print(import_report.summary(job), file=summary, flush=True)
    if rejects:
        output.write(importer.rejects(job.id), rejects)
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
