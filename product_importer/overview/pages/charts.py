"""The charts of the overview: rows per day, and why rows were rejected."""

import reflex as rx

from product_importer.overview.numbers import DAYS
from product_importer.overview.pages.overview_state import OverviewState
from product_importer.overview.pages.view_models import ReasonView
from product_importer.ui import styles
from product_importer.ui.bar_chart import Bar, BarChart, tooltip
from product_importer.ui.layout import section
from product_importer.ui.line_chart import CartesianGrid, XAxis, YAxis
from product_importer.ui.widgets import link

CARD = f"{styles.CARD} m-0 grid min-w-0 content-start gap-3"
TICK = {"fill": "var(--muted)", "fontSize": 11}
COMPACT = "(value) => Intl.NumberFormat('en', { notation: 'compact' }).format(value)"
WHOLE = "(value) => Number(value).toLocaleString('en')"
DAY = "(value) => new Date(`${value}T00:00`).toLocaleDateString([], { day: 'numeric', month: 'short' })"
# The parts of a bar: their colours in the chart, and the classes of their keys.
PARTS = {
    "created": ("var(--accent)", "bg-accent"),
    "updated": ("color-mix(in srgb, var(--accent) 45%, var(--raised))", "bg-accent/45"),
    "rejected": ("var(--bad)", "bg-bad"),
}
KEY = "size-2.5 rounded-xs forced-color-adjust-none"
BAR = "h-1.5 overflow-hidden rounded-full bg-sunken forced-color-adjust-none forced-colors:outline"


def rows_per_day() -> rx.Component:
    """Return the rows of imports by day."""
    figure = rx.el.figure(
        rx.el.figcaption(
            *(key(name) for name in PARTS), class_name="flex flex-wrap gap-x-5 gap-y-1 text-xs text-muted"
        ),
        # Its height is fixed, so that nothing moves when the chart is loaded.
        rx.el.div(
            rx.cond(OverviewState.chart.is_empty, no_rows(), bars()),
            role="img",
            aria_label=OverviewState.chart.words,
            class_name="h-52 w-full",
            data_testid="overview-chart",
        ),
        class_name=CARD,
    )
    return section(f"Rows per day, last {DAYS} days", figure, actions=zone())


def zone() -> rx.Component:
    """Return whose days these are."""
    return rx.el.span(OverviewState.zone, class_name="text-xs text-muted", title="The time zone of the days")


def key(name: str) -> rx.Component:
    """Return a part of the bars with its sum."""
    return rx.el.span(
        rx.el.span(aria_hidden="true", class_name=f"{KEY} {PARTS[name][1]}"),
        rx.el.span(
            getattr(OverviewState.chart, name),
            class_name=f"{styles.STRONG} tabular-nums",
            data_testid=f"overview-rows-{name}",
        ),
        name,
        class_name="inline-flex items-center gap-1.5",
    )


def no_rows() -> rx.Component:
    """Return what stands in place of a chart without bars."""
    return rx.el.p("No rows were imported in this time.", class_name="grid h-full place-items-center text-muted")


def bars() -> rx.Component:
    """Return the chart; nothing is animated."""
    return BarChart.create(
        CartesianGrid.create(vertical=False, stroke="var(--line)"),
        XAxis.create(
            data_key="day",
            tick=TICK,
            tick_formatter=DAY,
            tick_line=False,
            stroke="var(--line-strong)",
            height=22,
            min_tick_gap=24,
        ),
        YAxis.create(tick=TICK, tick_formatter=COMPACT, tick_line=False, axis_line=False, width=40, tick_count=4),
        tooltip(label=DAY, value=WHOLE),
        *(
            Bar.create(data_key=name, stack_id="rows", fill=colour, is_animation_active=False, max_bar_size=22)
            for name, (colour, _) in PARTS.items()
        ),
        data=OverviewState.chart.points,
        bar_category_gap="20%",
        margin={"top": 6, "right": 8, "bottom": 0, "left": 0},
        custom_attrs={"accessibilityLayer": False},
    )


def reasons() -> rx.Component:
    """Return why rows were rejected, the most frequent reason first."""
    listed = rx.el.ul(rx.foreach(OverviewState.reasons, reason), class_name="grid grid-cols-1 gap-3")
    none = rx.el.p(
        "No row was rejected in this time.", class_name="grid h-full min-h-20 place-items-center text-muted"
    )
    return section(
        f"Rejected rows by reason, last {DAYS} days",
        rx.el.div(rx.cond(OverviewState.reasons.length() > 0, listed, none), class_name=f"{CARD} h-full"),
    )


def reason(shown: ReasonView) -> rx.Component:
    """Return a reason with its bar; it leads to the newest import with such rows."""
    return rx.el.li(
        rx.el.div(
            link(
                shown.title,
                to=shown.address,
                title="The newest import with such rows",
                class_name=f"{styles.TEXT_LINK} min-w-0 wrap-anywhere",
            ),
            rx.el.span(shown.number, class_name=f"{styles.STRONG} tabular-nums"),
            class_name="flex items-baseline justify-between gap-3",
        ),
        rx.el.div(
            rx.el.div(class_name="h-full rounded-full bg-bad", style={"width": f"{shown.percent}%"}),
            aria_hidden="true",
            class_name=BAR,
        ),
        class_name="grid gap-1",
        data_testid="overview-reason",
        key=shown.title,
    )
