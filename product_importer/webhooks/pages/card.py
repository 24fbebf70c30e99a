"""A webhook on a card: where it leads, what it is told of, how it goes, and what can be done with it."""

import reflex as rx

from product_importer.ui.widgets import badge, busy_button, button, link, local_time, notice, switch
from product_importer.webhooks.pages.delete_state import WebhookDeleteState
from product_importer.webhooks.pages.editor_state import SecretState, WebhookEditorState
from product_importer.webhooks.pages.list_state import WebhookState
from product_importer.webhooks.pages.view_models import WebhookView


def webhook_row(webhook: WebhookView) -> rx.Component:
    """A webhook in the list of all."""
    return rx.el.li(
        *webhook_card(webhook, link(webhook.url, to=f"/webhooks/{webhook.id}", class_name="webhook-address")),
        class_name="card webhook",
        data_testid="webhook-row",
        key=webhook.id,
    )


def webhook_details(webhook: WebhookView) -> rx.Component:
    """A webhook on its own page, which bears its address as a title."""
    words = rx.cond(webhook.description, webhook.description, "No description")
    return rx.el.div(
        *webhook_card(webhook, rx.el.span(words, class_name="strong"), is_own_page=True),
        class_name="card webhook",
        data_testid="webhook-row",
        key=webhook.id,
    )


def webhook_card(webhook: WebhookView, title: rx.Component, is_own_page: bool = False) -> tuple[rx.Component, ...]:
    """The card's parts, top down."""
    return (
        rx.el.div(
            rx.el.div(title, state_badge(webhook), class_name="webhook-title"),
            enabled_switch(webhook),
            class_name="webhook-head",
        ),
        rx.fragment()
        if is_own_page
        else rx.cond(webhook.description, rx.el.p(webhook.description, class_name="muted")),
        rx.cond(webhook.disabled_reason, disabled_reason(webhook)),
        event_chips(webhook),
        rx.el.div(
            details(webhook) if is_own_page else last_delivery(webhook),
            actions(webhook, is_own_page),
            class_name="webhook-foot",
        ),
        test_result(webhook),
    )


def state_badge(webhook: WebhookView) -> rx.Component:
    """Whether anything is sent."""
    return rx.cond(webhook.enabled, badge("enabled", tone="good"), badge("disabled", tone="neutral"))


def enabled_switch(webhook: WebhookView) -> rx.Component:
    """Send, or do not."""
    return switch(
        webhook.enabled,
        label=f"{webhook.url} is enabled",
        on_click=WebhookState.switch_webhook(webhook.id, ~webhook.enabled),
        is_busy=webhook.is_switching,
        data_testid="webhook-enabled",
    )


def disabled_reason(webhook: WebhookView) -> rx.Component:
    """Why the application has disabled it by itself."""
    return notice(
        rx.el.p(webhook.disabled_reason),
        title="Disabled",
        tone="warning",
        data_testid="webhook-disabled-reason",
    )


def event_chips(webhook: WebhookView) -> rx.Component:
    """What it is told of."""
    return rx.el.ul(
        rx.foreach(webhook.events, lambda name: rx.el.li(name, class_name="chip")),
        rx.cond(webhook.wants_each, rx.el.li("each product of an import", class_name="chip")),
        aria_label="Events",
        class_name="chips",
    )


def details(webhook: WebhookView) -> rx.Component:
    """What is worth knowing beside."""
    return rx.el.p("Created ", local_time(webhook.created_at), class_name="muted")


def last_delivery(webhook: WebhookView) -> rx.Component:
    """What was sent last, and how it was taken."""
    last = webhook.last
    told = rx.el.p(
        badge(last.status, tone=last.tone),
        rx.el.span(last.event, class_name="strong"),
        rx.cond(last.answer, rx.el.span(last.answer, class_name="muted numeric answer")),
        rx.cond(last.took, rx.el.span(last.took, class_name="muted numeric")),
        rx.el.span(local_time(last.created_at), class_name="muted"),
        class_name="last",
        data_testid="webhook-last-delivery",
    )
    return rx.cond(last.id, told, rx.el.p("Nothing sent yet", class_name="muted"))


def actions(webhook: WebhookView, is_own_page: bool) -> rx.Component:
    """What can be done with it."""
    deliveries = link("Deliveries", to=f"/webhooks/{webhook.id}", class_name="button quiet")
    return rx.el.div(
        rx.fragment() if is_own_page else deliveries,
        test_button(webhook),
        button(
            "Edit",
            kind="quiet",
            on_click=WebhookEditorState.edit_webhook(webhook.id),
            aria_label=f"Edit {webhook.url}",
            data_testid="webhook-edit",
        ),
        button(
            "New secret",
            kind="quiet",
            on_click=SecretState.ask_before_rotating(webhook.id, webhook.url),
            aria_label=f"Make a new secret for {webhook.url}",
            data_testid="webhook-rotate",
        ),
        button(
            "Delete",
            kind="quiet bad",
            on_click=WebhookDeleteState.open_dialog(webhook.id, webhook.url),
            aria_label=f"Delete {webhook.url}",
            data_testid="webhook-delete",
        ),
        class_name="row-actions webhook-actions",
    )


def test_button(webhook: WebhookView) -> rx.Component:
    """Send a test message."""
    return busy_button(
        "Test",
        "Testing…",
        is_busy=webhook.is_testing,
        kind="quiet",
        on_click=WebhookState.test_webhook(webhook.id),
        aria_label=f"Send a test to {webhook.url}",
        data_testid="webhook-test",
    )


def test_result(webhook: WebhookView) -> rx.Component:
    """How the receiver took the test; it stands there empty, so that it is read out when it comes."""
    shown = rx.el.p(
        badge(rx.cond(webhook.test.tone == "good", "test received", "test failed"), tone=webhook.test.tone),
        rx.el.span(webhook.test.answer, class_name="answer"),
        rx.el.span(webhook.test.took, class_name="muted numeric"),
        class_name="last",
        data_testid="webhook-test-result",
    )
    return rx.el.div(rx.cond(webhook.test.answer, shown), role="status", class_name="webhook-test")
