"""The list of webhooks, and the page of one webhook with its deliveries."""

import reflex as rx

from product_importer.ui import routes, styles
from product_importer.ui.access_state import for_admins
from product_importer.ui.layout import page, section
from product_importer.ui.modal import dialog_button
from product_importer.ui.widgets import button, button_link, choice, empty_state, list_pager, loading, notice
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
    "A webhook tells another program when a product is created, changed or deleted, or when an import ends. Each "
    "event is sent as a signed HTTP request to the URL you enter. If that fails, it is tried again for three days."
)


def webhooks_page() -> rx.Component:
    """The page with the list of webhooks."""
    return page(
        "Webhooks",
        load_error(),
        webhook_list(),
        list_pager(WebhookState, prefix="webhooks"),
        *dialogs(),
        current=routes.WEBHOOKS,
        actions=for_admins(new_button("webhook-new")),
    )


def webhook_page() -> rx.Component:
    """The page of one webhook."""
    title = rx.cond(WebhookState.webhooks.length() > 0, WebhookState.webhooks[0].url, "Webhook")
    return page(
        title,
        load_error(),
        rx.cond(WebhookState.missing, not_found(), webhook_with_deliveries()),
        *dialogs(),
        redeliver_dialog(),
        current=routes.WEBHOOKS,
        actions=button_link("All webhooks", to=routes.WEBHOOKS),
    )


def dialogs() -> tuple[rx.Component, ...]:
    """The dialogs of both pages."""
    return webhook_dialog(), secret_dialog(), rotate_dialog(), delete_dialog()


def new_button(testid: str) -> rx.Component:
    """The button that opens the form of a new webhook."""
    return dialog_button("New webhook", kind="primary", on_click=WebhookEditorState.start_webhook, data_testid=testid)


def load_error() -> rx.Component:
    """Why the webhooks cannot be shown, and a button to try again."""
    return rx.cond(
        WebhookState.load_error,
        notice(
            rx.el.p(WebhookState.load_error),
            rx.el.div(
                button("Try again", on_click=WebhookState.load_webhooks), class_name=f"{styles.ACTIONS} mt-2.5"
            ),
            title="The webhooks cannot be shown",
            data_testid="webhooks-problem",
        ),
    )


def webhook_list() -> rx.Component:
    """The list, or what webhooks are for."""
    return rx.cond(
        WebhookState.webhooks.length() > 0,
        rx.el.ul(rx.foreach(WebhookState.webhooks, webhook_row), aria_label="Webhooks", class_name=styles.STACK),
        rx.cond(WebhookState.loaded, no_webhooks(), loading_unless_failed()),
    )


def no_webhooks() -> rx.Component:
    """What stands in place of an empty list."""
    return empty_state("No webhooks yet", PURPOSE, for_admins(new_button("webhook-first")))


def loading_unless_failed() -> rx.Component:
    """What stands in place of the webhooks while they load."""
    return rx.cond(WebhookState.load_error, rx.fragment(), loading())


def not_found() -> rx.Component:
    """What stands in place of a webhook that does not exist."""
    return empty_state("There is no such webhook", "It may have been deleted, or the link is wrong.")


def webhook_with_deliveries() -> rx.Component:
    """The webhook, and what was sent to it."""
    return rx.fragment(
        rx.cond(
            WebhookState.webhooks.length() > 0,
            rx.foreach(WebhookState.webhooks, webhook_details),
            loading_unless_failed(),
        ),
        section("Deliveries", delivery_bar(), deliveries()),
    )


def delivery_bar() -> rx.Component:
    """The filter, and the buttons for the whole list."""
    return rx.el.div(
        choice(
            "Status",
            STATUSES,
            name="delivery-filter",
            value=DeliveryState.status,
            on_change=DeliveryState.filter_status,
            class_name=f"{styles.FIELD} w-40 max-md:w-full",
        ),
        rx.el.div(
            for_admins(
                button(
                    "Send failed again…",
                    on_click=DeliveryState.ask_before_redelivering,
                    data_testid="deliveries-redeliver",
                )
            ),
            button("Refresh", on_click=DeliveryState.refresh, data_testid="deliveries-refresh"),
            class_name=f"{styles.ACTIONS} max-md:w-full max-md:*:flex-1",
        ),
        class_name="flex flex-wrap items-end justify-between gap-3",
    )


def deliveries() -> rx.Component:
    """The table of deliveries, or what stands in its place."""
    return rx.cond(
        DeliveryState.load_error,
        notice(rx.el.p(DeliveryState.load_error), title="The deliveries cannot be shown"),
        rx.cond(
            DeliveryState.deliveries.length() > 0,
            rx.fragment(delivery_table(), list_pager(DeliveryState, prefix="deliveries")),
            rx.cond(DeliveryState.loaded, no_deliveries(), loading()),
        ),
    )


def no_deliveries() -> rx.Component:
    """What stands in place of an empty table."""
    return rx.cond(
        DeliveryState.status,
        empty_state("No delivery has this status", "Choose another status, or All."),
        empty_state(
            "Nothing sent yet", "Every event sent to this webhook appears here, with the receiver's response."
        ),
    )
