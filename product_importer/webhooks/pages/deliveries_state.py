"""What was sent to a webhook, how it was taken, and sending it again."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError, NotFound
from product_importer.ui import toasts
from product_importer.ui.services import ask
from product_importer.webhooks import delivery_log
from product_importer.webhooks.models import DeliveryStatus
from product_importer.webhooks.pages.form_data import told
from product_importer.webhooks.pages.list_state import WebhookState, identify, named_in
from product_importer.webhooks.pages.view_models import TONES, DeliveryView
from product_importer.webhooks.schemas import DeliveryPage, DeliveryQuery

PAGE_SIZE = 25
# How far back "all that failed" reaches, by what the page calls it.
PERIODS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}
# While something that is shown is on its way, the page looks again, so often and for so long.
LOOK_SECONDS = 1.5
MAX_LOOKS = 30


class DeliveryState(rx.State):
    """One browser tab's view of a webhook's deliveries."""

    deliveries: list[DeliveryView] = []  # noqa: RUF012 - Reflex copies it for each tab
    status: str = ""
    list_page: int = 1
    pages: int = 1
    total: int = 0
    loaded: bool = False
    loading: bool = False
    problem: str = ""
    # The delivery whose attempts are shown.
    opened: str = ""
    is_asking: bool = False
    is_redelivering: bool = False
    refusal: str = ""
    _webhook_id: str = ""

    @rx.event
    def open_deliveries(self) -> EventType[()]:
        """Show the deliveries of the webhook that the address names."""
        self._webhook_id = named_in(self.router.url.path)
        self.deliveries, self.status, self.list_page, self.pages, self.total = [], "", 1, 1, 0
        self.loaded, self.problem, self.opened, self.is_asking = False, "", "", False
        return self._load()

    @rx.event
    def filter_status(self, status: str) -> EventType[()]:
        """Show only those of a status; all of them where it is empty."""
        self.status, self.list_page = status if status in TONES else "", 1
        return self._load()

    @rx.event
    def turn_list(self, by: int) -> EventType[()]:
        """Show older deliveries, or newer ones."""
        self.list_page = min(max(1, self.list_page + by), self.pages)
        return self._load()

    @rx.event
    def refresh(self) -> list[EventType[()]]:
        """Look again, at the webhook too: failures may have disabled it."""
        return [self._load(), WebhookState.load_webhooks]

    @rx.event
    def toggle_attempts(self, delivery_id: str) -> None:
        """Show the attempts of a delivery, or no longer."""
        self.opened = "" if self.opened == delivery_id else delivery_id

    @rx.event(background=True, supersedes=True)
    async def load_deliveries(self) -> None:
        """Ask for the deliveries, and again while one is on its way."""
        asked = self._asked()
        for _ in range(MAX_LOOKS):
            found = await self._find()
            async with self:
                # Where something else is asked for by now, its answer is on the way.
                if self._asked() != asked:
                    return
                self._take(found)
                asked = self._asked()
            if isinstance(found, DomainError) or not _is_on_its_way(found):
                return
            await asyncio.sleep(LOOK_SECONDS)

    @rx.event(background=True)
    async def redeliver(self, delivery_id: str) -> list[EventType[()]]:
        """Send a delivery again."""
        try:
            await ask(delivery_log.redeliver, identify(self._webhook_id), UUID(delivery_id))
        except NotFound:
            told_of = toasts.error("This cannot be sent again.", description="It has been deleted in the meantime.")
            return [told_of, DeliveryState.refresh]
        except DomainError as error:
            return [toasts.error("This could not be sent again.", description=told(error))]
        return [toasts.success("It is sent again."), DeliveryState.refresh]

    @rx.event
    def ask_before_redelivering(self) -> None:
        """Open the question since when."""
        self.is_asking, self.is_redelivering, self.refusal = True, False, ""

    @rx.event
    def leave_failed(self) -> None:
        """Close the question."""
        self.is_asking = False

    @rx.event(background=True)
    async def redeliver_failed(self, sent: dict[str, str]) -> list[EventType[()]] | None:
        """Send again whatever failed within a period."""
        async with self:
            if self.is_redelivering:
                return None
            self.is_redelivering, self.refusal = True, ""
        since = datetime.now(UTC) - PERIODS.get(sent.get("period", ""), PERIODS["hour"])
        try:
            done = await ask(delivery_log.redeliver_failed, identify(self._webhook_id), since)
        except DomainError as error:
            async with self:
                self.is_redelivering, self.refusal = False, told(error)
            return None
        async with self:
            self.is_redelivering = self.is_asking = False
        return [toasts.success(_counted(done.redelivered)), DeliveryState.refresh]

    def _load(self) -> EventType[()]:
        self.loading = True
        return DeliveryState.load_deliveries

    def _asked(self) -> tuple[str, str, int]:
        return self._webhook_id, self.status, self.list_page

    async def _find(self) -> DeliveryPage | DomainError:
        webhook_id, status, page = self._asked()
        query = DeliveryQuery.model_validate({"status": status or None, "page": page, "page_size": PAGE_SIZE})
        try:
            found = await ask(delivery_log.list_deliveries, identify(webhook_id), query)
            if not found.items and found.page > found.pages:
                # The list has become shorter.
                query = query.model_copy(update={"page": found.pages})
                found = await ask(delivery_log.list_deliveries, identify(webhook_id), query)
        except DomainError as error:
            return error
        return found

    def _take(self, found: DeliveryPage | DomainError) -> None:
        self.loading = False
        if isinstance(found, DomainError):
            self.problem = told(found)
            return
        self.deliveries = [DeliveryView.of(delivery) for delivery in found.items]
        self.list_page, self.pages, self.total = found.page, found.pages, found.total
        self.loaded, self.problem = True, ""


def _is_on_its_way(found: DeliveryPage) -> bool:
    """Whether the answer to anything that is shown may come at any moment."""
    soon = datetime.now(UTC) + timedelta(seconds=LOOK_SECONDS)
    return any(one.status == DeliveryStatus.PENDING and (one.next_attempt_at or soon) <= soon for one in found.items)


def _counted(number: int) -> str:
    if number == 0:
        return "Nothing has failed in that time."
    return "1 delivery is sent again." if number == 1 else f"{number:,} deliveries are sent again."
