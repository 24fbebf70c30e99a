"""The form in which a webhook is made or changed, and its secret, which is shown once."""

from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventType as ReflexEvent
from reflex_base.utils.form import FormData

from product_importer.core.errors import DomainError
from product_importer.core.outbox import EventType
from product_importer.ui import toasts
from product_importer.ui.modal import revealing
from product_importer.ui.services import ask
from product_importer.webhooks import service
from product_importer.webhooks.models import ImportEvents
from product_importer.webhooks.pages.form_data import Draft, faults, told
from product_importer.webhooks.pages.list_state import WebhookState
from product_importer.webhooks.schemas import WebhookRead

DIALOG = "webhook-dialog"


@dataclass(frozen=True)
class FormView:
    """What the form's fields begin with; `number` differs for each time that they do."""

    number: int = 0
    webhook_id: str = ""
    url: str = ""
    description: str = ""
    event_types: list[str] = field(default_factory=lambda: [name.value for name in EventType])
    import_events: str = ImportEvents.SUMMARY.value

    @classmethod
    def of(cls, webhook: WebhookRead | None, number: int) -> Self:
        """Return the form of `webhook`; for a new one where there is none."""
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
    """One browser tab's form of a webhook. What is typed stays in the browser until it is saved."""

    form: FormView = FormView()
    is_open: bool = False
    is_saving: bool = False
    # What is wrong: by field, and with the form as a whole.
    faults: dict[str, str] = {}  # noqa: RUF012 - Reflex copies it for each tab
    refusal: str = ""
    # The webhook as the form showed it at first.
    _seen: WebhookRead | None = None

    @rx.event
    def start_webhook(self) -> None:
        """Open the form for a new webhook."""
        self._open(None)

    @rx.event(background=True)
    async def edit_webhook(self, webhook_id: str) -> list[ReflexEvent[()]] | None:
        """Open the form of a webhook as it is now."""
        try:
            webhook = await ask(service.read_webhook, UUID(webhook_id))
        except DomainError as error:
            return [
                toasts.error("The webhook cannot be edited.", description=told(error)),
                WebhookState.load_webhooks,
            ]
        async with self:
            self._open(webhook)
        return None

    @rx.event
    def close_editor(self) -> None:
        """Forget the form."""
        self.is_open = False

    @rx.event(background=True)
    async def save_webhook(self, sent: FormData[str, Any]) -> list[ReflexEvent[()]] | None:
        """Create the webhook and show its secret, or save what was changed; then close the form."""
        async with self:
            if self.is_saving:
                return None
            self.is_saving, self.refusal, self.faults = True, "", {}
        number = self.form.number
        try:
            done = await self._store(Draft.from_form(sent.multi_items()))
        except (DomainError, ValidationError) as error:
            async with self:
                self.is_saving = False
                return self._refuse(error, number)
        async with self:
            self.is_saving = False
            self.is_open = self.is_open and self.form.number != number
        return [*done, WebhookState.load_webhooks]

    async def _store(self, draft: Draft) -> list[ReflexEvent[()]]:
        """Save, and return what is told of it.

        Raises:
            DomainError: the service refuses.
            ValidationError: fields are wrong.
        """
        if self._seen is None:
            created = await ask(service.create_webhook, draft.creation())
            return [SecretState.show_secret(created.secret, created.url, True)]
        changes = draft.update(self._seen)
        if changes is None:
            return [toasts.info("Nothing was changed.")]
        await ask(service.update_webhook, self._seen.id, changes)
        return [toasts.success("The webhook was saved.")]

    def _open(self, webhook: WebhookRead | None) -> None:
        self._seen, self.form = webhook, FormView.of(webhook, self.form.number + 1)
        self.faults, self.refusal, self.is_open = {}, "", True

    def _refuse(self, error: DomainError | ValidationError, number: int) -> list[ReflexEvent[()]]:
        if not self.is_open or self.form.number != number:
            # The form was closed before its answer came.
            return [toasts.error("The webhook was not saved.", description=told(error))]
        self.faults, self.refusal = faults(error), told(error)
        return [revealing(DIALOG)]


class SecretState(rx.State):
    """A secret that one browser tab shows, this once, or that it is about to replace."""

    secret: str = ""
    url: str = ""
    is_first: bool = True
    is_copied: bool = False
    is_open: bool = False
    is_asking: bool = False
    is_rotating: bool = False
    refusal: str = ""
    _webhook_id: str = ""

    @rx.event
    def show_secret(self, secret: str, url: str, is_first: bool) -> None:
        """Show a secret, a webhook's first or a later one."""
        self.secret, self.url, self.is_first = secret, url, is_first
        self.is_copied, self.is_open = False, True

    @rx.event
    def note_copy(self, done: bool) -> None:
        """Say that the secret has been copied."""
        self.is_copied = bool(done)

    @rx.event
    def forget_secret(self) -> None:
        """Close the dialog; nothing shows the secret again."""
        self.secret, self.is_open = "", False

    @rx.event
    def ask_before_rotating(self, webhook_id: str, url: str) -> None:
        """Open the question whether there shall be a new secret."""
        self._webhook_id, self.url, self.refusal = webhook_id, url, ""
        self.is_asking, self.is_rotating = True, False

    @rx.event
    def keep_secret(self) -> None:
        """Close the question."""
        self.is_asking = False

    @rx.event(background=True)
    async def rotate_secret(self) -> list[ReflexEvent[()]] | None:
        """Make a new secret, and show it."""
        async with self:
            if self.is_rotating:
                return None
            self.is_rotating, self.refusal = True, ""
        url = self.url
        try:
            made = await ask(service.rotate_secret, UUID(self._webhook_id))
        except DomainError as error:
            async with self:
                self.is_rotating, self.refusal = False, told(error)
            return None
        async with self:
            self.is_asking = self.is_rotating = False
        return [SecretState.show_secret(made.secret, url, False)]
