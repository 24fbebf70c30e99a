"""What was sent to a webhook in the last days: numbers in a line, and a chart of successes and failures."""

import reflex as rx

from product_importer.ui.bar_chart import Bar, BarChart
from product_importer.ui.line_chart import CartesianGrid, XAxis, YAxis
from product_importer.webhooks.activity import DAYS
from product_importer.webhooks.pages.deliveries_state import DeliveryState
from product_importer.webhooks.pages.delivery_views import BAR_HOURS

TICK = {"fill": "var(--muted)", "fontSize": 11}
COMPACT = "(value) => Intl.NumberFormat('en', { notation: 'compact' }).format(value)"
DAY = "(value) => new Date(value).toLocaleDateString([], { weekday: 'short' })"
HOUR = "new Date({time}).toLocaleString([], {{ weekday: 'short', day: 'numeric', hour: 'numeric' }})"
# Where the reader has chosen the colours, the bars differ by these.
COLOURS = (
    "h-32 w-full forced-color-adjust-none forced-colors:[--bad:CanvasText] forced-colors:[--good:Highlight] "
    "forced-colors:[--muted:CanvasText]"
)


def activity_chart() -> rx.Component:
    """The numbers and the chart. Its height is fixed, so that nothing moves when it is loaded."""
    return rx.el.figure(
        rx.el.figcaption(
            caption(),
            class_name="flex min-h-[62px] flex-wrap content-start gap-x-4 gap-y-1 text-xs text-muted md:min-h-[18px]",
        ),
        rx.el.div(
            rx.cond(DeliveryState.activity.is_empty, nothing(), bars()),
            aria_hidden="true",
            class_name=COLOURS,
            data_testid="webhook-chart",
        ),
        numbers(),
        class_name="m-0 grid min-w-0 gap-2 rounded-xl border border-line bg-raised p-4 shadow-xs",
    )


def caption() -> rx.Component:
    """What the chart shows, in numbers."""
    activity = DeliveryState.activity
    return rx.fragment(
        rx.el.span(f"Attempts in the last {DAYS} days", class_name="font-medium text-ink"),
        key("bg-good", activity.succeeded, "succeeded"),
        key("bg-bad", activity.failed, "failed"),
        key("bg-warning", activity.retrying, "retrying"),
        key("bg-muted", activity.waiting, "pending"),
        rx.cond(
            activity.times,
            rx.el.span(activity.times, title="Of the newest 1,000 deliveries", class_name="tabular-nums md:ml-auto"),
        ),
    )


def key(colour: str, count: rx.Var[str], name: str) -> rx.Component:
    """A number that is always there, so that nothing moves, with the colour of its bars or badges."""
    return rx.el.span(
        rx.el.span(aria_hidden="true", class_name=f"size-2 rounded-[2px] {colour} forced-color-adjust-none"),
        rx.el.span(rx.cond(count, count, "0"), " ", name, class_name="tabular-nums"),
        class_name="inline-flex items-center gap-1.5",
        data_testid=f"webhook-{name}",
    )


def nothing() -> rx.Component:
    """What stands in place of an empty chart."""
    return rx.el.p(
        "No attempts in this time",
        class_name="grid h-full place-items-center rounded-lg bg-sunken text-xs text-muted",
    )


def bars() -> rx.Component:
    """A bar for each few hours, failures above successes; nothing is animated."""
    return BarChart.create(
        CartesianGrid.create(vertical=False, stroke="var(--line)"),
        XAxis.create(
            data_key="time",
            tick=TICK,
            tick_formatter=DAY,
            tick_line=False,
            stroke="var(--line-strong)",
            height=22,
            ticks=DeliveryState.activity.days,
            interval=0,
        ),
        YAxis.create(
            tick=TICK,
            tick_formatter=COMPACT,
            tick_line=False,
            axis_line=False,
            width=36,
            tick_count=3,
            allow_decimals=False,
        ),
        bar("succeeded", "var(--good)"),
        bar("failed", "var(--bad)"),
        data=DeliveryState.activity.bars,
        bar_category_gap="22%",
        margin={"top": 6, "right": 14, "bottom": 0, "left": 0},
        custom_attrs={"accessibilityLayer": False},
    )


def bar(data_key: str, fill: str) -> rx.Component:
    """The bars of one value; a single attempt is seen beside thousands."""
    return Bar.create(data_key=data_key, stack_id="attempts", fill=fill, is_animation_active=False, min_point_size=0)


def numbers() -> rx.Component:
    """The same as a table, for those who do not see the chart."""
    heads = (rx.el.th(name, scope="col") for name in ("From", "Succeeded", "Failed"))
    table = rx.el.table(
        rx.el.caption(f"Attempts in the last {DAYS} days, for each {BAR_HOURS} hours"),
        rx.el.thead(rx.el.tr(*heads)),
        rx.el.tbody(rx.foreach(DeliveryState.activity.bars, numbers_row)),
    )
    # A table itself is never less wide than its content, and would widen the page.
    return rx.el.div(table, class_name="sr-only")


def numbers_row(shown: rx.Var[dict[str, str]]) -> rx.Component:
    """The row of one bar."""
    time: rx.Var[str] = rx.Var(HOUR.format(time=shown["time"]), _var_type=str, _var_data=shown._get_all_var_data())
    return rx.el.tr(rx.el.th(time, scope="row"), rx.el.td(shown["succeeded"]), rx.el.td(shown["failed"]))
