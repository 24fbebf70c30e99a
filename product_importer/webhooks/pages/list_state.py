"""Which webhooks a page shows, all or one, and what can be done with each at a click."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

import reflex as rx
from reflex.event import EventType
from sqlalchemy.exc import SQLAlchemyError

from product_importer.core.errors import DomainError, NotFound, Unavailable
from product_importer.ui import toasts
from product_importer.ui.services import ask, ask_page
from product_importer.webhooks import service
from product_importer.webhooks.pages.form_data import told
from product_importer.webhooks.pages.view_models import OutcomeView, WebhookView
from product_importer.webhooks.schemas import TestResult, WebhookQuery, WebhookRead, WebhookUpdate

PAGE_SIZE = 20


class WebhookState(rx.State):
    """One browser tab's view of the webhooks: a page of all of them, or the one that the address names."""

    webhooks: list[WebhookView] = []  # noqa: RUF012 - Reflex copies it for each tab
    list_page: int = 1
    pages: int = 1
    loaded: bool = False
    missing: bool = False
    # Why nothing can be shown.
    problem: str = ""
    # What the address names; empty on the page of all.
    _named: str = ""

    @rx.event
    def open_webhooks(self) -> EventType[()]:
        """Show all webhooks, the newest first."""
        self._clear("")
        return WebhookState.load_webhooks

    @rx.event
    def open_webhook(self) -> EventType[()]:
        """Show the webhook that the address names."""
        self._clear(named_in(self.router.url.path))
        return WebhookState.load_webhooks

    @rx.event
    def turn_list(self, by: int) -> EventType[()]:
        """Show older webhooks, or newer ones."""
        self.list_page = min(max(1, self.list_page + by), self.pages)
        return WebhookState.load_webhooks

    @rx.event(background=True, supersedes=True)
    async def load_webhooks(self) -> None:
        """Ask for what is shown."""
        named = self._named
        try:
            found, page, pages = await (_one(named) if named else _all(self.list_page))
        except DomainError as error:
            async with self:
                if self._named == named:
                    self.missing = isinstance(error, NotFound)
                    self.problem = "" if self.missing else error.detail
                    self.webhooks = [] if self.missing else self.webhooks
            return
        async with self:
            if self._named == named:
                self._take(found)
                self.list_page, self.pages = page, pages

    @rx.event(background=True)
    async def switch_webhook(self, webhook_id: str, enabled: bool) -> list[EventType[()]] | None:
        """Enable or disable a webhook: shown at once, and taken back where it cannot be saved."""
        async with self:
            before = self._find(webhook_id)
            if before is None or before.is_switching:
                return None
            self._change(webhook_id, enabled=enabled, is_switching=True)
        try:
            saved = await ask(service.update_webhook, UUID(webhook_id), WebhookUpdate(enabled=enabled))
        except DomainError as error:
            async with self:
                self._change(webhook_id, enabled=before.enabled, is_switching=False)
            return [toasts.error("The change was taken back.", description=told(error))]
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
        """Send a test message, and show how the receiver took it."""
        async with self:
            tested = self._find(webhook_id)
            if tested is None or tested.is_testing:
                return None
            self._change(webhook_id, is_testing=True, test=OutcomeView())
        try:
            outcome = OutcomeView.of_test(await _test(UUID(webhook_id)))
        except DomainError as error:
            async with self:
                self._change(webhook_id, is_testing=False)
            return [toasts.error("The test could not be sent.", description=told(error))]
        async with self:
            self._change(webhook_id, is_testing=False, test=outcome)
        return None

    def _clear(self, named: str) -> None:
        self._named, self.webhooks, self.list_page, self.pages = named, [], 1, 1
        self.loaded, self.missing, self.problem = False, False, ""

    def _take(self, found: Iterable[WebhookRead]) -> None:
        shown = {webhook.id: webhook for webhook in self.webhooks}
        self.webhooks = [_carried(WebhookView.of(webhook), shown.get(str(webhook.id))) for webhook in found]
        self.loaded, self.missing, self.problem = True, False, ""

    def _find(self, webhook_id: str) -> WebhookView | None:
        return next((webhook for webhook in self.webhooks if webhook.id == webhook_id), None)

    def _change(self, webhook_id: str, **changes: Any) -> None:
        self.webhooks = [
            replace(webhook, **changes) if webhook.id == webhook_id else webhook for webhook in self.webhooks
        ]


def named_in(path: str) -> str:
    """Return the webhook that a page's address names."""
    return path.rstrip("/").rpartition("/")[2]


def identify(named: str) -> UUID:
    """Return the id that an address names.

    Raises:
        NotFound: it is none.
    """
    try:
        return UUID(named)
    except ValueError:
        raise NotFound("There is no such webhook.") from None


async def _one(named: str) -> tuple[list[WebhookRead], int, int]:
    return [await ask(service.read_webhook, identify(named))], 1, 1


async def _all(page: int) -> tuple[list[WebhookRead], int, int]:
    found = await ask_page(service.list_webhooks, WebhookQuery(page=page, page_size=PAGE_SIZE))
    return found.items, found.page, found.pages


async def _test(webhook_id: UUID) -> TestResult:
    try:
        return await service.test_webhook(webhook_id)
    except SQLAlchemyError as error:
        raise Unavailable("The database does not answer. Try again.") from error


def _carried(read: WebhookView, shown: WebhookView | None) -> WebhookView:
    """What was read, with what is known only here: how the test went, and what is under way."""
    if shown is None:
        return read
    return replace(read, is_switching=shown.is_switching, is_testing=shown.is_testing, test=shown.test)
