"""Load webhooks for the list or for one page; enable, disable and test them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import reflex as rx
from reflex.event import EventType
from sqlalchemy.exc import SQLAlchemyError

from product_importer.core.errors import DomainError, NotFound, Unavailable
from product_importer.ui import toasts
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask, ask_page
from product_importer.webhooks import service
from product_importer.webhooks.pages.form_data import error_text
from product_importer.webhooks.pages.view_models import OutcomeView, WebhookView
from product_importer.webhooks.schemas import TestResult, WebhookQuery, WebhookRead, WebhookUpdate

PAGE_SIZE = 20


class WebhookState(rx.State):
    """The webhooks that one browser tab shows: a page of the list, or the one in the URL."""

    webhooks: list[WebhookView] = []  # noqa: RUF012 - Reflex copies it for each tab
    list_page: int = 1
    pages: int = 1
    loaded: bool = False
    missing: bool = False
    load_error: str = ""
    # The webhook in the URL, as it was typed; empty on the list.
    _url_id: str = ""

    @rx.event
    def open_webhooks(self) -> EventType[()]:
        """Show all webhooks, newest first."""
        self._clear("")
        return WebhookState.load_webhooks

    @rx.event
    def open_webhook(self) -> EventType[()]:
        """Show the webhook in the URL."""
        self._clear(id_in_path(self.router.url.path))
        return WebhookState.load_webhooks

    @rx.event
    def turn_list(self, by: int) -> EventType[()]:
        """Turn the list by `by` pages."""
        self.list_page = min(max(1, self.list_page + by), self.pages)
        return WebhookState.load_webhooks

    @rx.event(background=True, supersedes=True)
    async def load_webhooks(self) -> None:
        """Load the shown webhooks."""
        url_id = self._url_id
        try:
            found, page, pages = await (_load_one(url_id) if url_id else _load_page(self.list_page))
        except DomainError as error:
            async with self:
                if self._url_id == url_id:
                    self.missing = isinstance(error, NotFound)
                    self.load_error = "" if self.missing else error.detail
                    self.webhooks = [] if self.missing else self.webhooks
            return
        async with self:
            if self._url_id == url_id:
                self._show(found)
                self.list_page, self.pages = page, pages

    @rx.event(background=True)
    async def switch_webhook(self, webhook_id: str, enabled: bool) -> list[EventType[()]] | None:
        """Enable or disable a webhook. The page shows the change at once, and reverts it if saving fails."""
        async with self:
            before = self._find(webhook_id)
            if before is None or before.is_switching:
                return None
            self._change(webhook_id, enabled=enabled, is_switching=True)
        try:
            saved = await ask(service.update_webhook, parse_id(webhook_id, "webhook"), WebhookUpdate(enabled=enabled))
        except DomainError as error:
            async with self:
                self._change(webhook_id, enabled=before.enabled, is_switching=False)
            return [toasts.error("The change was not saved.", description=error_text(error))]
        async with self:
            self._change(
                webhook_id,
                enabled=saved.enabled,
                disabled_reason=WebhookView.of(saved).disabled_reason,
                is_switching=False,
            )
        return None

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
        return None

    def _clear(self, url_id: str) -> None:
        self._url_id, self.webhooks, self.list_page, self.pages = url_id, [], 1, 1
        self.loaded, self.missing, self.load_error = False, False, ""

    def _show(self, found: Iterable[WebhookRead]) -> None:
        shown = {webhook.id: webhook for webhook in self.webhooks}
        self.webhooks = [_keep_activity(WebhookView.of(webhook), shown.get(str(webhook.id))) for webhook in found]
        self.loaded, self.missing, self.load_error = True, False, ""

    def _find(self, webhook_id: str) -> WebhookView | None:
        return next((webhook for webhook in self.webhooks if webhook.id == webhook_id), None)

    def _change(self, webhook_id: str, **changes: Any) -> None:
        self.webhooks = [
            replace(webhook, **changes) if webhook.id == webhook_id else webhook for webhook in self.webhooks
        ]


def id_in_path(path: str) -> str:
    """Return the last part of a URL path."""
    return path.rstrip("/").rpartition("/")[2]


async def _load_one(url_id: str) -> tuple[list[WebhookRead], int, int]:
    return [await ask(service.read_webhook, parse_id(url_id, "webhook"))], 1, 1


async def _load_page(page: int) -> tuple[list[WebhookRead], int, int]:
    found = await ask_page(service.list_webhooks, WebhookQuery(page=page, page_size=PAGE_SIZE))
    return found.items, found.page, found.pages


async def _test(webhook_id: str) -> TestResult:
    try:
        return await service.test_webhook(parse_id(webhook_id, "webhook"))
    except SQLAlchemyError as error:
        raise Unavailable("The database does not answer. Try again.") from error


def _keep_activity(loaded: WebhookView, shown: WebhookView | None) -> WebhookView:
    """Return a loaded webhook with what only the page knows: the test result and what is under way."""
    if shown is None:
        return loaded
    return replace(loaded, is_switching=shown.is_switching, is_testing=shown.is_testing, test=shown.test)
