"""The state of the dialog that sends failed deliveries again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError
from product_importer.ui import toasts
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask
from product_importer.webhooks import delivery_log
from product_importer.webhooks.pages.deliveries_state import DeliveryState
from product_importer.webhooks.pages.form_data import error_text
from product_importer.webhooks.pages.list_state import WebhookState

# By form value, the periods for which failed deliveries can be sent again: label and length.
PERIODS = {
    "hour": ("In the last hour", timedelta(hours=1)),
    "day": ("In the last 24 hours", timedelta(days=1)),
    "week": ("In the last 7 days", timedelta(days=7)),
    "month": ("In the last 30 days", timedelta(days=30)),
}


class RedeliverState(rx.State):
    """The dialog of one browser tab."""

    is_asking: bool = False
    is_redelivering: bool = False
    error: str = ""

    @rx.event
    def ask_before_redelivering(self) -> None:
        """Open the dialog that asks for the period."""
        self.is_asking, self.is_redelivering, self.error = True, False, ""

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
            self.is_redelivering, self.error = True, ""
            webhook = (await self.get_state(DeliveryState)).listing.webhook
        _, period = PERIODS.get(str(form.get("period")), PERIODS["hour"])
        try:
            webhook_id = parse_id(webhook, "webhook")
            done = await ask(delivery_log.redeliver_failed, webhook_id, datetime.now(UTC) - period)
        except DomainError as error:
            async with self:
                self.is_redelivering, self.error = False, error_text(error)
            return None
        async with self:
            self.is_redelivering = self.is_asking = False
            is_disabled = any(not one.enabled for one in (await self.get_state(WebhookState)).webhooks)
        return [toasts.success(_redelivered_text(done.redelivered, is_disabled)), DeliveryState.load_deliveries]


def _redelivered_text(number: int, is_disabled: bool) -> str:
    if number == 0:
        return "No delivery failed in this period."
    count = "1 delivery" if number == 1 else f"{number:,} deliveries"
    if is_disabled:
        return f"{count} will be sent when the webhook is enabled again."
    return f"{count} {'is' if number == 1 else 'are'} being sent again."
