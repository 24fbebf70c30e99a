"""The table of a webhook's deliveries. Responses come from strangers: they are shown as text, never as HTML."""

import reflex as rx

from product_importer.ui import styles, tables
from product_importer.ui.access_state import for_admins
from product_importer.ui.widgets import badge, button, local_time
from product_importer.webhooks.pages.deliveries_state import DeliveryState
from product_importer.webhooks.pages.view_models import AttemptView, DeliveryView

COLUMNS = ("Event", "Status", "Attempts", "Response", "Last attempt", "Next attempt")
NUMERIC = ("Attempts",)
EXCERPT = (
    "mt-1.5 max-h-[220px] overflow-auto rounded-md border border-line bg-raised px-2.5 py-2 text-left font-mono "
    "text-xs wrap-anywhere whitespace-pre-wrap"
)


def delivery_table() -> rx.Component:
    """The deliveries of this page, newest first."""
    return tables.table(
        tables.headings(*COLUMNS, numbers=NUMERIC, has_actions=True),
        # A `tbody` for each delivery: its row, and below it its attempts, when they are opened.
        rx.foreach(DeliveryState.deliveries, delivery_body),
        is_busy=DeliveryState.loading,
        data_testid="deliveries-table",
    )


def delivery_body(delivery: DeliveryView) -> rx.Component:
    """One delivery: its row, and its attempts when they are opened."""
    return tables.body(
        delivery_row(delivery),
        rx.cond(DeliveryState.opened == delivery.id, attempts_row(delivery)),
        key=delivery.id,
    )


def delivery_row(delivery: DeliveryView) -> rx.Component:
    """The row of one delivery."""
    return tables.row(
        tables.lead(delivery.event, class_name=f"{styles.STRONG} md:min-w-[174px]"),
        tables.cell(badge(delivery.status, tone=delivery.tone, data_testid="delivery-status"), label="Status"),
        tables.number(delivery.attempts, label="Attempts"),
        tables.cell(response(delivery), label="Response", class_name="md:w-[26%]"),
        tables.cell(moment(delivery.last_attempt_at), label="Last attempt", class_name=tables.TIME),
        tables.cell(moment(delivery.next_attempt_at), label="Next attempt", class_name=tables.TIME),
        tables.actions(*row_actions(delivery)),
        data_testid="delivery-row",
    )


def response(delivery: DeliveryView) -> rx.Component:
    """The status code or the error, and the time; below it the beginning of the response body."""
    return rx.el.div(
        rx.el.div(
            rx.el.span(dash_or(delivery.response), data_testid="delivery-answer"),
            rx.cond(delivery.duration, rx.el.span(" · ", delivery.duration, class_name="text-muted tabular-nums")),
        ),
        rx.cond(delivery.excerpt, rx.el.div(delivery.excerpt, class_name=f"{styles.CLAMP} {styles.MONO} text-muted")),
        class_name="min-w-0 wrap-anywhere",
    )


def row_actions(delivery: DeliveryView) -> tuple[rx.Component, rx.Component]:
    """The buttons that show the attempts and send the delivery again."""
    is_open = DeliveryState.opened == delivery.id
    return (
        button(
            rx.cond(is_open, "Close", "Details"),
            kind="quiet",
            on_click=DeliveryState.toggle_attempts(delivery.id),
            aria_expanded=rx.cond(is_open, "true", "false"),
            aria_label=f"Details of {delivery.event}",
            data_testid="delivery-details",
        ),
        for_admins(
            button(
                "Send again",
                kind="quiet",
                on_click=DeliveryState.redeliver(delivery.id),
                aria_label=f"Send again: {delivery.event}",
                data_testid="delivery-redeliver",
            )
        ),
    )


def attempts_row(delivery: DeliveryView) -> rx.Component:
    """The attempts of a delivery, newest first."""
    return tables.details(
        rx.el.p("webhook-id ", rx.el.span(delivery.event_id, class_name=styles.MONO), class_name="text-muted"),
        rx.cond(
            delivery.history.length() > 0,
            rx.el.ol(rx.foreach(delivery.history, attempt_item), class_name=f"{styles.FACTS} mt-2.5"),
            rx.el.p("No attempt yet", class_name="text-muted"),
        ),
        columns=len(COLUMNS) + 1,
        data_testid="delivery-attempts",
    )


def attempt_item(attempt: AttemptView) -> rx.Component:
    """One attempt."""
    return rx.el.li(
        rx.el.p(
            rx.el.span("Attempt ", attempt.number, class_name=styles.STRONG),
            rx.el.span(attempt.response, class_name="min-w-0 wrap-anywhere"),
            rx.el.span(attempt.duration, class_name="text-muted tabular-nums"),
            rx.el.span(local_time(attempt.started_at), class_name="text-muted"),
            class_name=styles.LINE,
        ),
        rx.cond(attempt.excerpt, rx.el.pre(attempt.excerpt, class_name=EXCERPT, data_testid="delivery-excerpt")),
        key=attempt.number.to_string(),
    )


def moment(time: rx.Var[str]) -> rx.Component:
    """A time, or a dash."""
    return rx.cond(time, local_time(time), "—")


def dash_or(text: rx.Var[str]) -> rx.Component:
    """A text, or a dash."""
    return rx.cond(text, text, "—")
