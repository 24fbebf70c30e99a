"""State of the page of one import: its live progress, and its actions."""

from collections.abc import Callable
from uuid import UUID

import reflex as rx
from reflex.event import EventType
from sqlmodel import Session

from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError, NotFound, Unavailable
from product_importer.core.outages import unavailable
from product_importer.imports import service
from product_importer.imports.drafts import service as drafts
from product_importer.imports.pages.error_view import ErrorView
from product_importer.imports.pages.running.running_state import look_again, tell
from product_importer.imports.pages.running.speed_state import SpeedState, measure
from product_importer.imports.pages.view_models import ImportView
from product_importer.imports.schemas import ImportRead
from product_importer.imports.watching import watch
from product_importer.ui import routes, theme, toasts
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask


class ImportState(rx.State):
    """One browser tab's view of one import."""

    live: ImportView = ImportView()
    missing: bool = False
    load_error: str = ""
    # Whether an action was requested and is not answered yet.
    is_busy: bool = False
    action_error: ErrorView = ErrorView()
    _shown: str = ""

    @rx.var
    def title(self) -> str:
        """The tab's title: how far the import is, then what it is."""
        running = f"{self.live.percent} % " if self.live.is_running and self.live.id else ""
        return theme.title(f"{running}{self.live.filename or 'Import'}")

    @rx.event
    def open_import(self) -> EventType[()]:
        """Show the import that the address names, and follow its progress; a draft's page shows a draft."""
        shown = self.router.url.path.rstrip("/").rpartition("/")[2]
        if shown != self._shown:
            self.live = ImportView()
        self.missing, self.is_busy, self.action_error, self._shown = False, False, ErrorView(), shown
        return ImportState.follow_import

    @rx.event(background=True, supersedes=True)
    async def follow_import(self) -> EventType[()] | None:
        """Follow the import until it has ended, then let the address name the step that it has come to."""
        async with self:
            shown, self.load_error = self._shown, ""
        try:
            # In this order: a draft may become an import meanwhile, but not the other way round.
            import_id = parse_id(shown, "import")
            if not await ask(is_draft, import_id):
                await self._follow(import_id)
        except NotFound:
            async with self:
                self.missing = True
        except (Unavailable, *OUTAGE) as error:
            async with self:
                self.load_error = error.detail if isinstance(error, Unavailable) else unavailable(error).detail
        async with self:
            return self._to_step()

    @rx.event(background=True)
    async def cancel_import(self, job_id: str) -> EventType[()] | None:
        """Cancel a running import after its current batch."""
        try:
            await ask(service.cancel_import, parse_id(job_id, "import"))
        except DomainError as error:
            return toasts.error(error.detail)
        return None

    @rx.event(background=True)
    async def retry_import(self) -> EventType[()] | None:
        """Continue the import where it stopped, or repeat a dry run."""
        return await self._act(service.retry_import)

    @rx.event(background=True)
    async def apply_import(self) -> EventType[()] | None:
        """Apply the dry run."""
        return await self._act(service.apply_import)

    async def _act(self, action: Callable[..., ImportRead]) -> EventType[()] | None:
        """Call a service with the import's id, then follow the import; an error stays on the page."""
        async with self:
            if self.is_busy:
                return None
            self.is_busy, self.action_error, job_id = True, ErrorView(), self.live.id
        try:
            job = await ask(action, parse_id(job_id, "import"))
        except DomainError as error:
            async with self:
                self.is_busy, self.action_error = False, ErrorView.of(error)
            return None
        async with self:
            self.is_busy = False
            self.live = ImportView.of(job)
        return ImportState.follow_import

    def _to_step(self) -> EventType[()] | None:
        """Correct the step in the address, if it names one; also Back and a reload then show what is shown now."""
        named, shown = self.router.url.query_parameters.get("step"), self.live
        if named in (None, shown.step) or shown.id != self.router.url.path.rstrip("/").rpartition("/")[2]:
            return None
        return rx.redirect(f"{routes.IMPORTS}/{shown.id}?step={shown.step}", replace=True)

    async def _follow(self, job_id: UUID) -> None:
        async for job in watch(job_id):
            async with self:
                if str(job.id) != self._shown:
                    return
                self.live = ImportView.of(job)
                measure(await self.get_state(SpeedState), job)
                await tell(self, job)
            if job.is_final:
                look_again()


def is_draft(session: Session, draft_id: UUID) -> bool:
    """Whether the id is that of a draft."""
    try:
        return bool(drafts.read_draft(session, draft_id))
    except NotFound:
        return False
