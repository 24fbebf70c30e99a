"""The drafts that wait, as the import page lists them, and whether the catalogue is empty."""

import asyncio

import reflex as rx
from reflex.event import EventType
from sqlmodel import Session

from product_importer.catalog import service as catalog
from product_importer.catalog.schemas import ProductQuery
from product_importer.core.db import OUTAGE_SECONDS
from product_importer.core.errors import DomainError, NotFound
from product_importer.imports.drafts import service
from product_importer.imports.pages.drafts.draft_state import forget_upload
from product_importer.imports.pages.drafts.view_models import DraftView
from product_importer.ui import routes, toasts
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask
from product_importer.ui.shown_pages import Tab

# While the page is open, what others do is shown after at most this time.
RELOAD_SECONDS = 2.0


class DraftListState(rx.State):
    """One browser tab's view of all drafts."""

    drafts: list[DraftView] = []  # noqa: RUF012 - Reflex copies it for each tab
    is_empty_catalogue: bool = False
    # Whether the list was asked for once: what stands below it would move when it comes later.
    is_loaded: bool = False

    @rx.event(background=True, supersedes=True)
    async def follow_drafts(self) -> None:
        """Keep the list up to date while the page is open."""
        tab = Tab(self)
        while True:
            try:
                found, is_empty = await ask(_drafts), await ask(_is_empty)
            except DomainError:
                async with self:
                    self.is_loaded = True
                await asyncio.sleep(OUTAGE_SECONDS)
            else:
                await self._show(found, is_empty)
                await asyncio.sleep(RELOAD_SECONDS)
            if not tab.shows(routes.IMPORTS):
                return

    @rx.event(background=True)
    async def discard_draft(self, draft_id: str) -> EventType[()] | None:
        """Discard a draft and its file."""
        try:
            discarded = parse_id(draft_id, "draft")
        except NotFound:
            return None
        try:
            await ask(service.discard, discarded)
        except NotFound:
            pass
        except DomainError as error:
            return toasts.error(error.title, description=error.detail)
        async with self:
            self.drafts = [draft for draft in self.drafts if draft.id != draft_id]
        return forget_upload(draft_id)

    async def _show(self, drafts: list[DraftView], is_empty: bool) -> None:
        async with self:
            if drafts != self.drafts:
                self.drafts = drafts
            if is_empty != self.is_empty_catalogue:
                self.is_empty_catalogue = is_empty
            if not self.is_loaded:
                self.is_loaded = True


def _drafts(session: Session) -> list[DraftView]:
    return [DraftView.of(draft) for draft in service.list_drafts(session)]


def _is_empty(session: Session) -> bool:
    return not catalog.list_products(session, ProductQuery(page_size=1)).items
