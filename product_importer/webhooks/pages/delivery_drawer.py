"""One delivery with its request, its answer and its attempts, in a drawer beside the list."""

from typing import Any

import reflex as rx
from reflex_base.utils.imports import ImportVar
from reflex_base.vars import VarData

from product_importer.ui import styles
from product_importer.ui.access_state import for_admins
from product_importer.ui.copy_button import copy_button
from product_importer.ui.modal import drawer
from product_importer.ui.next_in import next_in
from product_importer.ui.widgets import badge, button, link, loading, local_time, notice
from product_importer.webhooks.models import LogState
from product_importer.webhooks.pages.deliveries_state import DeliveryState
from product_importer.webhooks.pages.deliveries_table import is_enabled
from product_importer.webhooks.pages.delivery_badge import delivery_badge
from product_importer.webhooks.pages.delivery_views import AttemptView, HeaderView

NAME = "delivery"
# Options of JavaScript's Date.toLocaleString.
TO_THE_SECOND = "{dateStyle: 'medium', timeStyle: 'medium'}"
# What closes the dialog leads to the address of the list; a link of the router does it without moving the page. Where
# the address itself opened the delivery, nothing in the list had the focus: its row takes it.
BACK = f"""(() => {{
    const opened = new URLSearchParams(location.search).get('delivery');
    if (!opened) return;
    document.getElementById('{NAME}-back').click();
    const row = document.querySelector(`#deliveries a[href*="${{opened}}"]`);
    setTimeout(() => {{ if (!document.activeElement?.closest('main')) row?.focus(); }});
}})()"""
TEXT = (
    "max-h-[340px] overflow-auto rounded-lg border border-line bg-sunken px-3 py-2.5 font-mono text-xs leading-5 "
    "wrap-anywhere whitespace-pre-wrap"
)
CAPTION = "flex min-h-7 items-center justify-between text-xs font-medium text-muted"
HEADERS = "rounded-lg border border-line px-3 py-1.5 font-mono text-xs leading-5"
HEADER = "grid gap-x-3 py-px md:grid-cols-[190px_minmax(0,1fr)]"
# The line of the timeline runs through the dots.
STEP = (
    "relative pb-3 pl-5 before:absolute before:top-3 before:bottom-[-10px] before:left-[4px] before:w-px "
    "before:bg-line-strong last:pb-0 last:before:hidden"
)
DOT = (
    "absolute top-[9px] left-0 size-[9px] rounded-full bg-muted ring-2 ring-raised data-[tone=bad]:bg-bad "
    "data-[tone=good]:bg-good data-[tone=warning]:bg-warning forced-color-adjust-none"
)
ATTEMPT = (
    "-ml-1.5 flex w-full cursor-pointer flex-wrap items-center gap-x-2.5 gap-y-0.5 rounded-md px-1.5 py-[3px] "
    "text-left hover:bg-sunken aria-pressed:bg-sunken forced-colors:aria-pressed:outline"
)


def delivery_drawer() -> rx.Component:
    """The drawer, open while the address names a delivery."""
    delivery, asked = DeliveryState.detail.delivery, asked_id()
    is_here = (delivery.id == asked) & (asked != "")
    problem = notice(rx.el.p(DeliveryState.detail_error), title="The delivery cannot be shown")
    has_problem = (DeliveryState.detail_error != "") & (DeliveryState.listing.delivery == asked)
    missing = rx.cond(has_problem, problem, loading())
    return drawer(
        rx.cond(
            is_here,
            rx.fragment(delivery.event, rx.el.span(" ", delivery.about, class_name="font-normal text-muted")),
            "Delivery",
        ),
        rx.cond(asked, rx.cond(is_here, detail(), rx.el.div(missing, class_name="pt-4"))),
        link(
            "Back to the list",
            id=f"{NAME}-back",
            to=DeliveryState.list_address,
            replace=True,
            prevent_scroll_reset=True,
            class_name="hidden",
        ),
        name=NAME,
        shown=asked != "",
        on_close=rx.call_script(BACK),
    )


def asked_id() -> rx.Var[str]:
    """Return the id of the delivery in the address; what depends on it need not wait for the server."""
    place = VarData(
        imports={"react-router": [ImportVar("useLocation")]}, hooks={"const place = useLocation();": None}
    )
    asked = '(new URLSearchParams(place.search).get("delivery") ?? "")'
    return rx.Var(asked, _var_type=str, _var_data=place).guess_type()


def detail() -> rx.Component:
    """All that is known of the delivery."""
    return rx.el.div(
        summary(),
        part("Attempts", timeline()),
        rx.cond(DeliveryState.attempt.number > 0, part("Answer", answer(), note=of_attempt())),
        part("Request", request(), note=rx.cond(DeliveryState.attempt.number > 0, of_attempt())),
        class_name="grid grid-cols-1 gap-5 pt-4",
        data_testid="delivery-detail",
    )


def summary() -> rx.Component:
    """The state, the id, and the button that sends the delivery again."""
    delivery = DeliveryState.detail.delivery
    return rx.el.div(
        rx.el.div(
            rx.el.p(
                delivery_badge(delivery, is_enabled=is_enabled(), data_testid="delivery-detail-status"),
                rx.el.span(local_time(delivery.created_at, TO_THE_SECOND), class_name="text-muted"),
                class_name=styles.LINE,
            ),
            rx.el.p(
                "webhook-id ",
                rx.el.span(delivery.event_id, class_name=styles.MONO),
                class_name="wrap-anywhere text-muted",
            ),
            class_name="grid min-w-0 flex-1 gap-1",
        ),
        for_admins(
            button("Send again", on_click=DeliveryState.redeliver(delivery.id), data_testid="delivery-redeliver")
        ),
        class_name="flex flex-wrap items-start justify-between gap-3",
    )


def part(title: str, *content: rx.Component, note: Any = None) -> rx.Component:
    """A part of the drawer with its title."""
    heading = rx.el.h3(title, rx.el.span(note, class_name="font-normal text-muted"), class_name="font-semibold")
    return rx.el.section(heading, *content, aria_label=title, class_name="grid min-w-0 grid-cols-1 gap-2")


def of_attempt() -> rx.Component:
    """Which attempt is shown, where there are several."""
    words = rx.fragment(" of attempt ", DeliveryState.attempt.number)
    return rx.cond(DeliveryState.detail.attempts.length() > 1, words)


def timeline() -> rx.Component:
    """The attempts, newest first, below the next one; each shows its request and its answer."""
    return rx.el.ol(
        next_attempt(),
        rx.foreach(DeliveryState.detail.attempts, attempt_step),
        data_testid="delivery-attempts",
    )


def next_attempt() -> rx.Component:
    """When the next attempt is."""
    delivery = DeliveryState.detail.delivery
    tone = rx.cond(delivery.state == LogState.RETRYING.value, "warning", "neutral")
    when = rx.cond(
        is_enabled(),
        rx.fragment(
            next_in(delivery.next_attempt_at),
            rx.el.span(local_time(delivery.next_attempt_at, TO_THE_SECOND), class_name="text-muted"),
        ),
        rx.el.span("when the webhook is enabled again", class_name="text-muted"),
    )
    shown = rx.el.li(
        rx.el.span(aria_hidden="true", class_name=DOT, data_tone=tone),
        rx.el.p(rx.el.span("Next attempt", class_name=styles.STRONG), when, class_name=f"{styles.LINE} min-h-[27px]"),
        class_name=STEP,
        data_testid="delivery-next",
    )
    return rx.cond(delivery.next_attempt_at, shown)


def attempt_step(attempt: AttemptView) -> rx.Component:
    """One attempt, as a button that shows its request and its answer."""
    return rx.el.li(
        rx.el.span(aria_hidden="true", class_name=DOT, data_tone=attempt.tone),
        rx.el.button(
            rx.el.span("Attempt ", attempt.number, class_name=styles.STRONG),
            rx.el.span(attempt.answer, class_name="min-w-0 wrap-anywhere tabular-nums"),
            rx.el.span(attempt.duration, class_name="text-muted tabular-nums"),
            rx.el.span(local_time(attempt.started_at, TO_THE_SECOND), class_name="text-muted"),
            type="button",
            on_click=DeliveryState.show_attempt(attempt.number),
            aria_pressed=rx.cond(DeliveryState.attempt.number == attempt.number, "true", "false"),
            class_name=ATTEMPT,
            data_testid="delivery-attempt",
        ),
        key=attempt.number.to_string(),
        class_name=STEP,
    )


def answer() -> rx.Component:
    """What the receiver answered to the attempt that is shown."""
    attempt = DeliveryState.attempt
    return rx.fragment(
        rx.el.p(
            badge(attempt.answer, tone=attempt.tone),
            rx.el.span(attempt.duration, class_name="text-muted tabular-nums"),
            class_name=f"{styles.LINE} *:whitespace-normal",
        ),
        headers(attempt.response_headers, "Headers of the answer", "answer-headers"),
        rx.cond(
            attempt.excerpt,
            text("answer-body", attempt.excerpt, what="the answer", testid="delivery-excerpt"),
            rx.cond(attempt.is_answered, rx.el.p("The answer has no body.", class_name="text-muted")),
        ),
    )


def request() -> rx.Component:
    """What is sent: the address, the headers and the message."""
    attempt = DeliveryState.attempt
    address = rx.el.p(
        rx.el.span("POST ", class_name="font-medium"),
        attempt.url,
        class_name=f"{styles.MONO} wrap-anywhere",
        data_testid="delivery-url",
    )
    return rx.fragment(
        rx.cond(
            attempt.url,
            rx.fragment(address, headers(attempt.request_headers, "Headers of the request", "request-headers")),
            rx.cond(
                attempt.number > 0,
                rx.el.p("Nothing was sent, or an earlier version did not note it.", class_name="text-muted"),
            ),
        ),
        text("request-body", DeliveryState.detail.body, what="the message", testid="delivery-body"),
    )


def headers(shown: rx.Var[list[HeaderView]], label: str, testid: str) -> rx.Component:
    """Headers, as names and values."""
    entries = rx.el.dl(
        rx.foreach(shown, header), aria_label=label, class_name=HEADERS, data_testid=f"delivery-{testid}"
    )
    return rx.cond(shown.length() > 0, rx.el.div(rx.el.p("Headers", class_name=CAPTION), entries))


def header(shown: HeaderView) -> rx.Component:
    """One header."""
    return rx.el.div(
        rx.el.dt(shown.name, class_name="wrap-anywhere text-muted"),
        rx.el.dd(shown.value, class_name="wrap-anywhere"),
        class_name=HEADER,
    )


def text(name: str, shown: rx.Var[str], *, what: str, testid: str) -> rx.Component:
    """A text that is scrolled by itself, and can be copied."""
    body = rx.el.pre(
        shown, id=name, tab_index=0, aria_label=what.capitalize(), role="group", class_name=TEXT, data_testid=testid
    )
    return rx.el.div(rx.el.div("Body", copy_button(name, what=what), class_name=CAPTION), body, class_name="min-w-0")
