"""The list of a webhook's deliveries. Answers come from strangers: they are shown as text, never as HTML."""

from typing import Any

import reflex as rx

from product_importer.ui import styles, tables
from product_importer.ui.access_state import for_admins
from product_importer.ui.modal import dialog_button
from product_importer.ui.widgets import button, empty_state, link, loading, local_time, notice
from product_importer.webhooks.models import DeliveryStatus
from product_importer.webhooks.pages.deliveries_state import DeliveryState
from product_importer.webhooks.pages.delivery_badge import delivery_badge
from product_importer.webhooks.pages.list_state import WebhookState
from product_importer.webhooks.pages.redeliver_state import RedeliverState
from product_importer.webhooks.pages.view_models import DeliveryView

COLUMNS = ("Event", "Object", "Status", "Answer", "Latency", "When")
NUMERIC = ("Latency",)
TABS = (("All", ""), *((status.value.capitalize(), status.value) for status in (
    DeliveryStatus.SUCCEEDED, DeliveryStatus.FAILED, DeliveryStatus.PENDING
)))  # fmt: skip
TAB = (
    "inline-flex min-h-7 items-center rounded-md px-2.5 font-medium text-muted hover:bg-sunken hover:text-ink "
    "aria-[current=true]:bg-sunken aria-[current=true]:text-ink forced-colors:aria-[current=true]:underline"
)
# The whole row opens the delivery; the link is in its first cell.
# In a narrow window each is a card of three lines.
ROW = (
    "relative cursor-pointer max-md:grid-cols-[minmax(0,1fr)_auto] max-md:items-center max-md:gap-x-3 "
    "max-md:gap-y-0.5"
)
CELL = "md:border-t md:border-line md:px-3.5 md:py-[9px] min-w-0 max-md:text-[13px]"
RIGHT = "max-md:justify-self-end max-md:text-right"
OPEN = "inline-block rounded-sm py-1 font-medium text-ink after:absolute after:inset-0 hover:text-accent"
# Options of JavaScript's Date.toLocaleString.
WHEN = "{month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit', second: '2-digit'}"
# What was clicked may be gone afterwards: the list takes the focus.
TO_LIST = "document.getElementById('deliveries').focus()"
TO_LIST_UNMOVED = "document.getElementById('deliveries').focus({preventScroll: true})"


def is_enabled() -> rx.Var[bool]:
    """Whether the webhook of this page is enabled."""
    return (WebhookState.webhooks.length() == 0) | WebhookState.webhooks[0].enabled


def delivery_bar() -> rx.Component:
    """The filter, what is new, and the button for all that failed."""
    return rx.el.div(
        rx.el.nav(
            *(tab(*given) for given in TABS), aria_label="Status", class_name="flex flex-wrap gap-1 max-md:w-full"
        ),
        # It is there before anything is new, so that screen readers hear it, and nothing moves.
        rx.el.div(fresh(), role="status", class_name="flex min-h-[34px] flex-1 items-center"),
        for_admins(
            dialog_button(
                "Send failed again…",
                on_click=RedeliverState.ask_before_redelivering,
                data_testid="deliveries-redeliver",
            )
        ),
        class_name="flex flex-wrap items-center gap-x-3 gap-y-1.5",
    )


def tab(label: str, status: str) -> rx.Component:
    """The link to the deliveries with a status."""
    return link(
        label,
        to=f"?status={status}" if status else "?",
        prevent_scroll_reset=True,
        aria_current=rx.cond(DeliveryState.listing.status == status, "true", "false"),
        class_name=TAB,
        data_testid=f"delivery-filter-{status or 'all'}",
    )


def fresh() -> rx.Component:
    """How many new deliveries there are, as a button or a link that shows them."""
    words = (DeliveryState.fresh, ", show")
    shown = rx.cond(
        DeliveryState.listing.page == 1,
        rx.el.button(
            *words,
            type="button",
            on_click=[rx.call_script(TO_LIST_UNMOVED), DeliveryState.show_fresh],
            class_name=styles.button_look("quiet"),
            data_testid="deliveries-new",
        ),
        link(
            *words,
            to=DeliveryState.newest_address,
            prevent_scroll_reset=True,
            class_name=styles.button_look("quiet"),
            data_testid="deliveries-new",
        ),
    )
    return rx.cond(DeliveryState.fresh, shown)


def deliveries() -> rx.Component:
    """The list, or what stands in its place."""
    return rx.el.div(
        rx.cond(
            DeliveryState.load_error,
            load_error(),
            rx.cond(
                DeliveryState.deliveries.length() > 0,
                rx.fragment(delivery_table(), pager()),
                rx.cond(DeliveryState.loaded, no_deliveries(), loading()),
            ),
        ),
        id="deliveries",
        tab_index=-1,
        role="group",
        aria_label="List of deliveries",
        class_name="grid scroll-mt-28 grid-cols-1 gap-2.5 rounded-xl",
    )


def load_error() -> rx.Component:
    """Why the deliveries cannot be shown, and a button to try again."""
    return notice(
        rx.el.p(DeliveryState.load_error),
        rx.el.div(
            button("Try again", on_click=[DeliveryState.load_deliveries, DeliveryState.load_activity]),
            class_name=f"{styles.ACTIONS} mt-2.5",
        ),
        title="The deliveries cannot be shown",
        data_testid="deliveries-problem",
    )


def delivery_table() -> rx.Component:
    """The deliveries of this page, newest first."""
    return tables.table(
        tables.headings(*COLUMNS, numbers=NUMERIC),
        tables.body(rx.foreach(DeliveryState.deliveries, delivery_row)),
        is_busy=DeliveryState.loading,
        data_testid="deliveries-table",
    )


def delivery_row(delivery: DeliveryView) -> rx.Component:
    """The row of one delivery, which opens it."""
    opens = link(
        delivery.event,
        to=delivery.address,
        prevent_scroll_reset=True,
        class_name=OPEN,
        data_testid="delivery-details",
    )
    return tables.row(
        cell(opens, class_name="md:whitespace-nowrap max-md:order-1"),
        cell(dash_or(delivery.about), class_name="wrap-anywhere text-muted max-md:order-3"),
        cell(
            delivery_badge(delivery, is_enabled=is_enabled(), data_testid="delivery-status"),
            class_name=f"{RIGHT} max-md:order-4",
        ),
        cell(
            rx.el.span(dash_or(delivery.answer), class_name=styles.CLAMP, data_testid="delivery-answer"),
            class_name="tabular-nums max-md:order-5 max-md:text-muted md:w-[24%]",
        ),
        cell(
            dash_or(delivery.duration), class_name=f"{RIGHT} text-right tabular-nums max-md:order-6 max-md:text-muted"
        ),
        cell(
            local_time(delivery.created_at, WHEN), class_name=f"{RIGHT} whitespace-nowrap text-muted max-md:order-2"
        ),
        class_name=ROW,
        data_testid="delivery-row",
        key=delivery.id,
    )


def cell(*content: Any, class_name: str) -> rx.Component:
    """A cell of a row; in a card it has its place there."""
    return rx.el.td(*content, class_name=f"{CELL} {class_name}")


def pager() -> rx.Component:
    """The links to newer and older deliveries."""
    listing = DeliveryState.listing
    shown = rx.el.nav(
        turn("Previous", DeliveryState.previous_address, listing.page <= 1),
        rx.el.span(
            "Page ",
            listing.page.to_string(),
            " of ",
            DeliveryState.pages,
            class_name="px-1.5 text-muted tabular-nums",
        ),
        turn("Next", DeliveryState.next_address, listing.page >= DeliveryState.pages),
        aria_label="Pages",
        class_name="flex flex-wrap items-center justify-end gap-2 max-md:justify-center",
    )
    return rx.cond(DeliveryState.pages > 1, shown)


def turn(label: str, address: rx.Var[str], is_end: rx.Var[bool]) -> rx.Component:
    """A link to another page of the list, from its beginning on; a button that does nothing at the end."""
    testid = f"deliveries-{label.lower()}"
    go = link(
        label,
        to=address,
        prevent_scroll_reset=True,
        on_click=rx.call_script(TO_LIST),
        class_name=styles.button_look(""),
        data_testid=testid,
    )
    return rx.cond(
        is_end,
        rx.el.button(label, type="button", disabled=True, class_name=styles.button_look(""), data_testid=testid),
        go,
    )


def no_deliveries() -> rx.Component:
    """What stands in place of an empty list."""
    return rx.cond(
        DeliveryState.listing.status,
        empty_state("No delivery has this status", "Choose another status, or All."),
        empty_state(
            "Nothing sent yet", "Every event sent to this webhook appears here, with the request and the answer."
        ),
    )


def dash_or(text: rx.Var[str]) -> rx.Component:
    """A text, or a dash."""
    return rx.cond(text, text, "—")
