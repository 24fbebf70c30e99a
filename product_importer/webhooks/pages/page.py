"""The pages of webhooks: all of them; one with its deliveries."""

import reflex as rx

from product_importer.ui import routes
from product_importer.ui.layout import page, section
from product_importer.ui.modal import opener
from product_importer.ui.widgets import button, choice, empty_state, link, list_pager, loading, notice
from product_importer.webhooks.models import DeliveryStatus
from product_importer.webhooks.pages.card import webhook_details, webhook_row
from product_importer.webhooks.pages.deliveries_state import DeliveryState
from product_importer.webhooks.pages.deliveries_table import delivery_table
from product_importer.webhooks.pages.dialogs import delete_dialog, redeliver_dialog, rotate_dialog, secret_dialog
from product_importer.webhooks.pages.editor_dialog import webhook_dialog
from product_importer.webhooks.pages.editor_state import WebhookEditorState
from product_importer.webhooks.pages.list_state import WebhookState

STATUSES = (("", "All"), *((status.value, status.value.capitalize()) for status in DeliveryStatus))
PURPOSE = (
    "A webhook tells another program of what happens here: a product was created, changed or deleted, an import has "
    "ended. Each event is sent to the address you name, signed, and again until it has arrived."
)


def webhooks_page() -> rx.Component:
    """Who is told of what happens here."""
    return page(
        "Webhooks",
        problem(),
        listed(),
        list_pager(WebhookState, prefix="webhooks"),
        *dialogs(),
        current=routes.WEBHOOKS,
        actions=new_button("webhook-new"),
    )


def webhook_page() -> rx.Component:
    """One webhook, and what was sent to it."""
    address = rx.cond(WebhookState.webhooks.length() > 0, WebhookState.webhooks[0].url, "Webhook")
    return page(
        address,
        problem(),
        rx.cond(WebhookState.missing, missing(), one_webhook()),
        *dialogs(),
        redeliver_dialog(),
        current=routes.WEBHOOKS,
        actions=link("All webhooks", to=routes.WEBHOOKS, class_name="button"),
    )


def dialogs() -> tuple[rx.Component, ...]:
    """What both pages open."""
    return webhook_dialog(), secret_dialog(), rotate_dialog(), delete_dialog()


def new_button(testid: str) -> rx.Component:
    """Open the form of a new webhook."""
    return opener("New webhook", kind="primary", on_click=WebhookEditorState.start_webhook, data_testid=testid)


def problem() -> rx.Component:
    """Why nothing can be shown, and the way out."""
    return rx.cond(
        WebhookState.problem,
        notice(
            rx.el.p(WebhookState.problem),
            rx.el.div(button("Try again", on_click=WebhookState.load_webhooks), class_name="actions"),
            title="The webhooks cannot be shown",
            data_testid="webhooks-problem",
        ),
    )


def listed() -> rx.Component:
    """The webhooks, or what they are for."""
    return rx.cond(
        WebhookState.webhooks.length() > 0,
        rx.el.ul(rx.foreach(WebhookState.webhooks, webhook_row), aria_label="Webhooks", class_name="stack"),
        rx.cond(WebhookState.loaded, no_webhooks(), awaited()),
    )


def no_webhooks() -> rx.Component:
    """Instead of an empty list."""
    return rx.el.div(empty_state("No webhooks yet", PURPOSE, new_button("webhook-first")), class_name="explained")


def awaited() -> rx.Component:
    """What stands there while it is asked for."""
    return rx.cond(WebhookState.problem, rx.fragment(), loading())


def missing() -> rx.Component:
    """Instead of a webhook."""
    return empty_state("There is no such webhook", "It may have been deleted, or its address is mistyped.")


def one_webhook() -> rx.Component:
    """The webhook, and what was sent to it."""
    return rx.fragment(
        rx.cond(WebhookState.webhooks.length() > 0, rx.foreach(WebhookState.webhooks, webhook_details), awaited()),
        section("Deliveries", delivery_bar(), deliveries()),
    )


def delivery_bar() -> rx.Component:
    """Which deliveries, and what can be done with many."""
    return rx.el.div(
        choice(
            "Status",
            STATUSES,
            name="delivery-filter",
            value=DeliveryState.status,
            on_change=DeliveryState.filter_status,
        ),
        rx.el.div(
            button(
                "Send failed again…",
                on_click=DeliveryState.ask_before_redelivering,
                data_testid="deliveries-redeliver",
            ),
            button("Refresh", on_click=DeliveryState.refresh, data_testid="deliveries-refresh"),
            class_name="actions",
        ),
        class_name="delivery-bar",
    )


def deliveries() -> rx.Component:
    """What was sent, or that nothing was."""
    return rx.cond(
        DeliveryState.problem,
        notice(rx.el.p(DeliveryState.problem), title="The deliveries cannot be shown"),
        rx.cond(
            DeliveryState.deliveries.length() > 0,
            rx.fragment(delivery_table(), list_pager(DeliveryState, prefix="deliveries")),
            rx.cond(DeliveryState.loaded, no_deliveries(), loading()),
        ),
    )


def no_deliveries() -> rx.Component:
    """Instead of an empty table."""
    return rx.cond(
        DeliveryState.status,
        empty_state("No delivery has this status", "Choose another, or all of them."),
        empty_state("Nothing sent yet", "Every event that this webhook is told of appears here, with its answer."),
    )
