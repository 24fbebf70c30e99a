"""The list of webhooks, and the page of one webhook with its deliveries."""

import reflex as rx

from product_importer.ui import routes, styles
from product_importer.ui.access_state import for_admins
from product_importer.ui.layout import page, section
from product_importer.ui.live import with_news
from product_importer.ui.modal import dialog_button
from product_importer.ui.palette.keyboard import shortcut
from product_importer.ui.widgets import button, button_link, empty_state, list_pager, loading, notice
from product_importer.webhooks.pages.activity_chart import activity_chart
from product_importer.webhooks.pages.card import webhook_details, webhook_row
from product_importer.webhooks.pages.deliveries_table import deliveries, delivery_bar
from product_importer.webhooks.pages.delivery_drawer import delivery_drawer
from product_importer.webhooks.pages.dialogs import delete_dialog, redeliver_dialog, rotate_dialog, secret_dialog
from product_importer.webhooks.pages.editor_dialog import webhook_dialog
from product_importer.webhooks.pages.editor_state import WebhookEditorState
from product_importer.webhooks.pages.list_state import WebhookState

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
    return dialog_button(
        "New webhook",
        kind="primary",
        on_click=WebhookEditorState.start_webhook,
        custom_attrs=shortcut("new"),
        data_testid=testid,
    )


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
        with_news(WebhookState, WebhookState.show_news, webhooks()),
        rx.cond(WebhookState.loaded, no_webhooks(), loading_unless_failed()),
    )


def webhooks() -> rx.Component:
    """The webhooks on this page of the list."""
    return rx.el.ul(rx.foreach(WebhookState.webhooks, webhook_row), aria_label="Webhooks", class_name=styles.STACK)


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
        section("Deliveries", activity_chart(), delivery_bar(), deliveries()),
        delivery_drawer(),
    )
