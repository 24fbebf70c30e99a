"""What a person is about to import, and how: the file on its way, the choices, the columns."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import reflex as rx
from reflex.event import EventSpec

from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError
from product_importer.imports.options import Choices, parse
from product_importer.imports.pages import labels
from product_importer.imports.pages.mapping_form_data import Pairing
from product_importer.imports.pages.view_models import Refusal
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import receiver
from product_importer.imports.upload.receiver import IncomingUpload, accepted
from product_importer.ui import routes, toasts

Result = TypeVar("Result")

UPLOAD = "catalogue"
NO_ANSWER = Refusal("The database does not answer", "Nothing was kept. Try again in a moment.")


class UploadState(rx.State):
    """What one browser tab is about to import."""

    # How a shop maintains its catalogue is the same tomorrow; the browser keeps it.
    mode: str = rx.LocalStorage("upsert", name="import-mode")
    duplicates: str = rx.LocalStorage("last", name="import-duplicates")
    blank: str = rx.LocalStorage("clear", name="import-blank")
    # How one file was written says nothing of the next.
    encoding: str = ""
    delimiter: str = ""
    # "remembered": as they were accepted for a file with this header; "ask": by their names, else they are asked for.
    columns: str = "remembered"
    pairing: Pairing = Pairing()
    is_dry_run: bool = False
    uploading: bool = False
    uploaded: int = 0
    refusal: Refusal = Refusal()
    # Another number means another file, or another way to read it.
    _reading: int = 0

    @rx.var
    def choices_told(self) -> list[str]:
        """What is chosen beside the usual."""
        told = labels.unusual(self.mode, self.duplicates, self.blank)
        if self.encoding in labels.ENCODINGS and self.encoding:
            told.append(labels.encoding(self.encoding))
        if self.delimiter in labels.CHARACTERS:
            told.append(f"by {labels.DELIMITERS[self.delimiter].lower()}")
        if self.columns == "ask":
            told.append("columns asked for")
        return told

    @rx.var
    def is_pairing(self) -> bool:
        """Whether the file's columns are asked for."""
        return bool(self.pairing.columns)

    @rx.var
    def pairing_problem(self) -> str:
        """Why the file cannot be imported with these columns."""
        return self.pairing.problem() if self.is_pairing else ""

    @rx.event
    def open_form(self) -> None:
        """Forget what an earlier visit was told."""
        if not self.uploading:
            self._forget()

    @rx.event
    def forget_refusal(self) -> None:
        """What was wrong with one file says nothing of another."""
        self._forget()

    @rx.event
    def choose_mode(self, mode: str) -> None:
        """Say which products may be created or updated."""
        self.mode = mode

    @rx.event
    def choose_duplicates(self, duplicates: str) -> None:
        """Say which row counts where an SKU stands in several."""
        self.duplicates = duplicates

    @rx.event
    def choose_blank(self, blank: str) -> None:
        """Say what a blank cell does."""
        self.blank = blank

    @rx.event
    def choose_encoding(self, encoding: str) -> None:
        """Say how the text is encoded; nothing lets it be found. Read so, the file may have other columns."""
        self.encoding = encoding
        self._forget()

    @rx.event
    def choose_delimiter(self, delimiter: str) -> None:
        """Say what parts the cells; nothing lets it be found. Read so, the file may have other columns."""
        self.delimiter = delimiter
        self._forget()

    @rx.event
    def choose_columns(self, columns: str) -> None:
        """Say whether columns are taken as they were accepted before."""
        self.columns = columns

    @rx.event
    def forget_choices(self) -> None:
        """Choose the usual again."""
        self.mode, self.duplicates, self.blank = "upsert", "last", "clear"
        self.encoding, self.delimiter, self.columns = "", "", "remembered"
        self._forget()

    @rx.event
    def pair_field(self, field: str, column: str) -> None:
        """Take a column of the file for a field; none where it is empty."""
        self.pairing = self.pairing.choose(field, column)

    @rx.event(background=True)
    async def start_import(self, chunks: rx.UploadChunkIterator) -> list[EventSpec]:
        """Store the file while it arrives, then show its import."""
        async with self:
            self.is_dry_run = False
        return await self._send(chunks)

    @rx.event(background=True)
    async def try_import(self, chunks: rx.UploadChunkIterator) -> list[EventSpec]:
        """The same, only to see what would happen."""
        async with self:
            self.is_dry_run = True
        return await self._send(chunks)

    @rx.event
    def show_upload(self, progress: dict[str, float]) -> None:
        """Show how much of the file has left the browser."""
        self.uploaded = round(progress["progress"] * 100)

    async def _send(self, chunks: rx.UploadChunkIterator) -> list[EventSpec]:
        async with self:
            self.refusal, self.uploading, self.uploaded = Refusal(), True, 0
            chosen, reading = self._chosen(), self._reading
        try:
            job = await _receive(chunks, parse(chosen))
        except DomainError as error:
            async with self:
                self._refuse(error, reading)
            return [rx.cancel_upload(UPLOAD)]
        except OUTAGE:
            async with self:
                self.refusal = NO_ANSWER
            return [rx.cancel_upload(UPLOAD)]
        finally:
            async with self:
                self.uploading = False
        async with self:
            self._forget()
            is_still_here = self.router.url.path.rstrip("/") == routes.IMPORTS
        return [rx.clear_selected_files(UPLOAD), *_shown(job, is_still_here)]

    def _refuse(self, error: DomainError, reading: int) -> None:
        """Say what was wrong; where it was the header, ask which columns are meant."""
        self.refusal, asked = Refusal.of(error), Pairing.of(error)
        if asked.columns and reading == self._reading:
            self.pairing = asked
            self.refusal = replace(self.refusal, detail=asked.question(error), tone="warning")

    def _chosen(self) -> dict[str, Any]:
        """What is chosen, as a form would say it. The browser kept some of it, and may have kept nonsense."""
        chosen: dict[str, Any] = {
            "mode": self.mode if self.mode in labels.MODES else "upsert",
            "duplicates": self.duplicates if self.duplicates in labels.DUPLICATES else "last",
            "blank": self.blank if self.blank in labels.BLANKS else "clear",
            "encoding": self.encoding,
            "delimiter": labels.CHARACTERS.get(self.delimiter, self.delimiter),
        }
        # Without any, what was accepted before is not remembered either.
        columns = self.pairing.targets() or ({} if self.columns == "ask" else None)
        told = {name: value for name, value in chosen.items() if value}
        return told | {"dry_run": self.is_dry_run, "columns": columns}

    def _forget(self) -> None:
        self.refusal, self.pairing = Refusal(), Pairing()
        self._reading += 1


async def _receive(chunks: rx.UploadChunkIterator, choices: Choices) -> ImportRead:
    """Write the chunks of one file to storage and create its import.

    Raises:
        DomainError: the file is refused. The upload is then given up without reading the rest.
    """
    await asyncio.to_thread(receiver.refuse_too_many)
    upload: IncomingUpload | None = None
    try:
        async for chunk in chunks:
            upload = upload or IncomingUpload(chunk.filename.rpartition("/")[2], choices)
            await _finished(asyncio.to_thread(upload.write, chunk.data))
        upload = upload or IncomingUpload("", choices)
        return await _finished(accepted(upload.accept, choices, refuse_running=True))
    finally:
        # Does nothing to an accepted upload; removes what a refused one, or a browser that left, had sent.
        if upload is not None:
            await _finished(asyncio.to_thread(upload.abort))


async def _finished(work: Coroutine[Any, Any, Result]) -> Result:
    """Wait for the end of a thread's work even when cancelled: `abort` must not overtake `write`."""
    call = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.wait([call])
        raise


def _shown(job: ImportRead, is_still_here: bool) -> list[EventSpec]:
    """Go to the import; whoever has gone elsewhere meanwhile is only told of it."""
    if is_still_here:
        return [rx.redirect(f"/imports/{job.id}")]
    return [toasts.success(f"“{job.filename}” has arrived.", description="Its import goes on; see Imports.")]
