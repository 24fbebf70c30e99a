"""The dialog in which a webhook is created or changed."""

from typing import Any

import reflex as rx

from product_importer.ui import widgets
from product_importer.ui.modal import dialog_actions, focused, modal
from product_importer.ui.widgets import busy_button, fault_id, form_field, refusal
from product_importer.webhooks.models import ImportEvents
from product_importer.webhooks.pages.editor_state import DIALOG, WebhookEditorState
from product_importer.webhooks.pages.view_models import EVENTS

IMPORTS = (
    (ImportEvents.SUMMARY, "One event for each import", "When it ends, with its counts."),
    (
        ImportEvents.EACH,
        "One event for each product, too",
        "The product events chosen above, for each that an import creates or updates.",
    ),
)


def webhook_dialog() -> rx.Component:
    """Create or change a webhook."""
    return modal(
        rx.cond(WebhookEditorState.form.webhook_id, "Edit webhook", "New webhook"),
        rx.cond(WebhookEditorState.is_open, webhook_form()),
        name=DIALOG,
        shown=WebhookEditorState.is_open,
        on_close=WebhookEditorState.close_editor,
    )


def webhook_form() -> rx.Component:
    """Fields, what is wrong, and how it ends."""
    return rx.el.form(
        url_field(),
        description_field(),
        event_fields(),
        import_fields(),
        refusal(WebhookEditorState.refusal, title="Not saved", testid="webhook-form-error"),
        dialog_actions(DIALOG, save_button()),
        key=f"form-{WebhookEditorState.form.number}",
        on_submit=WebhookEditorState.save_webhook,
        no_validate=True,
        class_name="dialog-form",
    )


def described(name: str) -> dict[str, Any]:
    """What every text field of the form says of itself."""
    return widgets.described(name, prefix="webhook", form=WebhookEditorState.form, faults=WebhookEditorState.faults)


def url_field() -> rx.Component:
    """Where the messages go."""
    control = rx.el.input(
        **described("url"),
        type="url",
        aria_required="true",
        spell_check=False,
        placeholder="https://example.com/hooks/products",
        **focused(),
    )
    return form_field("Address", control, name="webhook-url", fault=WebhookEditorState.faults["url"])


def description_field() -> rx.Component:
    """What the receiver is for."""
    control = rx.el.input(**described("description"), placeholder="What it is for, if you like")
    return form_field(
        "Description", control, name="webhook-description", fault=WebhookEditorState.faults["description"]
    )


def event_fields() -> rx.Component:
    """What it is told of."""
    fault = WebhookEditorState.faults["event_types"]
    return rx.el.fieldset(
        rx.el.legend("Events", class_name="label"),
        rx.el.div(*(event_field(name, words) for name, words in EVENTS.items()), class_name="checks two"),
        rx.el.p(
            fault,
            id=fault_id("webhook-events"),
            aria_live="polite",
            class_name="fault",
            data_testid="webhook-events-fault",
        ),
        aria_describedby=fault_id("webhook-events"),
    )


def event_field(name: str, words: str) -> rx.Component:
    """One type of event."""
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name="event_types",
            value=name,
            default_checked=WebhookEditorState.form.event_types.contains(name),
            data_testid=f"webhook-event-{name}",
        ),
        words,
        class_name="check",
    )


def import_fields() -> rx.Component:
    """How much an import tells."""
    return rx.el.fieldset(
        rx.el.legend("Imports", class_name="label"),
        rx.el.div(*(import_field(*choice) for choice in IMPORTS), class_name="checks"),
    )


def import_field(name: str, words: str, hint: str) -> rx.Component:
    """One way."""
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="import_events",
            value=name,
            default_checked=WebhookEditorState.form.import_events == name,
            data_testid=f"webhook-import-{name}",
        ),
        rx.el.span(words, rx.el.span(hint, class_name="hint")),
        class_name="check",
    )


def save_button() -> rx.Component:
    """Send the form."""
    return busy_button(
        rx.cond(WebhookEditorState.form.webhook_id, "Save", "Create"),
        "Saving…",
        is_busy=WebhookEditorState.is_saving,
        kind="primary",
        type="submit",
        data_testid="webhook-save",
    )
