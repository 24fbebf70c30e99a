"""Dialogs: show or replace a secret, delete a webhook, send failed deliveries again."""

import reflex as rx

from product_importer.ui import styles
from product_importer.ui.modal import (
    KeptModal,
    action_bar,
    close_dialog,
    confirmation,
    dialog_actions,
    initial_focus,
    modal,
)
from product_importer.ui.secret_field import secret_field
from product_importer.ui.widgets import busy_button, button, error_notice
from product_importer.webhooks.pages.delete_state import WebhookDeleteState
from product_importer.webhooks.pages.deliveries_table import is_enabled
from product_importer.webhooks.pages.editor_state import SecretState
from product_importer.webhooks.pages.redeliver_state import PERIODS, RedeliverState

SECRET = "secret-dialog"  # noqa: S105 - an id
ROTATE = "rotate-dialog"
DELETE = "webhook-delete-dialog"
REDELIVER = "redeliver-dialog"
ERROR_TEST_ID = "webhook-refusal"


def secret_dialog() -> rx.Component:
    """Show a new secret. It is not shown again."""
    return modal(
        rx.cond(SecretState.is_first, "Webhook created", "New secret"),
        rx.el.p(
            "Messages to ",
            rx.el.span(SecretState.url, class_name=styles.STRONG),
            " are signed with this secret. Copy it to the receiver now: it is not shown again.",
            class_name="wrap-anywhere",
        ),
        secret_field(
            "Secret",
            SecretState.secret,
            name="webhook-secret",
            is_copied=SecretState.is_copied,
            on_copied=SecretState.mark_copied,
        ),
        rx.cond(
            SecretState.is_first,
            rx.fragment(),
            rx.el.p(
                "The old secret stays valid for 24 hours: until then each message is signed with both.",
                class_name="text-muted",
            ),
        ),
        action_bar(button("I have stored it", on_click=close_dialog(SECRET), data_testid="webhook-secret-done")),
        name=SECRET,
        shown=SecretState.is_open,
        on_close=SecretState.close_secret,
        kind=KeptModal,
    )


def rotate_dialog() -> rx.Component:
    """Ask before making a new secret."""
    return confirmation(
        "Make a new secret?",
        rx.el.p(rx.el.span(SecretState.url, class_name=styles.STRONG), class_name="wrap-anywhere"),
        "The old secret stays valid for 24 hours, so that you have time to copy the new one to the receiver.",
        error_notice(SecretState.rotate_error, title="The secret was not changed", testid=ERROR_TEST_ID),
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
        on_close=SecretState.close_rotation,
        is_harmless=True,
    )


def delete_dialog() -> rx.Component:
    """Ask before deleting a webhook."""
    return confirmation(
        "Delete this webhook?",
        rx.el.p(rx.el.span(WebhookDeleteState.url, class_name=styles.STRONG), class_name="wrap-anywhere"),
        "No more events are sent to this URL, and its list of deliveries is deleted, too. This cannot be undone. "
        "To pause the webhook, disable it instead.",
        error_notice(WebhookDeleteState.error, title="Nothing was deleted", testid=ERROR_TEST_ID),
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
    """Ask for a period, and send the deliveries again that failed in it."""
    return modal(
        "Send failed deliveries again",
        rx.cond(RedeliverState.is_asking, redeliver_form()),
        name=REDELIVER,
        shown=RedeliverState.is_asking,
        on_close=RedeliverState.close_redeliver,
    )


def redeliver_form() -> rx.Component:
    """The form that asks for the period."""
    return rx.el.form(
        rx.el.p(
            "Every delivery whose last attempt failed in this period is sent again ",
            rx.cond(is_enabled(), "now", "when the webhook is enabled again"),
            ", including those that wait for their next attempt. Each keeps its webhook-id, so the receiver can "
            "recognise what it already has.",
            class_name="text-muted",
        ),
        rx.el.label(
            rx.el.span("Failed", class_name=styles.LABEL),
            rx.el.select(
                *(rx.el.option(label, value=value) for value, (label, _) in PERIODS.items()),
                name="period",
                default_value="day",
                class_name=styles.INPUT,
                data_testid="redeliver-period",
                **initial_focus(),
            ),
            class_name=styles.FIELD,
        ),
        error_notice(RedeliverState.error, title="Nothing was sent again", testid=ERROR_TEST_ID),
        dialog_actions(
            REDELIVER,
            busy_button(
                "Send again",
                "Sending…",
                is_busy=RedeliverState.is_redelivering,
                kind="primary",
                type="submit",
                data_testid="confirm-redeliver",
            ),
        ),
        on_submit=RedeliverState.redeliver_failed,
        class_name=styles.FORM,
    )
