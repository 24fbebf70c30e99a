"""The dialog in which a webhook is deleted."""

from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError, NotFound
from product_importer.ui import routes, toasts
from product_importer.ui.services import ask
from product_importer.webhooks import service
from product_importer.webhooks.pages.form_data import error_text
from product_importer.webhooks.pages.list_state import WebhookState


class WebhookRemovalState(rx.State):
    """Which webhook one browser tab is about to delete."""

    webhook_id: str = ""
    url: str = ""
    is_open: bool = False
    is_deleting: bool = False
    refusal: str = ""

    @rx.event
    def ask_before_deleting(self, webhook_id: str, url: str) -> None:
        """Open the question."""
        self.webhook_id, self.url = webhook_id, url
        self.refusal, self.is_deleting, self.is_open = "", False, True

    @rx.event
    def keep_webhook(self) -> None:
        """Close the question."""
        self.is_open = False

    @rx.event(background=True)
    async def delete_webhook(self) -> list[EventType[()]] | None:
        """Delete the webhook; its own page makes way for the list."""
        async with self:
            if self.is_deleting:
                return None
            webhook_id, self.refusal, self.is_deleting = self.webhook_id, "", True
        try:
            await ask(service.delete_webhook, UUID(webhook_id))
        except NotFound:
            done = toasts.info("The webhook had been deleted already.")
        except DomainError as error:
            async with self:
                self.refusal, self.is_deleting = error_text(error), False
            return None
        else:
            done = toasts.success("The webhook was deleted.")
        async with self:
            self.is_open = self.is_deleting = False
            is_its_page = self.router.url.path.rstrip("/").endswith(webhook_id)
        return [done, rx.redirect(routes.WEBHOOKS) if is_its_page else WebhookState.load_webhooks]
