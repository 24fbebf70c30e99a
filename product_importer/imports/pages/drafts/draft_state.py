"""The state of a draft's page: its upload, and its start as an import or a dry run."""

import asyncio
from dataclasses import replace
from uuid import UUID

import reflex as rx
from reflex.event import EventSpec, EventType
from sqlmodel import Session

from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError, NotFound
from product_importer.imports.drafts import service
from product_importer.imports.drafts.columns import told
from product_importer.imports.drafts.preview import preview
from product_importer.imports.drafts.schemas import DraftError, DraftPreview, DraftRead, DraftStatus
from product_importer.imports.options import ImportOptions
from product_importer.imports.pages.drafts.chosen_options import ChosenOptions
from product_importer.imports.pages.drafts.view_models import DraftView, Problem, ReadingView
from product_importer.imports.schemas import ImportRead
from product_importer.ui import routes, theme, toasts
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask
from product_importer.ui.shown_pages import Tab

FOLLOW_SECONDS = 0.4
RETRY_SECONDS = 2.0


class DraftState(ChosenOptions, rx.State):
    """One browser tab's view of one draft."""

    draft: DraftView = DraftView()
    # Why the start was refused.
    refusal: Problem = Problem()
    is_starting: bool = False
    # What the preview was read from: the draft's status and the bytes that had arrived.
    _read_at: tuple[str, int] = ("", -1)
    # Whether its import is shown: the draft stays until that has loaded.
    _has_left: bool = False
    # Whether what was started last is a dry run: its draft may be gone before the start is answered.
    _starts_dry_run: bool = False

    @rx.var
    def title(self) -> str:
        """The tab's title; empty where no draft is shown."""
        return theme.title(self.draft.filename) if self.draft.id else ""

    @rx.event
    def open_draft(self) -> EventType[()]:
        """Show the draft that the address names, if it is one's."""
        shown = self.router.url.path.rstrip("/").rpartition("/")[2]
        if shown != self._shown:
            self._forget()
        self._shown = shown
        return DraftState.follow_draft

    @rx.event(background=True, supersedes=True)
    async def follow_draft(self) -> EventType[()] | None:
        """Follow the upload until it has ended, and show the columns as soon as they are known."""
        async with self:
            shown = self._shown
        try:
            draft_id = parse_id(shown, "draft")
        except NotFound:
            return None
        while True:
            try:
                if not await self._follow(draft_id):
                    return None
                await asyncio.sleep(FOLLOW_SECONDS)
            except NotFound:
                return await self._leave(shown)
            except (DomainError, *OUTAGE):
                await asyncio.sleep(RETRY_SECONDS)

    @rx.event(background=True)
    async def start_import(self) -> EventType[()] | None:
        """Start the import, at once or when the upload has ended."""
        return await self._start(dry_run=False)

    @rx.event(background=True)
    async def start_dry_run(self) -> EventType[()] | None:
        """Start the dry run, at once or when the upload has ended."""
        return await self._start(dry_run=True)

    @rx.event(background=True)
    async def discard(self) -> EventType[()] | None:
        """Discard the draft and its file."""
        async with self:
            shown = self._shown
        try:
            draft_id = parse_id(shown, "draft")
        except NotFound:
            return None
        try:
            await ask(service.discard, draft_id)
        except NotFound:
            pass
        except DomainError as error:
            return toasts.error(error.title, description=error.detail)
        async with self:
            self._forget()
        return [forget_upload(shown), rx.redirect(routes.IMPORTS)]

    async def _follow(self, draft_id: UUID) -> bool:
        """Show the draft and its columns; return whether they may still change.

        Raises:
            NotFound: there is no such draft, or it has become an import.
        """
        draft = await ask(service.read_draft, draft_id)
        async with self:
            if self._shown != str(draft_id):
                return False
            self._show_draft(draft)
            must_read, options = self._must_read(draft), self._options
            may_read = must_read and not self._is_choosing()
        if may_read:
            found = await asyncio.to_thread(preview, draft_id)
            async with self:
                # What was chosen meanwhile has a newer preview, or will have: this one is made again after it.
                if options == self._options and not self._is_choosing():
                    must_read = False
                    await self._answer(found)
                    self._show_read(draft, found)
        may_change = must_read or draft.status != DraftStatus.RECEIVED
        return may_change and Tab(self).shows(f"{routes.IMPORTS}/{draft_id}")

    def _show_draft(self, draft: DraftRead) -> None:
        is_new = not self.draft.id
        self.draft = DraftView.of(draft)
        if is_new:
            self._options = draft.options
            self.filling += 1
            self._show_options()
        if draft.error != self._error:
            self._error, self.refusal = draft.error, Problem()
            self._show_problem()
            self._ask()

    def _is_choosing(self) -> bool:
        """Whether options were chosen that are not stored and shown yet, and did not fail to be."""
        return self._is_saving or (self._is_outdated and not self.fault)

    def _must_read(self, draft: DraftRead) -> bool:
        """Whether the preview would show more: nothing was shown yet, or the whole file is there now."""
        if (draft.status, draft.size_bytes) == self._read_at:
            return False
        return not self.columns or draft.status == DraftStatus.RECEIVED

    def _show_read(self, draft: DraftRead, found: DraftPreview) -> None:
        """Show a preview; the first time, focus the first open question."""
        if self._shown != str(draft.id):
            return
        had_columns, self._read_at = self.is_read, (draft.status, draft.size_bytes)
        self._show_preview(found)
        self.is_read = self.is_read or bool(found.columns or found.error)
        if self.is_read and not had_columns and self.problem.title:
            self._ask()

    async def _start(self, *, dry_run: bool) -> EventType[()] | None:
        async with self:
            if self.is_starting:
                return None
            # What was chosen a moment ago may have answered the problem: then the start itself judges it.
            if self.problem.title and not self._is_outdated:
                self._ask()
                return None
            self.is_starting, self._starts_dry_run, self.refusal = True, dry_run, Problem()
            shown, options = self._shown, self._options
            # A preview of older options may have other columns.
            is_shown = self._preview.columns and not self._is_outdated
            columns = told(self._preview.columns) if is_shown else None
        try:
            started = await ask(_start_with, parse_id(shown, "draft"), options, columns, dry_run)
        except NotFound:
            return await self._leave(shown)
        except DomainError as error:
            await self._refuse(error)
            return None
        finally:
            async with self:
                self.is_starting = False
        async with self:
            if isinstance(started, DraftRead):
                self.draft = DraftView.of(started)
                return DraftState.follow_draft
            self.draft = replace(self.draft, will_start="dry_run" if dry_run else "import")
        return await self._leave(shown)

    async def _refuse(self, error: DomainError) -> None:
        async with self:
            given = DraftError(type=error.kind, title=error.title, detail=error.detail, extra=dict(error.extra))
            self.refusal = Problem.of(given)
            self._ask()

    async def _leave(self, shown: str) -> EventType[()] | None:
        """Show the import that the draft has become, on the same address; nothing where there was no draft."""
        async with self:
            if not shown or self.draft.id != shown or self._has_left:
                return None
            self._has_left = True
            is_dry_run = self.draft.will_start == "dry_run" or self._starts_dry_run
            step = "check" if is_dry_run else "import"
        return [forget_upload(shown), rx.redirect(f"{routes.IMPORTS}/{shown}?step={step}", replace=True)]

    def _forget(self) -> None:
        """Forget the draft that was shown."""
        self.draft, self.refusal, self.fault, self._has_left = DraftView(), Problem(), "", False
        self._error, self._read_at, self._options = None, ("", -1), ImportOptions()
        self.columns, self.encodings, self.options, self.reading = [], [], {}, ReadingView()
        self.is_read = self.is_starting = self._starts_dry_run = self._is_outdated = False
        self.list_page = 1
        self._preview, self.problem = DraftPreview(), Problem()


def _start_with(
    session: Session, draft_id: UUID, options: ImportOptions, columns: dict[str, str] | None, dry_run: bool
) -> DraftRead | ImportRead:
    """Start an import with the options and columns that the page shows, of which the newest may not be stored yet."""
    service.change_options(session, draft_id, options)
    return service.start(session, draft_id, dry_run, columns)


def forget_upload(draft_id: str) -> EventSpec:
    """Take the file of a draft out of the browser's list of uploads."""
    return rx.call_script(f"uploads.forget('{UUID(draft_id)}')")
