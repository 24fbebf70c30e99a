"""Which imports ran and run: the history, how people search it, and the import that is going on."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventSpec, EventType

from product_importer.core.db import OUTAGE, OUTAGE_SECONDS
from product_importer.core.errors import DomainError, Unavailable
from product_importer.imports import service
from product_importer.imports.models import ImportStatus, UndoStatus
from product_importer.imports.pages.view_models import ImportView
from product_importer.imports.progress import watch
from product_importer.imports.schemas import ImportPage, ImportQuery
from product_importer.ui import routes
from product_importer.ui.services import ask

PAGE_SIZE = 20
# Not a step of the router's: it stays at the entry that it made.
REPLACE = "history.replaceState(history.state, '', %s)"


@dataclass(frozen=True)
class Listing:
    """Which imports are listed, as the page's address holds it."""

    q: str = ""
    page: int = 1

    @classmethod
    def from_address(cls, parameters: Mapping[str, str]) -> Self:
        """Read the address; what it holds of nonsense is ignored."""
        page = parameters.get("page", "")
        asked = cls(parameters.get("q", ""), int(page) if page.isdecimal() and len(page) < 10 else 1)
        try:
            asked.query()
        except ValidationError:
            return cls()
        return asked

    def address(self) -> str:
        """The page's address for this listing; what is as usual is left out."""
        changed = {name: value for name, value in asdict(self).items() if value != getattr(Listing, name)}
        return f"{routes.IMPORTS}?{urlencode(changed)}" if changed else routes.IMPORTS

    def query(self) -> ImportQuery:
        """The question to the service.

        Raises:
            ValidationError: no service would answer it.
        """
        return ImportQuery(q=self.q, page=self.page, page_size=PAGE_SIZE)


class HistoryState(rx.State):
    """One browser tab's view of all imports."""

    listing: Listing = Listing()
    # The search holds what is being typed; only a new number lets it take over what the listing says.
    filling: int = 0
    imports: list[ImportView] = []  # noqa: RUF012 - Reflex copies it for each tab
    pages: int = 1
    total: int = 0
    loaded: bool = False
    loading: bool = False
    problem: str = ""
    # The import that is going on, wherever in the history it stands.
    running: ImportView = ImportView()
    # The address that this page went to by itself: what it says is on its way already.
    _went_to: dict[str, str] | None = None
    _is_typing: bool = False

    @rx.event
    def open_history(self) -> list[EventType[()]] | None:
        """Show the imports that the address asks for: at the beginning, and on the way back and forth."""
        asked = dict(self.router.url.query_parameters)
        is_own, self._went_to = asked == self._went_to, None
        if is_own:
            return [HistoryState.follow_running]
        listing, self._is_typing = Listing.from_address(asked), False
        # Not for nothing: what somebody is typing already would be gone.
        self.filling += listing.q != self.listing.q
        self.listing = listing
        return self._look()

    @rx.event
    def look_again(self) -> list[EventType[()]]:
        """Ask once more, after an outage."""
        return self._look()

    @rx.event
    def search_imports(self, q: str) -> list[EventType[()]]:
        """Narrow the history to files whose names hold a text."""
        is_typed_on, self._is_typing = self._is_typing, True
        return self._show(Listing(q[:255]), push=not is_typed_on)

    @rx.event
    def clear_search(self) -> list[EventType[()]]:
        """Show all imports again."""
        self.filling, self._is_typing = self.filling + 1, False
        return self._show(Listing())

    @rx.event
    def turn_history(self, by: int) -> list[EventType[()]]:
        """Show older imports, or newer ones."""
        self._is_typing = False
        return self._show(replace(self.listing, page=min(max(1, self.listing.page + by), self.pages)))

    @rx.event(background=True, supersedes=True)
    async def load_history(self) -> list[EventType[()]] | None:
        """Ask for the listed imports until there is an answer; a newer question takes the place of one that runs."""
        return await self._load()

    @rx.event(background=True, supersedes=True)
    async def follow_running(self) -> list[EventType[()]] | None:
        """Show the import that is going on until none is, then look at the history again."""
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
                # That the database does not answer is told where the history would be.
                await asyncio.sleep(OUTAGE_SECONDS)
        async with self:
            self.running = ImportView()
        # Not by an event: a newer one, or one that has undos to follow, would take its place.
        return await self._load() if has_followed else None

    @rx.event(background=True, supersedes=True)
    async def follow_undos(self) -> EventType[()] | None:
        """Show the listed imports that are being taken back until they are."""
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
        asked = self.listing
        while True:
            found = await _find(asked)
            async with self:
                # Where something else is asked for by now, its answer is on the way.
                if self.listing != asked:
                    return None
                self._take(found)
                if not isinstance(found, Unavailable):
                    moved = [] if self.listing == asked else [_remember(self.listing)]
                    return [*moved, HistoryState.follow_undos]
            await asyncio.sleep(OUTAGE_SECONDS)

    def _look(self) -> list[EventType[()]]:
        self.loading = True
        return [HistoryState.load_history, HistoryState.follow_running]

    def _show(self, listing: Listing, push: bool = True) -> list[EventType[()]]:
        """List other imports; the address follows, so that reloading, sharing and going back show them."""
        is_elsewhere = listing != self.listing
        self.listing, self.loading = listing, True
        if not (push and is_elsewhere):
            return [_remember(listing), HistoryState.load_history]
        self._went_to = dict(parse_qsl(urlsplit(listing.address()).query))
        return [rx.redirect(listing.address()), HistoryState.load_history]

    def _take(self, found: ImportPage | DomainError) -> None:
        self.loading = False
        if isinstance(found, DomainError):
            self.problem = found.detail
            return
        self.imports = [ImportView.of(job) for job in found.items]
        self.listing = replace(self.listing, page=found.page)
        self.pages, self.total = found.pages, found.total
        self.loaded, self.problem = True, ""

    def _replace(self, changed: ImportView) -> None:
        self.imports = [changed if item.id == changed.id else item for item in self.imports]


def _remember(listing: Listing) -> EventSpec:
    """Write the listing into the address, in place of what the newest entry of the browser's history says."""
    return rx.call_script(REPLACE % json.dumps(listing.address()))


async def _find(listing: Listing) -> ImportPage | DomainError:
    try:
        found = await ask(service.list_imports, listing.query())
        if not found.items and found.page > found.pages:
            # The history has become shorter than the address remembers.
            found = await ask(service.list_imports, replace(listing, page=found.pages).query())
    except DomainError as error:
        return error
    return found


async def _find_running() -> UUID | None:
    """Return the import that a worker is at, else the one that waits for a worker."""
    for status in (ImportStatus.PROCESSING, ImportStatus.PENDING):
        found = await ask(service.list_imports, ImportQuery(status=status, page_size=1))
        if found.items:
            return found.items[0].id
    return None
