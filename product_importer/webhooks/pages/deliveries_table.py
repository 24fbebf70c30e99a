"""The table of a webhook's deliveries. Responses come from strangers: they are shown as text, never as HTML."""

import reflex as rx

from product_importer.ui.access_state import for_admins
from product_importer.ui.widgets import badge, button, local_time
from product_importer.webhooks.pages.deliveries_state import DeliveryState
from product_importer.webhooks.pages.view_models import AttemptView, DeliveryView

COLUMNS = ("Event", "Status", "Attempts", "Response", "Last attempt", "Next attempt")
NUMERIC = ("Attempts",)


def delivery_table() -> rx.Component:
    """The deliveries of this page, newest first."""
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    *(rx.el.th(name, scope="col", class_name="right" if name in NUMERIC else "") for name in COLUMNS),
                    rx.el.th(rx.el.span("Actions", class_name="unseen"), scope="col"),
                )
            ),
            # A `tbody` for each delivery: its row, and below it its attempts, when they are opened.
            rx.foreach(DeliveryState.deliveries, delivery_body),
            class_name="table cards deliveries",
            data_testid="deliveries-table",
        ),
        aria_busy=rx.cond(DeliveryState.loading, "true", "false"),
        class_name="table-box",
    )


def delivery_body(delivery: DeliveryView) -> rx.Component:
    """One delivery: its row, and its attempts when they are opened."""
    return rx.el.tbody(
        delivery_row(delivery),
        rx.cond(DeliveryState.opened == delivery.id, attempts_row(delivery)),
        key=delivery.id,
    )


def delivery_row(delivery: DeliveryView) -> rx.Component:
    """The row of one delivery."""
    return rx.el.tr(
        rx.el.td(rx.el.div(delivery.event, class_name="strong"), class_name="lead"),
        rx.el.td(badge(delivery.status, tone=delivery.tone, data_testid="delivery-status"), data_label="Status"),
        rx.el.td(delivery.attempts, class_name="right numeric", data_label="Attempts"),
        rx.el.td(response(delivery), class_name="wide", data_label="Response"),
        rx.el.td(moment(delivery.last_attempt_at), class_name="muted", data_label="Last attempt"),
        rx.el.td(moment(delivery.next_attempt_at), class_name="muted", data_label="Next attempt"),
        rx.el.td(*row_actions(delivery), class_name="row-actions"),
        data_testid="delivery-row",
    )


def response(delivery: DeliveryView) -> rx.Component:
    """The status code or the error, and the time; below it the beginning of the response body."""
    return rx.el.div(
        rx.el.div(
            rx.el.span(dash_or(delivery.response), data_testid="delivery-answer"),
            rx.cond(delivery.duration, rx.el.span(" · ", delivery.duration, class_name="muted numeric")),
        ),
        rx.cond(delivery.excerpt, rx.el.div(delivery.excerpt, class_name="clamp muted mono")),
        class_name="answer",
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
    return rx.el.tr(
        rx.el.td(
            rx.el.p("webhook-id ", rx.el.span(delivery.event_id, class_name="mono"), class_name="muted"),
            rx.cond(
                delivery.history.length() > 0,
                rx.el.ol(rx.foreach(delivery.history, attempt_item), class_name="attempts"),
                rx.el.p("No attempt yet", class_name="muted"),
            ),
            col_span=len(COLUMNS) + 1,
        ),
        class_name="attempts-row",
        data_testid="delivery-attempts",
    )


def attempt_item(attempt: AttemptView) -> rx.Component:
    """One attempt."""
    return rx.el.li(
        rx.el.p(
            rx.el.span("Attempt ", attempt.number, class_name="strong"),
            rx.el.span(attempt.response, class_name="answer"),
            rx.el.span(attempt.duration, class_name="muted numeric"),
            rx.el.span(local_time(attempt.started_at), class_name="muted"),
            class_name="last",
        ),
        rx.cond(attempt.excerpt, rx.el.pre(attempt.excerpt, class_name="excerpt", data_testid="delivery-excerpt")),
        key=attempt.number.to_string(),
    )


def moment(time: rx.Var[str]) -> rx.Component:
    """A time, or a dash."""
    return rx.cond(time, local_time(time), "—")


def dash_or(text: rx.Var[str]) -> rx.Component:
    """A text, or a dash."""
    return rx.cond(text, text, "—")
