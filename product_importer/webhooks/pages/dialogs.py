"""The dialogs in which a secret is shown or replaced, a webhook is deleted, and what failed is sent again."""

import reflex as rx

from product_importer.ui.modal import close_dialog, confirmation, dialog_actions, initial_focus, modal
from product_importer.ui.widgets import busy_button, button, error_notice
from product_importer.webhooks.pages.delete_state import WebhookDeleteState
from product_importer.webhooks.pages.deliveries_state import DeliveryState
from product_importer.webhooks.pages.editor_state import SecretState

SECRET = "secret-dialog"  # noqa: S105 - an id
ROTATE = "rotate-dialog"
DELETE = "webhook-delete-dialog"
REDELIVER = "redeliver-dialog"
REFUSAL = "webhook-refusal"

# Where the page is not served securely there is no clipboard, but the old way of copying.
COPY = """(async () => {
    const field = document.getElementById('webhook-secret');
    field.select();
    try { await navigator.clipboard.writeText(field.value); return true; }
    catch { return document.execCommand('copy'); }
})()"""
PERIODS = (
    ("hour", "In the last hour"),
    ("day", "In the last 24 hours"),
    ("week", "In the last 7 days"),
    ("month", "In the last 30 days"),
)


def secret_dialog() -> rx.Component:
    """Show a secret, this once."""
    return modal(
        rx.cond(SecretState.is_first, "The webhook was created", "The new secret"),
        rx.el.p(
            "Messages to ",
            rx.el.span(SecretState.url, class_name="strong"),
            " are signed with this secret. Store it at the receiver now: it is shown only this once.",
            class_name="subject",
        ),
        rx.el.div(
            rx.el.input(
                id="webhook-secret",
                value=SecretState.secret,
                read_only=True,
                spell_check=False,
                aria_label="Secret",
                class_name="input mono",
                data_testid="webhook-secret",
            ),
            copy_button(),
            class_name="secret",
        ),
        rx.cond(
            SecretState.is_first,
            rx.fragment(),
            rx.el.p(
                "The old secret stays valid for 24 hours: until then each message is signed with both.",
                class_name="muted",
            ),
        ),
        rx.el.div(
            button("Done", on_click=close_dialog(SECRET), data_testid="webhook-secret-done"),
            class_name="dialog-actions",
        ),
        name=SECRET,
        shown=SecretState.is_open,
        on_close=SecretState.forget_secret,
    )


def copy_button() -> rx.Component:
    """Take the secret along."""
    return button(
        rx.el.span(rx.cond(SecretState.is_copied, "Copied", "Copy"), aria_live="polite"),
        kind="primary",
        on_click=rx.call_script(COPY, callback=SecretState.note_copy),
        data_testid="webhook-secret-copy",
        **initial_focus(),
    )


def rotate_dialog() -> rx.Component:
    """Make a new secret, after a question."""
    return confirmation(
        "Make a new secret?",
        rx.el.p(rx.el.span(SecretState.url, class_name="strong"), class_name="subject"),
        "The old secret stays valid for 24 hours, so that there is time to store the new one at the receiver.",
        error_notice(SecretState.refusal, title="No secret was made", testid=REFUSAL),
        busy_button(
            "Make a new secret",
            "Making…",
            is_busy=SecretState.is_rotating,
            kind="primary",
            on_click=SecretState.rotate_secret,
            data_testid="confirm-rotate",
            **initial_focus(),
        ),
        name=ROTATE,
        shown=SecretState.is_asking,
        on_close=SecretState.keep_secret,
        is_harmless=True,
    )


def delete_dialog() -> rx.Component:
    """Delete a webhook, after a question."""
    return confirmation(
        "Delete this webhook?",
        rx.el.p(rx.el.span(WebhookDeleteState.url, class_name="strong"), class_name="subject"),
        "Nothing is sent there any more, and the record of its deliveries goes with it. This cannot be undone; "
        "to make a pause, switch it off instead.",
        error_notice(WebhookDeleteState.error, title="Nothing was deleted", testid=REFUSAL),
        busy_button(
            "Delete",
            "Deleting…",
            is_busy=WebhookDeleteState.is_busy,
            kind="danger",
            on_click=WebhookDeleteState.delete_webhook,
            data_testid="confirm-delete",
        ),
        name=DELETE,
        shown=WebhookDeleteState.is_open,
        on_close=WebhookDeleteState.close,
    )


def redeliver_dialog() -> rx.Component:
    """Send again what failed, after the question since when."""
    return modal(
        "Send again what failed",
        rx.cond(DeliveryState.is_asking, redeliver_form()),
        name=REDELIVER,
        shown=DeliveryState.is_asking,
        on_close=DeliveryState.leave_failed,
    )


def redeliver_form() -> rx.Component:
    """Since when."""
    return rx.el.form(
        rx.el.p(
            "Every delivery whose last attempt failed is sent again now, those included that wait for their next "
            "attempt. Each keeps its id, by which a receiver knows what it has seen before.",
            class_name="muted",
        ),
        rx.el.label(
            rx.el.span("Failed", class_name="label"),
            rx.el.select(
                *(rx.el.option(words, value=value) for value, words in PERIODS),
                name="period",
                default_value="day",
                class_name="input",
                data_testid="redeliver-period",
                **initial_focus(),
            ),
            class_name="field",
        ),
        error_notice(DeliveryState.refusal, title="Nothing was sent again", testid=REFUSAL),
        dialog_actions(
            REDELIVER,
            busy_button(
                "Send again",
                "Sending…",
                is_busy=DeliveryState.is_redelivering,
                kind="primary",
                type="submit",
                data_testid="confirm-redeliver",
            ),
        ),
        on_submit=DeliveryState.redeliver_failed,
        class_name="dialog-form",
    )
