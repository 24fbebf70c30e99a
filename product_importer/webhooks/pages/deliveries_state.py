"""The deliveries of a webhook: the list, the one that is open, and what was sent in the last days."""

from collections.abc import Sequence
from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError, NotFound
from product_importer.ui import toasts
from product_importer.ui.ids import id_in_path, parse_id
from product_importer.ui.services import ask, ask_page
from product_importer.webhooks import activity, delivery_log
from product_importer.webhooks.delivery_log import Look
from product_importer.webhooks.pages.delivery_views import ActivityView, AttemptView, DetailView
from product_importer.webhooks.pages.form_data import error_text
from product_importer.webhooks.pages.log_listing import PAGE_SIZE, LogListing
from product_importer.webhooks.pages.view_models import DeliveryView
from product_importer.webhooks.schemas import DeliveryEntry, DeliveryPage


class DeliveryState(rx.State):
    """The deliveries that one browser tab shows."""

    listing: LogListing = LogListing()
    deliveries: list[DeliveryView] = []  # noqa: RUF012 - Reflex copies it for each tab
    pages: int = 1
    loaded: bool = False
    loading: bool = False
    load_error: str = ""
    # How many new ones there are that the list does not show yet, in words.
    fresh: str = ""
    # The delivery that is open, and the attempt of it whose request and answer are shown.
    detail: DetailView = DetailView()
    detail_error: str = ""
    attempt: AttemptView = AttemptView()
    activity: ActivityView = ActivityView()
    # The events of the list's first page when the list was loaded, newest first.
    _first: list[UUID] = []  # noqa: RUF012 - Reflex copies it for each tab

    @rx.var
    def previous_address(self) -> str:
        """The address of newer deliveries."""
        return self.listing.address(page=max(1, self.listing.page - 1), delivery="")

    @rx.var
    def next_address(self) -> str:
        """The address of older deliveries."""
        return self.listing.address(page=min(self.pages, self.listing.page + 1), delivery="")

    @rx.var
    def list_address(self) -> str:
        """The address of the list without an open delivery."""
        return self.listing.address(delivery="")

    @rx.var
    def newest_address(self) -> str:
        """The address of the newest deliveries."""
        return self.listing.address(page=1, delivery="")

    @rx.event
    def open_deliveries(self) -> list[EventType[()]]:
        """Show what the address says: when the page opens, and on following its links, going back and forth."""
        url = self.router.url
        return self._show(LogListing.from_address(id_in_path(url.path), dict(url.query_parameters)))

    @rx.event
    def show_fresh(self) -> EventType[()]:
        """Load the list again, with what is new."""
        return self._load()

    @rx.event
    def show_attempt(self, number: int) -> None:
        """Show the request and the answer of another attempt."""
        self.attempt = self.detail.attempt(number)

    @rx.event(background=True, supersedes=True)
    async def load_deliveries(self) -> None:
        """Load the list."""
        listing = self.listing
        found = await _find(listing)
        async with self:
            # The page shows another list by now, which has its own load.
            if self.listing.same_list(listing):
                self._take(*found)

    @rx.event(background=True, supersedes=True)
    async def load_delivery(self) -> None:
        """Load the delivery that is open."""
        listing = self.listing
        if not listing.delivery:
            return
        try:
            ids = parse_id(listing.webhook, "webhook"), parse_id(listing.delivery, "delivery")
            detail, error = DetailView.of(await ask(delivery_log.read_delivery, *ids)), ""
        except NotFound:
            detail, error = DetailView(), "There is no such delivery. It may have been deleted, or the link is wrong."
        except DomainError as failure:
            detail, error = self.detail, error_text(failure)
        async with self:
            if self.listing.delivery == listing.delivery:
                self._open(detail, error)

    @rx.event(background=True, supersedes=True)
    async def load_activity(self) -> None:
        """Load what was sent in the last days."""
        webhook = self.listing.webhook
        try:
            found = ActivityView.of(await ask(activity.read_activity, parse_id(webhook, "webhook")))
        except DomainError:
            # The list's own error says why; the chart stays.
            return
        async with self:
            if self.listing.webhook == webhook and self.activity != found:
                self.activity = found

    @rx.event(background=True)
    async def redeliver(self, delivery_id: str) -> list[EventType[()]]:
        """Send a delivery again."""
        try:
            webhook_id = parse_id(self.listing.webhook, "webhook")
            await ask(delivery_log.redeliver, webhook_id, parse_id(delivery_id, "delivery"))
        except NotFound:
            deleted = toasts.error("The delivery was not sent again.", description="It has been deleted.")
            return [deleted, DeliveryState.load_deliveries]
        except DomainError as error:
            return [toasts.error("The delivery was not sent again.", description=error_text(error))]
        return [toasts.success("The delivery will be sent again."), DeliveryState.load_delivery]

    def _show(self, listing: LogListing) -> list[EventType[()]]:
        """Show what an address says; the list stays as it is where only another delivery is opened or closed."""
        before, self.listing = self.listing, listing
        if listing.delivery != before.delivery:
            self.detail, self.detail_error, self.attempt = DetailView(), "", AttemptView()
        if listing.webhook != before.webhook:
            self.deliveries, self.pages, self.loaded, self.load_error = [], 1, False, ""
            self.activity = ActivityView()
        stays = self.loaded and listing.same_list(before) and listing.delivery != before.delivery
        load = [] if stays else [self._load(), DeliveryState.load_activity]
        return [*load, DeliveryState.load_delivery]

    def _load(self) -> EventType[()]:
        self.loading = True
        return DeliveryState.load_deliveries

    def _view(self, delivery: DeliveryEntry) -> DeliveryView:
        return DeliveryView.of(delivery, self.listing.address(delivery=str(delivery.id)))

    def _shown_ids(self) -> list[UUID]:
        """Return the ids of the deliveries that the tab shows."""
        opened = [UUID(self.listing.delivery)] if self.listing.delivery else []
        return [*(UUID(one.id) for one in self.deliveries), *opened]

    def _see(self, seen: Look) -> list[EventType[()]]:
        """Show what shown deliveries have become, without moving them, and how many new ones there are."""
        if self.load_error or not self.loaded:
            return [self._load(), DeliveryState.load_activity]
        rows = [
            self._view(seen.shown[UUID(one.id)]) if UUID(one.id) in seen.shown else one for one in self.deliveries
        ]
        fresh = _fresh_words(self._first, seen.newest)
        has_changed = rows != self.deliveries or fresh != self.fresh
        if rows != self.deliveries:
            self.deliveries = rows
        if fresh != self.fresh:
            self.fresh = fresh
        # Nobody reads an empty list.
        load = [self._load()] if fresh and not rows and self.listing.page == 1 else []
        opened = [one for one in seen.shown.values() if str(one.id) == self.listing.delivery]
        if opened and (self.detail_error or DeliveryView.of(opened[0]) != self.detail.delivery):
            load.append(DeliveryState.load_delivery)
        return [*load, DeliveryState.load_activity] if has_changed else load

    def _take(self, found: DeliveryPage | DomainError, first: Sequence[UUID]) -> None:
        self.loading, self.fresh = False, ""
        if isinstance(found, DomainError):
            self.load_error = error_text(found)
            return
        self.listing = LogListing(self.listing.webhook, self.listing.status, found.page, self.listing.delivery)
        self.deliveries = [self._view(one) for one in found.items]
        self.pages, self._first = found.pages, list(first)
        self.loaded, self.load_error = True, ""

    def _open(self, detail: DetailView, error: str) -> None:
        newest = self.detail.attempts[0].number if self.detail.attempts else 0
        # What is read stays; who looks at the newest attempt sees the next one.
        number = 0 if self.attempt.number == newest else self.attempt.number
        self.detail, self.detail_error, self.attempt = detail, error, detail.attempt(number)


async def _find(listing: LogListing) -> tuple[DeliveryPage | DomainError, list[UUID]]:
    """Return the page of the list, and the events of its first page."""
    try:
        webhook_id = parse_id(listing.webhook, "webhook")
        found = await ask_page(
            lambda session, query: delivery_log.list_deliveries(session, webhook_id, query), listing.query()
        )
        if found.page == 1:
            return found, [one.event_id for one in found.items]
        return found, (await ask(delivery_log.look, webhook_id, listing.query(), [])).newest
    except DomainError as error:
        return error, []


def _fresh_words(known: Sequence[UUID], newest: Sequence[UUID]) -> str:
    """Return how many of the newest events are not known, where `known` were the newest before.

    Older ones may come up when others leave the list: they are not new.
    """
    is_whole = len(known) < PAGE_SIZE
    fresh = [one for one in newest if one not in known and (is_whole or one > known[-1])]
    return f"{PAGE_SIZE} or more new" if len(fresh) == PAGE_SIZE else f"{len(fresh)} new" if fresh else ""
