"""Import a file on the server of another machine: send it, and follow the import by REST."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel, ValidationError

from product_importer.commands import import_report
from product_importer.commands.base import INTERRUPTED
from product_importer.commands.import_report import ProgressLine
from product_importer.commands.import_source import Source
from product_importer.commands.interrupts import Interrupts
from product_importer.commands.remote.server import BrokenOff, RemoteError, Server, TryLater
from product_importer.imports.options import ImportOptions
from product_importer.imports.schemas import ImportAccepted, ImportRead

POLL_SECONDS = 0.5
# A file that broke off on the way is sent again, so many times in all.
MAX_ATTEMPTS = 3
RETRY_SECONDS = 2.0

Model = TypeVar("Model", bound=BaseModel)


@contextmanager
def importer(server: Server) -> "Iterator[RemoteImporter]":
    """Return what imports on a server; close the server afterwards."""
    with server:
        yield RemoteImporter(server)


class RemoteImporter:
    """Imports on another machine's server. The limits are that server's."""

    max_bytes: int | None = None

    def __init__(self, server: Server):
        self._server = server

    def run(self, source: Source, chosen: ImportOptions, line: ProgressLine, interrupts: Interrupts) -> ImportRead:
        """Send a file, and return its import when it has ended.

        Raises:
            RemoteError: the server refuses it, or there is no answer.
        """
        self._check()
        job_id = self._send(source, _form(chosen), line, interrupts)
        return self._follow(job_id, line, interrupts)

    def rejects(self, job_id: UUID) -> Iterator[bytes]:
        """Yield the rejected rows of an import as CSV."""
        with self._server.answer("GET", f"/api/jobs/{job_id}/rejects") as answer:
            yield from answer.iter_bytes()

    def _check(self) -> None:
        """Ask for something small first: a refusal in the middle of a file may get lost."""
        try:
            self._server.json("GET", "/api/jobs", params={"page_size": 1})
        except RemoteError as error:
            # A token may be for imports only.
            if error.status != HTTPStatus.FORBIDDEN:
                raise

    def _send(self, source: Source, form: dict[str, str], line: ProgressLine, interrupts: Interrupts) -> UUID:
        # With it, a file that arrived although its answer was lost is not imported twice.
        key = {"idempotency-key": str(uuid4())}
        attempts = MAX_ATTEMPTS if source.is_repeatable else 1
        while True:
            try:
                with closing(source.pieces(line.say_redirected)) as pieces:
                    file = OutgoingFile(pieces, line, interrupts.count_only)
                    named = {"file": (source.name, file)}
                    sent = self._server.json("POST", "/api/upload-csv", data=form, headers=key, files=named)
                return self._parsed(ImportAccepted, sent).job_id
            except BrokenOff as error:
                attempts -= 1
                if not attempts or interrupts.count:
                    raise
                line.say(f"{error.detail}. The file is sent again.")
                time.sleep(RETRY_SECONDS)

    def _follow(self, job_id: UUID, line: ProgressLine, interrupts: Interrupts) -> ImportRead:
        is_cancelled = False
        while True:
            if interrupts.count > 1:
                line.say("Not followed any more. The server goes on, or stops after its current batch.")
                raise SystemExit(INTERRUPTED)
            try:
                if interrupts.count and not is_cancelled:
                    self._cancel(job_id)
                    is_cancelled = True
                    line.say("Stopping after the current batch … Press Ctrl-C again to follow it no more.")
                job = self._read(job_id)
            except TryLater:
                line.show("waiting for the server, which does not answer")
            else:
                line.show(import_report.progress_text(job))
                if job.is_final:
                    return job
            time.sleep(POLL_SECONDS)

    def _read(self, job_id: UUID) -> ImportRead:
        return self._parsed(ImportRead, self._server.json("GET", f"/api/jobs/{job_id}"))

    def _parsed(self, model: type[Model], answer: object) -> Model:
        try:
            return model.model_validate(answer)
        except ValidationError:
            raise RemoteError(f"{self._server.url} is of another version: use the same one here") from None

    def _cancel(self, job_id: UUID) -> None:
        try:
            self._server.json("POST", f"/api/jobs/{job_id}/cancel")
        except RemoteError as error:
            # An import that has just ended cannot be cancelled.
            if error.status != HTTPStatus.CONFLICT:
                raise


class OutgoingFile:
    """What httpx reads as the file of a form: the pieces of a source as they come, shown as progress."""

    def __init__(self, pieces: Iterator[bytes], line: ProgressLine, ended: Callable[[], None]):
        self._pieces = pieces
        self._line = line
        self._ended = ended
        self._byte_count = 0

    def read(self, _: int = -1) -> bytes:
        """Return the next piece, of any size; empty at the end, before which `ended` is called."""
        piece = next(self._pieces, b"")
        self._byte_count += len(piece)
        self._line.show(import_report.sent(self._byte_count))
        if not piece:
            self._ended()
        return piece


def _form(chosen: ImportOptions) -> dict[str, str]:
    """Return the options as form fields, without those that were not given."""
    given = chosen.model_dump(exclude_defaults=True).items()
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given}
