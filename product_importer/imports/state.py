"""What the import pages show, and what people can do there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar
from uuid import UUID

import reflex as rx

from product_importer.core.errors import DomainError, NotFound, Unavailable
from product_importer.imports import progress, service
from product_importer.imports.choices import Choices
from product_importer.imports.progress import watch
from product_importer.imports.schemas import ImportQuery, ImportRead
from product_importer.imports.uploads import IncomingUpload
from product_importer.ui.asking import ask
from product_importer.ui.words import DASH, duration, number, size

Result = TypeVar("Result")

UPLOAD = "catalogue"
HISTORY = 20
TONES = {
    "completed": "good",
    "previewed": "good",
    "failed": "bad",
    "cancelled": "neutral",
    "pending": "neutral",
    "processing": "busy",
}


@dataclass(frozen=True)
class ImportView:
    """An import in the words and numbers that the page shows."""

    id: str = ""
    filename: str = ""
    size: str = ""
    status: str = ""
    tone: str = "neutral"
    doing: str = ""
    percent: int = 0
    processed: str = DASH
    total: str = DASH
    created: str = DASH
    updated: str = DASH
    unchanged: str = DASH
    duplicates: str = DASH
    rejected: str = DASH
    has_rejects: bool = False
    error: str = ""
    created_at: str = ""
    is_running: bool = False

    @classmethod
    def of(cls, job: ImportRead) -> Self:
        """Return `job` as the page shows it."""
        return cls(
            id=str(job.id),
            filename=job.filename,
            size=size(job.size_bytes),
            status=job.status,
            tone=TONES[job.status],
            doing=_doing(job),
            percent=int(job.percent),
            processed=number(job.processed_rows),
            total=number(job.total_rows),
            created=number(job.created),
            updated=number(job.updated),
            unchanged=number(job.unchanged),
            duplicates=number(job.duplicates),
            rejected=number(job.rejected),
            has_rejects=job.is_final and job.rejected > 0,
            error=_error(job),
            created_at=job.created_at.isoformat(),
            is_running=not job.is_final,
        )


@dataclass(frozen=True)
class Refusal:
    """Why a file was not accepted."""

    title: str = ""
    detail: str = ""
    suggestions: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, error: DomainError) -> Self:
        """Put a domain error into words."""
        similar = error.extra.get("suggestions") or {}
        return cls(
            title=error.title,
            detail=error.detail,
            suggestions=[f"Is “{found}” the column “{missing}”?" for missing, found in similar.items()],
        )


class ImportState(rx.State):
    """One browser tab's view of the imports."""

    refusal: Refusal = Refusal()
    uploading: bool = False
    uploaded: int = 0
    live: ImportView = ImportView()
    missing: bool = False
    history: list[ImportView] = []  # noqa: RUF012 - Reflex copies it for each tab
    history_page: int = 1
    history_pages: int = 1
    history_total: int = 0
    loaded: bool = False

    @rx.event(background=True)
    async def start_import(self, chunks: rx.UploadChunkIterator) -> AsyncIterator[Any]:
        """Store the file while it arrives, then show its import."""
        async with self:
            self.refusal, self.uploading, self.uploaded = Refusal(), True, 0
        try:
            job = await _receive(chunks)
        except DomainError as error:
            async with self:
                self.refusal = Refusal.of(error)
            yield rx.cancel_upload(UPLOAD)
        except progress.OUTAGE:
            async with self:
                self.refusal = Refusal("The database does not answer", "Nothing was kept. Try again in a moment.")
            yield rx.cancel_upload(UPLOAD)
        else:
            yield rx.clear_selected_files(UPLOAD)
            yield rx.redirect(f"/imports/{job.id}")
        finally:
            async with self:
                self.uploading = False

    @rx.event
    def show_upload(self, progress: dict[str, float]) -> None:
        """Show how much of the file has left the browser."""
        self.uploaded = round(progress["progress"] * 100)

    @rx.event(background=True)
    async def open_imports(self) -> None:
        """Show the history, and follow what is still running until nothing is."""
        async with self:
            self.live, self.refusal, self.history_page = ImportView(), Refusal(), 1
        await self._load_history()
        while running := next((item.id for item in self.history if item.is_running), None):
            await self._follow(UUID(running))
            await self._load_history()

    @rx.event(background=True)
    async def open_import(self) -> AsyncIterator[Any]:
        """Show one import as it is, then as it goes on."""
        async with self:
            self.live, self.missing = ImportView(), False
            named = self.router.url.path.rstrip("/").rpartition("/")[2]
        try:
            await self._follow(UUID(named))
        except (ValueError, NotFound):
            async with self:
                self.missing = True
        except progress.OUTAGE:
            yield rx.toast.error("The database does not answer. Reload the page in a moment.")

    @rx.event(background=True, supersedes=True)
    async def turn_history(self, by: int) -> None:
        """Show older imports, or newer ones."""
        async with self:
            self.history_page = min(max(1, self.history_page + by), self.history_pages)
        await self._load_history()

    @rx.event(background=True)
    async def cancel_import(self) -> AsyncIterator[Any]:
        """Ask the running import to stop at its next batch."""
        try:
            await ask(service.cancel_import, UUID(self.live.id))
        except DomainError as error:
            yield rx.toast.error(error.detail)

    async def _follow(self, job_id: UUID) -> None:
        async for job in watch(job_id):
            async with self:
                self.live = ImportView.of(job)
                self.history = [self.live if item.id == self.live.id else item for item in self.history]

    async def _load_history(self) -> None:
        query = ImportQuery(page=self.history_page, page_size=HISTORY)
        try:
            found = await ask(service.list_imports, query)
        except Unavailable:
            # What was shown stays; whoever follows an import looks again.
            return
        async with self:
            self.history = [ImportView.of(job) for job in found.items]
            self.history_pages, self.history_total = found.pages, found.total
            self.loaded = True


async def _receive(chunks: rx.UploadChunkIterator) -> ImportRead:
    """Write the chunks of one file to storage and create its import.

    Raises:
        DomainError: the file is refused. The upload is then given up without reading the rest.
    """
    upload: IncomingUpload | None = None
    try:
        async for chunk in chunks:
            upload = upload or IncomingUpload(chunk.filename.rpartition("/")[2], Choices())
            await _finish(upload.write, chunk.data)
        upload = upload or IncomingUpload("")
        return await _finish(upload.accept)
    finally:
        # Does nothing to an accepted upload; removes what a refused one, or a browser that left, had sent.
        if upload is not None:
            await _finish(upload.abort)


async def _finish(function: Callable[..., Result], *args: Any) -> Result:
    """Run in a thread and wait for its end even when cancelled: `abort` must not overtake `write`."""
    call = asyncio.ensure_future(asyncio.to_thread(function, *args))
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.wait([call])
        raise


def _doing(job: ImportRead) -> str:
    """What is happening now, how fast, and how long it will take; or how long it took."""
    if job.is_final:
        return _took(job)
    steps = {
        "waiting": "Waiting for a worker",
        "reading": f"Reading the file, {job.rows_read:,} rows so far",
        "indexing": "Looking for duplicates",
        "merging": "Writing products",
        "finished": "Finishing",
    }
    parts = [steps.get(job.phase, "Working")]
    if job.rows_per_second:
        parts.append(f"{job.rows_per_second:,} rows per second")
    if job.eta_seconds is not None:
        parts.append(f"about {duration(job.eta_seconds)} left")
    return " · ".join(parts)


def _took(job: ImportRead) -> str:
    if job.started_at is None or job.finished_at is None:
        return ""
    took = f"Took {duration((job.finished_at - job.started_at).total_seconds())}"
    return f"{took} · {job.rows_per_second:,} rows per second" if job.rows_per_second else took


def _error(job: ImportRead) -> str:
    if job.error is None:
        return ""
    return job.error.message if job.error.line is None else f"Line {job.error.line:,}: {job.error.message}"
