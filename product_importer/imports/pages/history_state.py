"""The state of the import history, and of the import that is running."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self
from uuid import UUID

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventType

from product_importer.core.db import OUTAGE, OUTAGE_SECONDS
from product_importer.core.errors import DomainError, Unavailable
from product_importer.imports import service
from product_importer.imports.models import ImportStatus, UndoStatus
from product_importer.imports.pages.view_models import ImportView
from product_importer.imports.progress import watch
from product_importer.imports.schemas import ImportPage, ImportQuery
from product_importer.ui import routes
from product_importer.ui.address_list import AddressListState, Listing, replace_address
from product_importer.ui.services import ask, ask_page

PAGE_SIZE = 20


@dataclass(frozen=True)
class ImportListing(Listing):
    """Which imports are listed: those whose file name contains `q`, and which page of them."""

    ROUTE: ClassVar[str] = routes.IMPORTS

    q: str = ""
    page: int = 1

    @classmethod
    def from_address(cls, parameters: Mapping[str, str]) -> Self:
        """Read the address's parameters; invalid ones are ignored."""
        page = parameters.get("page", "")
        listing = cls(parameters.get("q", ""), int(page) if page.isdecimal() and len(page) < 10 else 1)
        try:
            listing.query()
        except ValidationError:
            return cls()
        return listing

    def query(self) -> ImportQuery:
        """Return the query for the service.

        Raises:
            ValidationError: a value is out of bounds.
        """
        return ImportQuery(q=self.q, page=self.page, page_size=PAGE_SIZE)

    def texts(self) -> tuple[str, ...]:
        return (self.q,)


class HistoryState(AddressListState, rx.State):
    """One browser tab's view of all imports."""

    listing: ImportListing = ImportListing()
    imports: list[ImportView] = []  # noqa: RUF012 - Reflex copies it for each tab
    pages: int = 1
    total: int = 0
    # The running import, on whichever page of the history it is.
    running: ImportView = ImportView()

    @rx.event
    def open_history(self) -> list[EventType[()]]:
        """Show the imports that the address names: when the page opens, and on going back and forth."""
        parameters = self._new_parameters()
        if parameters is None:
            return [HistoryState.follow_running]
        self._fill(ImportListing.from_address(parameters))
        self._typing = ""
        return self._load_all()

    @rx.event
    def reload(self) -> list[EventType[()]]:
        """Load everything again, after an outage."""
        return self._load_all()

    @rx.event
    def search_imports(self, q: str) -> list[EventType[()]]:
        """Show imports whose file name contains a text."""
        return self._list(ImportListing(q[:255]), typing="q")

    @rx.event
    def clear_search(self) -> list[EventType[()]]:
        """Show all imports again."""
        self.filling += 1
        return self._list(ImportListing())

    @rx.event
    def turn_history(self, by: int) -> list[EventType[()]]:
        """Show older or newer imports."""
        return self._list(replace(self.listing, page=min(max(1, self.listing.page + by), self.pages)))

    @rx.event(background=True, supersedes=True)
    async def load_history(self) -> list[EventType[()]] | None:
        """Load the listed imports, and retry during an outage; a newer call replaces one that still runs."""
        return await self._load()

    @rx.event(background=True, supersedes=True)
    async def follow_running(self) -> list[EventType[()]] | None:
        """Show each running import until none is left, then load the history again."""
        has_followed = False
        while True:
            try:
                running = await _find_running()
                if running is None:
                    break
                has_followed = True
                async for job in watch(running):
                    async with self:
                        self.running = ImportView.of(job)
                        self._replace(self.running)
            except (DomainError, *OUTAGE):
                # The history's own error says that the database does not answer.
                await asyncio.sleep(OUTAGE_SECONDS)
        async with self:
            self.running = ImportView()
        # Not by an event: it would supersede a load that is running and still has undos to follow.
        return await self._load() if has_followed else None

    @rx.event(background=True, supersedes=True)
    async def follow_undos(self) -> EventType[()] | None:
        """Show each pending undo on the page until it is done."""
        pending = [UUID(job.id) for job in self.imports if job.undo.status == UndoStatus.PENDING]
        try:
            for job_id in pending:
                async for job in watch(job_id):
                    async with self:
                        self._replace(ImportView.of(job))
        except (DomainError, *OUTAGE):
            await asyncio.sleep(OUTAGE_SECONDS)
            return HistoryState.load_history
        return None

    async def _load(self) -> list[EventType[()]] | None:
        listing = self.listing
        while True:
            found: ImportPage | DomainError
            try:
                found = await ask_page(service.list_imports, listing.query())
            except DomainError as error:
                found = error
            async with self:
                # Another listing has been chosen meanwhile and is being loaded.
                if self.listing != listing:
                    return None
                self._take(found)
                if not isinstance(found, Unavailable):
                    moved = [] if self.listing == listing else [replace_address(self.listing)]
                    return [*moved, HistoryState.follow_undos]
            await asyncio.sleep(OUTAGE_SECONDS)

    def _load_all(self) -> list[EventType[()]]:
        self.loading = True
        return [HistoryState.load_history, HistoryState.follow_running]

    def _list(self, listing: ImportListing, typing: str = "") -> list[EventType[()]]:
        return self._show(listing, HistoryState.load_history, typing)

    def _take(self, found: ImportPage | DomainError) -> None:
        self.loading = False
        if isinstance(found, DomainError):
            self.error = found.detail
            return
        self.imports = [ImportView.of(job) for job in found.items]
        self.listing = replace(self.listing, page=found.page)
        self.pages, self.total = found.pages, found.total
        self.loaded, self.error = True, ""

    def _replace(self, changed: ImportView) -> None:
        self.imports = [changed if item.id == changed.id else item for item in self.imports]


async def _find_running() -> UUID | None:
    """Return the import that a worker runs, else one that waits for a worker, else None."""
    for status in (ImportStatus.PROCESSING, ImportStatus.PENDING):
        found = await ask(service.list_imports, ImportQuery(status=status, page_size=1))
        if found.items:
            return found.items[0].id
    return None
