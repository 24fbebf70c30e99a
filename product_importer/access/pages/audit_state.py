"""The state of the page of the record."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from functools import partial

import reflex as rx
from reflex.event import EventSpec, EventType

from product_importer.access import audit_log, principal, recheck
from product_importer.access.audit_schemas import AuditPage
from product_importer.access.pages.audit_view_models import FILTERS, AuditListing, EntryView
from product_importer.access.schemas import Permission
from product_importer.core import db
from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError, Forbidden, Unauthenticated
from product_importer.core.shared_reads import SharedReads
from product_importer.ui import routes
from product_importer.ui.address_list import AddressListState, replace_address
from product_importer.ui.live import FRESH_SECONDS, TO_TOP, LiveListState, count_news, looks
from product_importer.ui.services import ask, ask_page

_pages = SharedReads[AuditPage](FRESH_SECONDS)


class AuditState(AddressListState, LiveListState, rx.State):
    """One browser tab's view of the record."""

    listing: AuditListing = AuditListing()
    entries: list[EntryView] = []  # noqa: RUF012 - Reflex copies it for each tab
    pages: int = 1
    total: str = ""
    # How many entries there were when the list was loaded.
    _counted: int = 0
    # The entry whose details are shown.
    opened: str = ""

    @rx.var
    def export_address(self) -> str:
        """The address of the listed entries as a CSV."""
        return self.listing.export_address()

    @rx.var
    def is_filtered(self) -> bool:
        """Whether any filter narrows the list."""
        return self.listing.is_filtered()

    @rx.event
    def open_record(self) -> list[EventType[()]] | None:
        """Show the entries that the address names: when the page opens, and on going back and forth."""
        parameters = self._new_parameters()
        # Others come by an address alone; the page tells them so.
        if not principal.current().may(Permission.ADMIN):
            return None
        if parameters is None:
            return [AuditState.follow_entries]
        self._fill(AuditListing.from_address(parameters))
        self._typing, self.loading, self.opened = "", True, ""
        return [AuditState.load_entries, AuditState.follow_entries]

    @rx.event
    def show_news(self) -> list[EventType[()]]:
        """Show the entries that are new."""
        return [*self._list(replace(self.listing, page=1)), TO_TOP]

    @rx.event
    def filter_actor(self, value: str) -> list[EventType[()]]:
        """Show what somebody did, by a part of the name."""
        return self._filter("actor", value[:320], typing="actor")

    @rx.event
    def filter_action(self, value: str) -> list[EventType[()]]:
        """Show one kind of action."""
        return self._filter("action", value)

    @rx.event
    def filter_kind(self, value: str) -> list[EventType[()]]:
        """Show what was done to one kind of object."""
        return self._filter("object_kind", value)

    @rx.event
    def filter_object(self, value: str) -> list[EventType[()]]:
        """Show all that was done to one object, by its id."""
        self.filling += 1
        return self._list(AuditListing.from_address({"object_id": value}))

    @rx.event
    def filter_since(self, value: str) -> list[EventType[()]]:
        """Show entries from a day on."""
        return self._filter("since", value)

    @rx.event
    def filter_until(self, value: str) -> list[EventType[()]]:
        """Show entries up to a day."""
        return self._filter("until", value)

    @rx.event
    def clear_filters(self) -> list[EventType[()]]:
        """Show all entries again."""
        self.filling += 1
        return self._list(AuditListing())

    @rx.event
    def turn_record(self, by: int) -> list[EventType[()]]:
        """Show older or newer entries."""
        return self._list(replace(self.listing, page=min(max(1, self.listing.page + by), self.pages)))

    @rx.event
    def toggle_details(self, entry_id: str) -> None:
        """Show or hide the details of an entry."""
        self.opened = "" if self.opened == entry_id else entry_id

    @rx.event(background=True, supersedes=True)
    async def load_entries(self) -> EventSpec | None:
        """Load the listed entries; a newer call replaces one that still runs."""
        listing = self.listing
        found: AuditPage | DomainError
        try:
            found = await ask_page(audit_log.list_events, listing.query())
        except DomainError as error:
            found = error
        async with self:
            # Another listing has been chosen meanwhile and is being loaded.
            if self.listing != listing:
                return None
            self._take(found)
            return None if self.listing == listing else replace_address(self.listing)

    @rx.event(background=True, supersedes=True)
    async def follow_entries(self) -> AsyncGenerator[EventType[()]]:
        """Count new entries while the page is looked at; they never change, and none is shown unasked."""
        async for _ in looks(self, routes.AUDIT):
            try:
                # Whose session has ended, or who has another role now, learns nothing more.
                await ask(recheck.require_still, Permission.ADMIN)
            except (Forbidden, Unauthenticated):
                return
            except DomainError:
                continue
            if await self._look():
                yield AuditState.load_entries

    async def _look(self) -> bool:
        """Count what is new; return whether the list is to be loaded, because it shows nothing yet."""
        async with self:
            listing, shown = self.listing, [entry.id for entry in self.entries]
            if not self.loaded or self.loading:
                return False
        query = listing.query()
        with suppress(DomainError, *OUTAGE):
            found = await _pages.get(query.model_dump_json(), partial(db.run, audit_log.list_events, query))
            async with self:
                if self.loading or self.listing != listing or [entry.id for entry in self.entries] != shown:
                    return False
                growth = found.total - self._counted if found.total_is_exact else 0
                self._note(count_news(shown, [str(event.id) for event in found.items], growth) if shown else 0)
                return not shown and bool(found.items)
        return False

    def _filter(self, name: str, value: str, typing: str = "") -> list[EventType[()]]:
        # An impossible value, such as half a date, filters nothing.
        valid = AuditListing.from_address({name: value})
        chosen = {other: getattr(self.listing, other) for other in FILTERS} | {name: getattr(valid, name)}
        return self._list(AuditListing(**chosen), typing)

    def _list(self, listing: AuditListing, typing: str = "") -> list[EventType[()]]:
        self.opened = ""
        return self._show(listing, AuditState.load_entries, typing)

    def _take(self, found: AuditPage | DomainError) -> None:
        self.loading = False
        if isinstance(found, DomainError):
            self.error = found.detail
            return
        self._nothing_new()
        self._counted = found.total
        self.entries = [EntryView.of(event) for event in found.items]
        self.listing = replace(self.listing, page=found.page)
        self.pages = found.pages
        self.total = f"{found.total:,}" if found.total_is_exact else f"more than {found.total:,}"
        self.loaded, self.error = True, ""
