"""The list of what needs attention."""

import reflex as rx

from product_importer.overview.pages.attention_words import ItemView
from product_importer.overview.pages.overview_state import OverviewState
from product_importer.ui import styles
from product_importer.ui.layout import section
from product_importer.ui.widgets import button_link, local_time

LIST = "divide-y divide-line overflow-hidden rounded-xl border border-line bg-raised"
ITEM = (
    "grid grid-cols-[auto_minmax(0,1fr)] items-start gap-x-3 gap-y-1 px-4 py-3 md:grid-cols-[auto_minmax(0,1fr)_auto]"
)
SIGN = "mt-0.5 flex-none"
NOTHING = "flex items-center gap-3 rounded-xl border border-line bg-raised px-4 py-3 text-muted"


def attention() -> rx.Component:
    """Return the list, or that there is nothing to do."""
    listed = rx.el.ul(rx.foreach(OverviewState.attention, item), class_name=LIST)
    return section("Needs attention", rx.cond(OverviewState.attention.length() > 0, listed, nothing()))


def nothing() -> rx.Component:
    """Return that there is nothing to do."""
    return rx.el.p(
        rx.icon("circle-check", size=18, class_name="flex-none text-good"),
        "Nothing needs attention",
        class_name=NOTHING,
        data_testid="overview-nothing",
    )


def item(shown: ItemView) -> rx.Component:
    """Return one thing to do, with the link to where it is done."""
    return rx.el.li(
        sign(shown),
        rx.el.div(
            rx.el.p(shown.title, class_name=f"{styles.STRONG} wrap-anywhere"),
            rx.el.p(
                shown.detail,
                rx.cond(shown.since, rx.el.span(rx.cond(shown.detail, " · ", ""), local_time(shown.since))),
                class_name="wrap-anywhere text-muted empty:hidden",
            ),
        ),
        rx.cond(
            shown.action,
            rx.el.div(
                button_link(
                    shown.action, to=shown.address, kind="quiet", aria_label=f"{shown.action}: {shown.title}"
                ),
                class_name="max-md:col-start-2 max-md:-ml-2",
            ),
        ),
        class_name=ITEM,
        data_testid="overview-attention",
        key=shown.key,
    )


def sign(shown: ItemView) -> rx.Component:
    """Return the sign of how urgent it is."""
    return rx.match(
        shown.tone,
        ("bad", rx.icon("circle-alert", size=18, class_name=f"{SIGN} text-bad")),
        ("warning", rx.icon("triangle-alert", size=18, class_name=f"{SIGN} text-warning")),
        rx.icon("info", size=18, class_name=f"{SIGN} text-muted"),
    )
