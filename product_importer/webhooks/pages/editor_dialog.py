"""The dialog that creates or edits a webhook."""

from typing import Any

import reflex as rx

from product_importer.ui import forms, styles
from product_importer.ui.forms import error_id, fault, form_field
from product_importer.ui.modal import dialog_actions, form_modal, initial_focus
from product_importer.ui.widgets import busy_button, error_notice
from product_importer.webhooks.models import ImportEvents
from product_importer.webhooks.pages.editor_state import DIALOG, WebhookEditorState
from product_importer.webhooks.pages.view_models import EVENT_NAMES

IMPORTS = (
    (ImportEvents.SUMMARY, "One event per import", "Sent when it ends, with its counts."),
    (
        ImportEvents.EACH,
        "Also one event per product",
        "The product events selected above, for each product that an import creates or updates.",
    ),
)


def webhook_dialog() -> rx.Component:
    """The dialog with its form."""
    return form_modal(
        rx.cond(WebhookEditorState.form.webhook_id, "Edit webhook", "New webhook"),
        rx.cond(WebhookEditorState.is_open, webhook_form()),
        name=DIALOG,
        shown=WebhookEditorState.is_open,
        on_close=WebhookEditorState.close_editor,
    )


def webhook_form() -> rx.Component:
    """The form: fields, error and buttons."""
    return rx.el.form(
        url_field(),
        description_field(),
        event_fields(),
        import_fields(),
        error_notice(WebhookEditorState.form_error, title="Not saved", testid="webhook-form-error"),
        dialog_actions(DIALOG, save_button()),
        key=f"form-{WebhookEditorState.form.number}",
        on_submit=WebhookEditorState.save_webhook,
        no_validate=True,
        class_name=styles.FORM,
    )


def described(name: str) -> dict[str, Any]:
    """The properties that every text field of the form has."""
    return forms.input_props(
        name, prefix="webhook", form=WebhookEditorState.form, errors=WebhookEditorState.field_errors
    )


def url_field() -> rx.Component:
    """The URL that receives the messages."""
    control = rx.el.input(
        **described("url"),
        type="url",
        aria_required="true",
        spell_check=False,
        placeholder="https://example.com/hooks/products",
        **initial_focus(),
    )
    return form_field("URL", control, name="webhook-url", error=WebhookEditorState.field_errors["url"])


def description_field() -> rx.Component:
    """An optional description."""
    control = rx.el.input(**described("description"), placeholder="Optional: what this webhook is for")
    return form_field(
        "Description", control, name="webhook-description", error=WebhookEditorState.field_errors["description"]
    )


def event_fields() -> rx.Component:
    """A checkbox for each event type."""
    error = WebhookEditorState.field_errors["event_types"]
    return rx.el.fieldset(
        rx.el.legend("Events", class_name=styles.LABEL),
        rx.el.div(
            *(event_field(name, label) for name, label in EVENT_NAMES.items()),
            class_name=f"{styles.CHECKS} md:grid-cols-2",
        ),
        fault(error, name="webhook-events"),
        aria_describedby=error_id("webhook-events"),
    )


def event_field(name: str, label: str) -> rx.Component:
    """The checkbox of one event type."""
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name="event_types",
            value=name,
            default_checked=WebhookEditorState.form.event_types.contains(name),
            class_name=styles.CHECK_BOX,
            data_testid=f"webhook-event-{name}",
        ),
        label,
        class_name=styles.CHECK,
    )


def import_fields() -> rx.Component:
    """Which events an import sends."""
    return rx.el.fieldset(
        rx.el.legend("Imports", class_name=styles.LABEL),
        rx.el.div(*(import_field(*choice) for choice in IMPORTS), class_name=styles.CHECKS),
    )


def import_field(name: str, label: str, hint: str) -> rx.Component:
    """One choice for the events of an import."""
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="import_events",
            value=name,
            default_checked=WebhookEditorState.form.import_events == name,
            class_name=styles.CHECK_BOX,
            data_testid=f"webhook-import-{name}",
        ),
        rx.el.span(label, rx.el.span(hint, class_name=styles.HINT)),
        class_name=styles.CHECK,
    )


def save_button() -> rx.Component:
    """The button that submits the form."""
    return busy_button(
        rx.cond(WebhookEditorState.form.webhook_id, "Save", "Create"),
        "Saving…",
        is_busy=WebhookEditorState.is_saving,
        kind="primary",
        type="submit",
        data_testid="webhook-save",
    )
