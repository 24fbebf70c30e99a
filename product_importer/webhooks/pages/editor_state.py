"""Create and edit webhooks in a form; show and replace their secrets."""

from dataclasses import dataclass, field
from typing import Any, Self

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventType as ReflexEvent
from reflex_base.utils.form import FormData

from product_importer.core.errors import DomainError
from product_importer.core.outbox import EventType
from product_importer.ui import toasts
from product_importer.ui.ids import parse_id
from product_importer.ui.modal import scroll_to_notice
from product_importer.ui.services import ask
from product_importer.webhooks import service
from product_importer.webhooks.models import ImportEvents
from product_importer.webhooks.pages.form_data import WebhookForm, error_text, field_errors
from product_importer.webhooks.pages.list_state import WebhookState
from product_importer.webhooks.schemas import WebhookRead

DIALOG = "webhook-dialog"


@dataclass(frozen=True)
class FormView:
    """The initial values of the form's fields; `number` changes each time the form is opened."""

    number: int = 0
    webhook_id: str = ""
    url: str = ""
    description: str = ""
    event_types: list[str] = field(default_factory=lambda: [name.value for name in EventType])
    import_events: str = ImportEvents.SUMMARY.value

    @classmethod
    def of(cls, webhook: WebhookRead | None, number: int) -> Self:
        """Return the form of `webhook`, or of a new one if it is None."""
        if webhook is None:
            return cls(number)
        return cls(
            number,
            str(webhook.id),
            webhook.url,
            webhook.description,
            [name.value for name in webhook.event_types],
            webhook.import_events.value,
        )


class WebhookEditorState(rx.State):
    """The webhook form of one browser tab. Typed values stay in the browser until they are saved."""

    form: FormView = FormView()
    is_open: bool = False
    is_saving: bool = False
    # By field name; `form_error` is about the form as a whole.
    field_errors: dict[str, str] = {}  # noqa: RUF012 - Reflex copies it for each tab
    form_error: str = ""
    # The webhook as it was when the form was opened.
    _original: WebhookRead | None = None

    @rx.event
    def start_webhook(self) -> None:
        """Open the form for a new webhook."""
        self._open(None)

    @rx.event(background=True)
    async def edit_webhook(self, webhook_id: str) -> list[ReflexEvent[()]] | None:
        """Open the form of an existing webhook."""
        try:
            webhook = await ask(service.read_webhook, parse_id(webhook_id, "webhook"))
        except DomainError as error:
            return [
                toasts.error("The webhook cannot be edited.", description=error_text(error)),
                WebhookState.load_webhooks,
            ]
        async with self:
            self._open(webhook)
        return None

    @rx.event
    def close_editor(self) -> None:
        """Close the form."""
        self.is_open = False

    @rx.event(background=True)
    async def save_webhook(self, sent: FormData[str, Any]) -> list[ReflexEvent[()]] | None:
        """Create the webhook and show its secret, or save the changes; then close the form."""
        async with self:
            if self.is_saving:
                return None
            self.is_saving, self.form_error, self.field_errors = True, "", {}
        number = self.form.number
        try:
            done = await self._store(WebhookForm.from_form(sent.multi_items()))
        except (DomainError, ValidationError) as error:
            async with self:
                self.is_saving = False
                return self._show_error(error, number)
        async with self:
            self.is_saving = False
            self.is_open = self.is_open and self.form.number != number
        return [*done, WebhookState.load_webhooks]

    async def _store(self, form: WebhookForm) -> list[ReflexEvent[()]]:
        """Save the webhook; return the events that show the result.

        Raises:
            DomainError: the service rejects the webhook.
            ValidationError: fields are wrong.
        """
        if self._original is None:
            created = await ask(service.create_webhook, form.to_create())
            return [SecretState.show_secret(created.secret, created.url, True)]
        changes = form.to_update(self._original)
        if changes is None:
            return [toasts.info("Nothing was changed.")]
        await ask(service.update_webhook, self._original.id, changes)
        return [toasts.success("The webhook was saved.")]

    def _open(self, webhook: WebhookRead | None) -> None:
        self._original, self.form = webhook, FormView.of(webhook, self.form.number + 1)
        self.field_errors, self.form_error, self.is_open = {}, "", True

    def _show_error(self, error: DomainError | ValidationError, number: int) -> list[ReflexEvent[()]]:
        if not self.is_open or self.form.number != number:
            # The form was closed before the error arrived.
            return [toasts.error("The webhook was not saved.", description=error_text(error))]
        self.field_errors, self.form_error = field_errors(error), error_text(error)
        return [scroll_to_notice(DIALOG)]


class SecretState(rx.State):
    """The secret that one browser tab shows once, or is about to replace."""

    secret: str = ""
    url: str = ""
    is_first: bool = True
    is_copied: bool = False
    is_open: bool = False
    is_asking: bool = False
    is_rotating: bool = False
    rotate_error: str = ""
    _webhook_id: str = ""

    @rx.event
    def show_secret(self, secret: str, url: str, is_first: bool) -> None:
        """Show the first secret of a webhook, or a new one."""
        self.secret, self.url, self.is_first = secret, url, is_first
        self.is_copied, self.is_open = False, True

    @rx.event
    def mark_copied(self, done: bool) -> None:
        """Show whether the secret has been copied."""
        self.is_copied = bool(done)

    @rx.event
    def close_secret(self) -> None:
        """Close the dialog and forget the secret."""
        self.secret, self.is_open = "", False

    @rx.event
    def ask_before_rotating(self, webhook_id: str, url: str) -> None:
        """Open the dialog that asks for confirmation."""
        self._webhook_id, self.url, self.rotate_error = webhook_id, url, ""
        self.is_asking, self.is_rotating = True, False

    @rx.event
    def close_rotation(self) -> None:
        """Close the dialog."""
        self.is_asking = False

    @rx.event(background=True)
    async def rotate_secret(self) -> list[ReflexEvent[()]] | None:
        """Create a new secret and show it."""
        async with self:
            if self.is_rotating:
                return None
            self.is_rotating, self.rotate_error = True, ""
        url = self.url
        try:
            new = await ask(service.rotate_secret, parse_id(self._webhook_id, "webhook"))
        except DomainError as error:
            async with self:
                self.is_rotating, self.rotate_error = False, error_text(error)
            return None
        async with self:
            self.is_asking = self.is_rotating = False
        return [SecretState.show_secret(new.secret, url, False)]
