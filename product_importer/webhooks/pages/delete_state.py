"""The state of the dialog that deletes a webhook."""

from functools import partial

import reflex as rx
from reflex.event import EventSpec, EventType

from product_importer.core.errors import NotFound
from product_importer.ui import routes, toasts
from product_importer.ui.confirmation import ConfirmationState
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask
from product_importer.webhooks import service
from product_importer.webhooks.pages.list_state import WebhookState


class WebhookDeleteState(ConfirmationState, rx.State):
    """The webhook that one browser tab is about to delete."""

    webhook_id: str = ""
    url: str = ""

    @rx.event
    def open_dialog(self, webhook_id: str, url: str) -> None:
        """Open the dialog for one webhook."""
        self.webhook_id, self.url = webhook_id, url
        self._open()

    @rx.event(background=True)
    async def delete_webhook(self) -> list[EventType[()]] | None:
        """Delete the webhook; from its own page, go to the list."""
        webhook_id = self.webhook_id
        toast = await self._confirm(partial(_delete, webhook_id))
        if toast is None:
            return None
        is_its_page = self.router.url.path.rstrip("/").endswith(webhook_id)
        return [toast, rx.redirect(routes.WEBHOOKS) if is_its_page else WebhookState.load_webhooks]


async def _delete(webhook_id: str) -> EventSpec:
    """Delete a webhook and return the toast that says so."""
    try:
        await ask(service.delete_webhook, parse_id(webhook_id, "webhook"))
    except NotFound:
        return toasts.info("The webhook was already deleted.")
    return toasts.success("The webhook was deleted.")
