"""What the page of one import shows, and what people can do with it."""

from collections.abc import Callable
from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError, NotFound
from product_importer.imports import service
from product_importer.imports.pages.view_models import ImportView, Refusal
from product_importer.imports.progress import watch
from product_importer.imports.schemas import ImportRead
from product_importer.ui import toasts
from product_importer.ui.services import ask


class ImportState(rx.State):
    """One browser tab's view of one import."""

    live: ImportView = ImportView()
    missing: bool = False
    problem: str = ""
    # What was asked for and is not answered yet.
    is_asking: bool = False
    refusal: Refusal = Refusal()
    _shown: str = ""

    @rx.event
    def open_import(self) -> EventType[()]:
        """Show the import that the address names, as it is, then as it goes on."""
        self.live, self.missing, self.is_asking, self.refusal = ImportView(), False, False, Refusal()
        self._shown = self.router.url.path.rstrip("/").rpartition("/")[2]
        return ImportState.follow_import

    @rx.event(background=True, supersedes=True)
    async def follow_import(self) -> None:
        """Follow the import until nothing about it changes any more."""
        async with self:
            shown, self.problem = self._shown, ""
        try:
            await self._follow(UUID(shown))
        except (ValueError, NotFound):
            async with self:
                self.missing = True
        except OUTAGE:
            async with self:
                self.problem = "The database does not answer. Try again in a moment."

    @rx.event(background=True)
    async def cancel_import(self, job_id: str) -> EventType[()] | None:
        """Ask a running import to stop at its next batch."""
        try:
            await ask(service.cancel_import, UUID(job_id))
        except DomainError as error:
            return toasts.error(error.detail)
        return None

    @rx.event(background=True)
    async def retry_import(self) -> EventType[()] | None:
        """Go on where the import stopped; let a trial look again."""
        return await self._ask(service.retry_import)

    @rx.event(background=True)
    async def apply_import(self) -> EventType[()] | None:
        """Do what the trial has shown."""
        return await self._ask(service.apply_import)

    async def _ask(self, intention: Callable[..., ImportRead]) -> EventType[()] | None:
        """Carry out an intention, then follow what comes of it; a refusal stays on the page until it is read."""
        async with self:
            if self.is_asking:
                return None
            self.is_asking, self.refusal, job_id = True, Refusal(), self.live.id
        try:
            job = await ask(intention, UUID(job_id))
        except DomainError as error:
            async with self:
                self.is_asking, self.refusal = False, Refusal.of(error)
            return None
        async with self:
            self.is_asking = False
            if str(job.id) != job_id:
                return rx.redirect(f"/imports/{job.id}")
            self.live = ImportView.of(job)
        return ImportState.follow_import

    async def _follow(self, job_id: UUID) -> None:
        async for job in watch(job_id):
            async with self:
                if str(job.id) == self._shown:
                    self.live = ImportView.of(job)
