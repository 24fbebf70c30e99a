"""The card of a webhook: URL, events, last delivery and actions."""

import reflex as rx

from product_importer.ui import live, styles
from product_importer.ui.access_state import for_admins
from product_importer.ui.forms import switch
from product_importer.ui.widgets import badge, busy_button, button, button_link, link, local_time, notice
from product_importer.webhooks.pages.delete_state import WebhookDeleteState
from product_importer.webhooks.pages.delivery_badge import delivery_badge
from product_importer.webhooks.pages.editor_state import SecretState, WebhookEditorState
from product_importer.webhooks.pages.list_state import WebhookState
from product_importer.webhooks.pages.view_models import WebhookView

CARD = f"{styles.CARD} grid grid-cols-1 gap-3 py-4"
ADDRESS = "min-w-0 rounded-sm font-semibold hover:text-accent"


def webhook_row(webhook: WebhookView) -> rx.Component:
    """The card in the list of webhooks."""
    is_gone = WebhookState.gone.contains(webhook.id)
    title = link(webhook.url, to=f"/webhooks/{webhook.id}", class_name=ADDRESS)
    deleted = rx.el.div(live.marked(webhook.url, is_gone), class_name="min-w-0 wrap-anywhere text-muted")
    return rx.el.li(
        rx.cond(is_gone, deleted, rx.fragment(*webhook_card(webhook, title))),
        class_name=CARD,
        data_testid="webhook-row",
        key=webhook.id,
    )


def webhook_details(webhook: WebhookView) -> rx.Component:
    """The card on the webhook's own page, whose title is the URL."""
    description = rx.cond(webhook.description, webhook.description, "No description")
    return rx.el.div(
        *webhook_card(webhook, rx.el.span(description, class_name=styles.STRONG), is_own_page=True),
        class_name=CARD,
        data_testid="webhook-row",
        key=webhook.id,
    )


def webhook_card(webhook: WebhookView, title: rx.Component, is_own_page: bool = False) -> tuple[rx.Component, ...]:
    """The parts of the card, from top to bottom."""
    return (
        rx.el.div(
            rx.el.div(
                title,
                state_badge(webhook),
                class_name="flex min-w-0 flex-wrap items-start gap-x-2.5 gap-y-1.5 wrap-anywhere",
            ),
            for_admins(enabled_switch(webhook)),
            class_name="flex items-start justify-between gap-4",
        ),
        rx.fragment()
        if is_own_page
        else rx.cond(webhook.description, rx.el.p(webhook.description, class_name="-mt-2 wrap-anywhere text-muted")),
        rx.cond(webhook.disabled_reason, disabled_reason(webhook)),
        event_chips(webhook),
        rx.el.div(
            details(webhook) if is_own_page else last_delivery(webhook),
            actions(webhook, is_own_page),
            class_name="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-t border-line pt-2.5",
        ),
        test_result(webhook),
    )


def state_badge(webhook: WebhookView) -> rx.Component:
    """A badge that says whether the webhook is enabled."""
    return rx.cond(webhook.enabled, badge("enabled", tone="good"), badge("disabled", tone="neutral"))


def enabled_switch(webhook: WebhookView) -> rx.Component:
    """The switch that enables or disables the webhook."""
    return switch(
        webhook.enabled,
        label=f"Enable {webhook.url}",
        on_click=WebhookState.switch_webhook(webhook.id, ~webhook.enabled),
        is_busy=webhook.is_switching,
        data_testid="webhook-enabled",
    )


def disabled_reason(webhook: WebhookView) -> rx.Component:
    """Why the application disabled the webhook."""
    return notice(
        rx.el.p(webhook.disabled_reason),
        title="Disabled",
        tone="warning",
        data_testid="webhook-disabled-reason",
    )


def event_chips(webhook: WebhookView) -> rx.Component:
    """The events that the webhook subscribes to."""
    return rx.el.ul(
        rx.foreach(webhook.events, lambda name: rx.el.li(name, class_name=styles.CHIP)),
        rx.cond(webhook.wants_each, rx.el.li("One event per imported product", class_name=styles.CHIP)),
        aria_label="Events",
        class_name=styles.CHIPS,
    )


def details(webhook: WebhookView) -> rx.Component:
    """When the webhook was created."""
    return rx.el.p("Created ", local_time(webhook.created_at), class_name="text-muted")


def last_delivery(webhook: WebhookView) -> rx.Component:
    """The last delivery and its outcome."""
    last = webhook.last
    shown = rx.el.p(
        delivery_badge(last, is_enabled=webhook.enabled),
        rx.el.span(last.event, class_name=styles.STRONG),
        rx.cond(last.answer, rx.el.span(last.answer, class_name="wrap-anywhere text-muted tabular-nums")),
        rx.cond(last.duration, rx.el.span(last.duration, class_name="text-muted tabular-nums")),
        rx.el.span(local_time(last.created_at), class_name="text-muted"),
        class_name=styles.LINE,
        data_testid="webhook-last-delivery",
    )
    return rx.cond(last.id, shown, rx.el.p("Nothing sent yet", class_name="text-muted"))


def actions(webhook: WebhookView, is_own_page: bool) -> rx.Component:
    """The buttons of the card."""
    deliveries = button_link("Deliveries", to=f"/webhooks/{webhook.id}", kind="quiet")
    return rx.el.div(
        rx.fragment() if is_own_page else deliveries,
        for_admins(test_button(webhook), *changes(webhook)),
        class_name="-mr-2 ml-auto flex flex-wrap max-md:-ml-2",
    )


def changes(webhook: WebhookView) -> tuple[rx.Component, ...]:
    """The buttons that change the webhook."""
    return (
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
    )


def test_button(webhook: WebhookView) -> rx.Component:
    """The button that sends a test message."""
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
    """The test result. The element is there before the result, so that screen readers announce it."""
    shown = rx.el.p(
        badge(rx.cond(webhook.test.tone == "good", "test succeeded", "test failed"), tone=webhook.test.tone),
        rx.el.span(webhook.test.answer, class_name="min-w-0 wrap-anywhere"),
        rx.el.span(webhook.test.duration, class_name="text-muted tabular-nums"),
        class_name=styles.LINE,
        data_testid="webhook-test-result",
    )
    return rx.el.div(rx.cond(webhook.test.answer, shown), role="status", class_name="empty:hidden")
