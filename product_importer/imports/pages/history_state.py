"""The state of the import history, and of the import that is running."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self
from uuid import UUID

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventType

from product_importer.core.db import OUTAGE, OUTAGE_SECONDS
from product_importer.core.errors import DomainError, NotFound, Unavailable
from product_importer.imports import service
from product_importer.imports.models import ImportStatus, UndoStatus
from product_importer.imports.pages.live_history import LiveHistoryState
from product_importer.imports.pages.nesting import nested
from product_importer.imports.pages.view_models import ImportView
from product_importer.imports.schemas import ImportPage, ImportQuery
from product_importer.imports.watching import watch
from product_importer.ui import routes, toasts
from product_importer.ui.address_list import AddressListState, Listing, replace_address
from product_importer.ui.live import TO_TOP, looks
from product_importer.ui.services import ask, ask_page

PAGE_SIZE = 20


@dataclass(frozen=True)
class ImportListing(Listing):
    """Which imports are listed: by a part of the file name, by status (empty for all), and which page of them."""

    ROUTE: ClassVar[str] = routes.IMPORTS

    q: str = ""
    status: str = ""
    page: int = 1

    @classmethod
    def from_address(cls, parameters: Mapping[str, str]) -> Self:
        """Read the address's parameters; invalid ones are ignored."""
        page = parameters.get("page", "")
        status = parameters.get("status", "")
        listing = cls(
            parameters.get("q", ""),
            status if status in tuple(ImportStatus) else "",
            int(page) if page.isdecimal() and len(page) < 10 else 1,
        )
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
        status = ImportStatus(self.status) if self.status else None
        return ImportQuery(q=self.q, status=status, page=self.page, page_size=PAGE_SIZE)

    def texts(self) -> tuple[str, ...]:
        return (self.q,)


class HistoryState(AddressListState, LiveHistoryState, rx.State):
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
            return [HistoryState.follow_running, HistoryState.follow_history]
        self._enter()
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
        # No file has a NUL in its name, and no query takes one.
        return self._list(replace(self.listing, q=q.replace("\0", "")[:255], page=1), typing="q")

    @rx.event
    def filter_status(self, status: str) -> list[EventType[()]]:
        """Show only imports with this status; all where it is empty."""
        return self._list(replace(self.listing, status=status if status in tuple(ImportStatus) else "", page=1))

    @rx.event
    def clear_search(self) -> list[EventType[()]]:
        """Show all imports again."""
        self.filling += 1
        return self._list(ImportListing())

    @rx.event
    def turn_history(self, by: int) -> list[EventType[()]]:
        """Show older or newer imports."""
        return self._list(replace(self.listing, page=min(max(1, self.listing.page + by), self.pages)))

    @rx.event
    def show_news(self) -> list[EventType[()]]:
        """Show the imports that are new."""
        return [*self._list(replace(self.listing, page=1)), TO_TOP]

    @rx.event(background=True, supersedes=True)
    async def load_history(self) -> list[EventType[()]] | None:
        """Load the listed imports, and retry during an outage; a newer call replaces one that still runs."""
        return await self._load()

    @rx.event(background=True, supersedes=True)
    async def follow_running(self) -> AsyncGenerator[EventType[()]]:
        """Show each running import until none is left, and say how it ended."""
        while True:
            try:
                # A call before this one may have begun to follow it.
                running = UUID(self.running.id) if self.running.is_running else await _find_running()
                if running is None:
                    break
                async for job in watch(running):
                    async with self:
                        ended = self._ends([job])
                        self.running = ImportView.of(job)
                        self._replace(self.running)
                for each in ended:
                    if not self.router.url.path.endswith(each.id):
                        yield _end(each)
            except NotFound:
                async with self:
                    self.running = ImportView()
            except (DomainError, *OUTAGE):
                # The history's own error says that the database does not answer.
                await asyncio.sleep(OUTAGE_SECONDS)
        async with self:
            self.running = ImportView()

    @rx.event(background=True, supersedes=True)
    async def follow_history(self) -> AsyncGenerator[EventType[()]]:
        """Show how imports move and end, and count new ones, also those of others, while the page is looked at."""
        async for _ in looks(self, routes.IMPORTS):
            seen = await self._look()
            if seen.are_first:
                yield HistoryState.load_history
            for ended in seen.ended:
                yield _end(ended)
            if not self.running.id and any(job.is_running for job in self.imports):
                yield HistoryState.follow_running

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
                ended = self._take(found)
                if not isinstance(found, Unavailable):
                    moved = [] if self.listing == listing else [replace_address(self.listing)]
                    return [*moved, *map(_end, ended), HistoryState.follow_undos]
            await asyncio.sleep(OUTAGE_SECONDS)

    def _load_all(self) -> list[EventType[()]]:
        self.loading = True
        return [HistoryState.load_history, HistoryState.follow_running, HistoryState.follow_history]

    def _list(self, listing: ImportListing, typing: str = "") -> list[EventType[()]]:
        return self._show(listing, HistoryState.load_history, typing)

    def _take(self, found: ImportPage | DomainError) -> tuple[ImportView, ...]:
        """Show what was found; return the imports that have ended meanwhile."""
        self.loading = False
        if isinstance(found, DomainError):
            self.error = found.detail
            return ()
        self._nothing_new()
        ended = self._ends(found.items)
        self.imports = nested(list(map(ImportView.of, found.items)))
        self.listing = replace(self.listing, page=found.page)
        self.pages, self.total = found.pages, found.total
        self.loaded, self.error = True, ""
        return ended

    def _replace(self, changed: ImportView) -> None:
        self.imports = [
            replace(changed, depth=item.depth) if item.id == changed.id else item for item in self.imports
        ]


def _end(ended: ImportView) -> EventType[()]:
    """Return the message that says how an import has ended."""
    shows = {"good": toasts.success, "warning": toasts.warning, "bad": toasts.error}
    return shows.get(ended.tone, toasts.info)(ended.filename, description=ended.result)


async def _find_running() -> UUID | None:
    """Return the import that a worker runs, else one that waits for a worker, else None."""
    for status in (ImportStatus.PROCESSING, ImportStatus.PENDING):
        found = await ask(service.list_imports, ImportQuery(status=status, page_size=1))
        if found.items:
            return found.items[0].id
    return None
