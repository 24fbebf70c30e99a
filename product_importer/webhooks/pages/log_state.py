"""Keep the page of a webhook up to date while it is shown."""

import asyncio
from collections.abc import AsyncGenerator

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError, NotFound
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask
from product_importer.ui.shown_pages import Tab
from product_importer.webhooks import delivery_log
from product_importer.webhooks.pages.deliveries_state import DeliveryState
from product_importer.webhooks.pages.list_state import WebhookState

LOOK_SECONDS = 1.0
# The chart is loaded at each change, and after so many looks: its hours pass by themselves.
LOOKS_PER_CHART = 20


class DeliveryLogState(rx.State):
    """Follows one webhook for one browser tab."""

    @rx.event(background=True, supersedes=True)
    async def follow_log(self) -> AsyncGenerator[EventType[()]]:
        """Look at what is shown every second, as long as the tab shows the page."""
        tab, path, looks = Tab(self), self.router.url.path.rstrip("/"), 0
        while tab.shows(path):
            await asyncio.sleep(LOOK_SECONDS)
            for event in await self._look():
                yield event
            looks += 1
            if looks % LOOKS_PER_CHART == 0:
                yield DeliveryState.load_activity

    async def _look(self) -> list[EventType[()]]:
        """Show what has changed, and return what is to be loaded."""
        async with self:
            log, webhook = await self.get_state(DeliveryState), await self.get_state(WebhookState)
            listing, shown, changed_at = log.listing, log._shown_ids(), webhook._changed_at
        try:
            seen = await ask(delivery_log.look, parse_id(listing.webhook, "webhook"), listing.query(), shown)
        except NotFound:
            async with self:
                is_missing = (await self.get_state(WebhookState)).missing
            return [] if is_missing else [WebhookState.load_webhooks]
        except DomainError:
            # What is shown stays.
            return []
        async with self:
            log, webhook = await self.get_state(DeliveryState), await self.get_state(WebhookState)
            webhook._see(seen.webhook, changed_at)
            load = [WebhookState.load_webhooks] if webhook.load_error else []
            return [*load, *log._see(seen)] if log.listing == listing else load
