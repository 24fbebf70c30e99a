"""Load the deliveries of a webhook, and send them again."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError, NotFound
from product_importer.ui import toasts
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask, ask_page
from product_importer.webhooks import delivery_log
from product_importer.webhooks.models import DeliveryStatus
from product_importer.webhooks.pages.form_data import error_text
from product_importer.webhooks.pages.list_state import WebhookState, id_in_path
from product_importer.webhooks.pages.view_models import TONES, DeliveryView
from product_importer.webhooks.schemas import DeliveryPage, DeliveryQuery

PAGE_SIZE = 25
# By form value, the periods for which failed deliveries can be sent again: label and length.
PERIODS = {
    "hour": ("In the last hour", timedelta(hours=1)),
    "day": ("In the last 24 hours", timedelta(days=1)),
    "week": ("In the last 7 days", timedelta(days=7)),
    "month": ("In the last 30 days", timedelta(days=30)),
}
# While an attempt on a shown delivery is expected, reload the list so often, and so many times.
RELOAD_SECONDS = 1.5
MAX_RELOADS = 30


class DeliveryState(rx.State):
    """The deliveries that one browser tab shows."""

    deliveries: list[DeliveryView] = []  # noqa: RUF012 - Reflex copies it for each tab
    status: str = ""
    list_page: int = 1
    pages: int = 1
    total: int = 0
    loaded: bool = False
    loading: bool = False
    load_error: str = ""
    # The id of the delivery whose attempts are shown.
    opened: str = ""
    is_asking: bool = False
    is_redelivering: bool = False
    redeliver_error: str = ""
    _webhook_id: str = ""

    @rx.event
    def open_deliveries(self) -> EventType[()]:
        """Show the deliveries of the webhook in the URL."""
        self._webhook_id = id_in_path(self.router.url.path)
        self.deliveries, self.status, self.list_page, self.pages, self.total = [], "", 1, 1, 0
        self.loaded, self.load_error, self.opened, self.is_asking = False, "", "", False
        return self._load()

    @rx.event
    def filter_status(self, status: str) -> EventType[()]:
        """Show only deliveries with this status; all if it is empty."""
        self.status, self.list_page = status if status in TONES else "", 1
        return self._load()

    @rx.event
    def turn_list(self, by: int) -> EventType[()]:
        """Turn the list by `by` pages."""
        self.list_page = min(max(1, self.list_page + by), self.pages)
        return self._load()

    @rx.event
    def refresh(self) -> list[EventType[()]]:
        """Reload the deliveries and the webhook, which failures may have disabled."""
        return [self._load(), WebhookState.load_webhooks]

    @rx.event
    def toggle_attempts(self, delivery_id: str) -> None:
        """Show or hide the attempts of a delivery."""
        self.opened = "" if self.opened == delivery_id else delivery_id

    @rx.event(background=True, supersedes=True)
    async def load_deliveries(self) -> None:
        """Load the deliveries, and reload them while an attempt is expected."""
        query = self._query()
        for _ in range(MAX_RELOADS):
            found = await self._find()
            async with self:
                # The page shows another list by now, which has its own load.
                if self._query() != query:
                    return
                self._show(found)
                query = self._query()
            if isinstance(found, DomainError) or not _expects_attempt(found):
                return
            await asyncio.sleep(RELOAD_SECONDS)

    @rx.event(background=True)
    async def redeliver(self, delivery_id: str) -> list[EventType[()]]:
        """Send a delivery again."""
        try:
            await ask(
                delivery_log.redeliver, parse_id(self._webhook_id, "webhook"), parse_id(delivery_id, "delivery")
            )
        except NotFound:
            deleted = toasts.error("The delivery was not sent again.", description="It has been deleted.")
            return [deleted, DeliveryState.refresh]
        except DomainError as error:
            return [toasts.error("The delivery was not sent again.", description=error_text(error))]
        return [toasts.success("The delivery is being sent again."), DeliveryState.refresh]

    @rx.event
    def ask_before_redelivering(self) -> None:
        """Open the dialog that asks for the period."""
        self.is_asking, self.is_redelivering, self.redeliver_error = True, False, ""

    @rx.event
    def close_redeliver(self) -> None:
        """Close the dialog."""
        self.is_asking = False

    @rx.event(background=True)
    async def redeliver_failed(self, form: dict[str, Any]) -> list[EventType[()]] | None:
        """Send every delivery again that failed within the period."""
        async with self:
            if self.is_redelivering:
                return None
            self.is_redelivering, self.redeliver_error = True, ""
        _, period = PERIODS.get(str(form.get("period")), PERIODS["hour"])
        try:
            done = await ask(
                delivery_log.redeliver_failed, parse_id(self._webhook_id, "webhook"), datetime.now(UTC) - period
            )
        except DomainError as error:
            async with self:
                self.is_redelivering, self.redeliver_error = False, error_text(error)
            return None
        async with self:
            self.is_redelivering = self.is_asking = False
        return [toasts.success(_redelivered_text(done.redelivered)), DeliveryState.refresh]

    def _load(self) -> EventType[()]:
        self.loading = True
        return DeliveryState.load_deliveries

    def _query(self) -> tuple[str, str, int]:
        return self._webhook_id, self.status, self.list_page

    async def _find(self) -> DeliveryPage | DomainError:
        webhook_id, status, page = self._query()
        query = DeliveryQuery.model_validate({"status": status or None, "page": page, "page_size": PAGE_SIZE})
        try:
            listed = parse_id(webhook_id, "webhook")
            return await ask_page(lambda session, page: delivery_log.list_deliveries(session, listed, page), query)
        except DomainError as error:
            return error

    def _show(self, found: DeliveryPage | DomainError) -> None:
        self.loading = False
        if isinstance(found, DomainError):
            self.load_error = error_text(found)
            return
        self.deliveries = [DeliveryView.of(delivery) for delivery in found.items]
        self.list_page, self.pages, self.total = found.page, found.pages, found.total
        self.loaded, self.load_error = True, ""


def _expects_attempt(found: DeliveryPage) -> bool:
    """Whether any shown delivery is being sent or is due before the next reload."""
    soon = datetime.now(UTC) + timedelta(seconds=RELOAD_SECONDS)
    return any(one.status == DeliveryStatus.PENDING and (one.next_attempt_at or soon) <= soon for one in found.items)


def _redelivered_text(number: int) -> str:
    if number == 0:
        return "No delivery failed in this period."
    return "1 delivery is being sent again." if number == 1 else f"{number:,} deliveries are being sent again."
