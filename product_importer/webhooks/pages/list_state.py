"""Load webhooks for the list or for one page; enable, disable and test them."""

import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import reflex as rx
from reflex.event import EventType
from sqlalchemy.exc import SQLAlchemyError

from product_importer.core import db
from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError, NotFound
from product_importer.core.outages import unavailable
from product_importer.core.shared_reads import SharedReads
from product_importer.ui import routes, toasts
from product_importer.ui.ids import id_in_path, parse_id
from product_importer.ui.live import FRESH_SECONDS, TO_TOP, LiveListState, count_news, looks
from product_importer.ui.services import ask, ask_page
from product_importer.webhooks import service, testing
from product_importer.webhooks.pages.deliveries_state import DeliveryState
from product_importer.webhooks.pages.form_data import error_text
from product_importer.webhooks.pages.view_models import OutcomeView, WebhookView
from product_importer.webhooks.schemas import TestResult, WebhookPage, WebhookQuery, WebhookRead, WebhookUpdate

PAGE_SIZE = 20
_pages = SharedReads[WebhookPage](FRESH_SECONDS)


class WebhookState(LiveListState, rx.State):
    """The webhooks that one browser tab shows: a page of the list, or the one in the URL."""

    webhooks: list[WebhookView] = []  # noqa: RUF012 - Reflex copies it for each tab
    list_page: int = 1
    pages: int = 1
    loaded: bool = False
    missing: bool = False
    load_error: str = ""
    # The webhook in the URL, as it was typed; empty on the list.
    _url_id: str = ""
    # How many webhooks there were when the list was loaded.
    _counted: int = 0
    # When this tab last changed what it shows: what was read before is older.
    _changed_at: float = 0.0

    @rx.event
    def open_webhooks(self) -> list[EventType[()]]:
        """Show all webhooks, newest first."""
        self._clear("")
        return [WebhookState.load_webhooks, WebhookState.follow_webhooks]

    @rx.event
    def open_webhook(self) -> EventType[()]:
        """Show the webhook in the URL. Following a link on its page leaves it as it is."""
        url_id = id_in_path(self.router.url.path)
        if url_id != self._url_id:
            self._clear(url_id)
        return WebhookState.load_webhooks

    @rx.event
    def show_news(self) -> list[EventType[()]]:
        """Show the webhooks that are new."""
        self.list_page = 1
        return [WebhookState.load_webhooks, TO_TOP]

    @rx.event
    def turn_list(self, by: int) -> EventType[()]:
        """Turn the list by `by` pages."""
        self.list_page = min(max(1, self.list_page + by), self.pages)
        return WebhookState.load_webhooks

    @rx.event(background=True, supersedes=True)
    async def load_webhooks(self) -> EventType[()] | None:
        """Load the shown webhooks; again if this tab has changed one meanwhile."""
        url_id, changed_at = self._url_id, self._changed_at
        try:
            found = await (_load_one(url_id) if url_id else _load_page(self.list_page))
        except DomainError as error:
            async with self:
                if self._url_id == url_id:
                    self.missing = isinstance(error, NotFound)
                    self.load_error = "" if self.missing else error.detail
                    self.webhooks = [] if self.missing else self.webhooks
            return None
        async with self:
            if self._url_id == url_id:
                if self._changed_at != changed_at:
                    return WebhookState.load_webhooks
                self._show(found.items)
                self.list_page, self.pages, self._counted = found.page, found.pages, found.total
        return None

    @rx.event(background=True, supersedes=True)
    async def follow_webhooks(self) -> AsyncGenerator[EventType[()]]:
        """Show what others change, and the newest deliveries, while the list is looked at."""
        async for _ in looks(self, routes.WEBHOOKS):
            if await self._look():
                yield WebhookState.load_webhooks

    async def _look(self) -> bool:
        """Show what has become of the list; return whether it is to be loaded, because it shows nothing yet."""
        async with self:
            page, ids = self.list_page, [webhook.id for webhook in self.webhooks]
            changed_at = self._changed_at
            if not self.loaded or self._url_id:
                return False
        query = WebhookQuery(page=page, page_size=PAGE_SIZE)
        with suppress(DomainError, *OUTAGE):
            # What another tab has read before this one's change does not count.
            key = (query.model_dump_json(), changed_at)
            found = await _pages.get(key, partial(db.run, service.list_webhooks, query))
            async with self:
                is_same = self.list_page == page and [webhook.id for webhook in self.webhooks] == ids
                if is_same and self._changed_at == changed_at:
                    self._compare(found, ids)
                    return not ids and bool(found.items)
        return False

    def _compare(self, found: WebhookPage, ids: list[str]) -> None:
        """Show each webhook as it is now, in its place; what is not there any more was deleted."""
        now = {str(webhook.id): WebhookView.of(webhook) for webhook in found.items}
        # On one page of several, what is missing may have moved to the next one.
        gone = [id for id in ids if id not in now] if found.pages == self.pages == 1 else []
        shown = [
            webhook if webhook.is_switching else _keep_activity(now.get(webhook.id, webhook), webhook)
            for webhook in self.webhooks
        ]
        if shown != list(self.webhooks):
            self.webhooks = shown
        if ids:
            self._note(count_news(ids, list(now), found.total - self._counted + len(gone)), gone)

    @rx.event(background=True)
    async def switch_webhook(self, webhook_id: str, enabled: bool) -> list[EventType[()]] | None:
        """Enable or disable a webhook. The page shows the change at once, and reverts it if saving fails.

        It need not be listed: after a lost connection the list is still being loaded.
        """
        async with self:
            before = self._find(webhook_id)
            if before and before.is_switching:
                return None
            self._change(webhook_id, enabled=enabled, is_switching=True)
        try:
            saved = await ask(service.update_webhook, parse_id(webhook_id, "webhook"), WebhookUpdate(enabled=enabled))
        except DomainError as error:
            async with self:
                self._change(webhook_id, enabled=not enabled, is_switching=False)
            return [toasts.error("The change was not saved.", description=error_text(error))]
        async with self:
            self._change(
                webhook_id,
                enabled=saved.enabled,
                disabled_reason=WebhookView.of(saved).disabled_reason,
                is_switching=False,
            )
        return None if before else [WebhookState.load_webhooks]

    @rx.event(background=True)
    async def test_webhook(self, webhook_id: str) -> list[EventType[()]] | None:
        """Send a test message and show the outcome."""
        async with self:
            tested = self._find(webhook_id)
            if tested is None or tested.is_testing:
                return None
            self._change(webhook_id, is_testing=True, test=OutcomeView())
        try:
            outcome = OutcomeView.of_test(await _test(webhook_id))
        except DomainError as error:
            async with self:
                self._change(webhook_id, is_testing=False)
            return [toasts.error("The test could not be sent.", description=error_text(error))]
        async with self:
            self._change(webhook_id, is_testing=False, test=outcome)
        # The log on the webhook's own page has the test, too.
        return [DeliveryState.load_deliveries] if self._url_id else None

    def _clear(self, url_id: str) -> None:
        self._url_id, self.webhooks, self.list_page, self.pages = url_id, [], 1, 1
        self.loaded, self.missing, self.load_error = False, False, ""

    def _show(self, found: Iterable[WebhookRead]) -> None:
        shown = {webhook.id: webhook for webhook in self.webhooks}
        self.webhooks = [_keep_activity(WebhookView.of(webhook), shown.get(str(webhook.id))) for webhook in found]
        self._nothing_new()
        self.loaded, self.missing, self.load_error = True, False, ""

    def _see(self, webhook: WebhookRead, changed_at: float) -> None:
        """Show what the webhook of this page has become; what is being switched stays as the page shows it.

        It was read when the tab had last changed what it shows at `changed_at`.
        """
        if self._changed_at != changed_at:
            return
        views = [_keep_activity(WebhookView.of(webhook), shown) for shown in self.webhooks]
        is_same = [one.id for one in self.webhooks] == [str(webhook.id)]
        if is_same and not self.webhooks[0].is_switching and views != self.webhooks:
            self.webhooks = views

    def _find(self, webhook_id: str) -> WebhookView | None:
        return next((webhook for webhook in self.webhooks if webhook.id == webhook_id), None)

    def _change(self, webhook_id: str, **changes: Any) -> None:
        self._changed_at = time.monotonic()
        self.webhooks = [
            replace(webhook, **changes) if webhook.id == webhook_id else webhook for webhook in self.webhooks
        ]


async def _load_one(url_id: str) -> WebhookPage:
    found = await ask(service.read_webhook, parse_id(url_id, "webhook"))
    return WebhookPage(items=[found], total=1, page=1, page_size=1)


async def _load_page(page: int) -> WebhookPage:
    return await ask_page(service.list_webhooks, WebhookQuery(page=page, page_size=PAGE_SIZE))


async def _test(webhook_id: str) -> TestResult:
    try:
        return await testing.test_webhook(parse_id(webhook_id, "webhook"))
    except SQLAlchemyError as error:
        raise unavailable(error) from error


def _keep_activity(loaded: WebhookView, shown: WebhookView | None) -> WebhookView:
    """Return a loaded webhook with what only the page knows: the test result and what is under way."""
    if shown is None:
        return loaded
    return replace(loaded, is_switching=shown.is_switching, is_testing=shown.is_testing, test=shown.test)
