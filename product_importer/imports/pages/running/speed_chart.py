"""The chart of an import's rows per second, with its numbers in words."""

import reflex as rx

from product_importer.imports.pages.running.speed_state import SpeedState
from product_importer.imports.pages.view_models import ImportView
from product_importer.ui.line_chart import CartesianGrid, Line, LineChart, XAxis, YAxis

TICK = {"fill": "var(--muted)", "fontSize": 11}
COMPACT = "(value) => Intl.NumberFormat('en', { notation: 'compact' }).format(value)"
# Beyond two minutes, as 2:05.
SECONDS = """(value) => value < 120
    ? `${Math.round(value)} s`
    : `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")}`"""


def speed_chart(job: ImportView) -> rx.Component:
    """The chart while the import runs, and after that if there was anything to see."""
    chart = rx.el.figure(
        rx.el.figcaption(caption(job), class_name="flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted"),
        # Its height is fixed, so that nothing moves when the chart is loaded.
        rx.el.div(
            rx.cond(has_line(), lines()),
            role="img",
            aria_label=in_words(job),
            class_name="h-36 w-full",
            data_testid="import-speed",
        ),
        class_name="m-0 grid min-w-0 gap-2 border-t border-line pt-4",
    )
    return rx.cond(job.is_running | has_line(), chart)


def has_line() -> rx.Var[bool]:
    """Whether there are two points, which make a line."""
    return SpeedState.points.length() > 1


def caption(job: ImportView) -> rx.Component:
    """The name of the chart, and which line is which."""
    return rx.fragment(
        rx.el.span("Rows per second", class_name="font-medium"),
        key("border-dashed border-muted", "reading"),
        key("border-solid border-accent", job.bar.follows.lower()),
        rx.cond(
            has_line(),
            rx.el.span(
                SpeedState.part,
                ": ",
                rx.cond(job.is_running, f"now {SpeedState.now}, ", ""),
                f"highest {SpeedState.highest}",
                class_name="ml-auto tabular-nums",
            ),
        ),
    )


def key(line: str, name: rx.Var[str] | str) -> rx.Component:
    """A short piece of a line, and what it stands for."""
    return rx.el.span(
        rx.el.span(aria_hidden="true", class_name=f"w-5 border-t-2 {line}"),
        name,
        class_name="inline-flex items-center gap-1.5",
    )


def in_words(job: ImportView) -> rx.Var[str]:
    """What the chart says, for those who do not see it."""
    now = rx.cond(job.is_running, f"now {SpeedState.now}, ", "")
    return rx.cond(
        has_line(),
        f"Rows per second, {SpeedState.part}: {now}highest {SpeedState.highest}",
        "Rows per second: not measured yet",
    )


def lines() -> rx.Component:
    """Both lines over the seconds since the start; nothing is animated."""
    return LineChart.create(
        CartesianGrid.create(vertical=False, stroke="var(--line)"),
        XAxis.create(
            data_key="second",
            type_="number",
            domain=["dataMin", "dataMax"],
            tick=TICK,
            tick_formatter=SECONDS,
            tick_line=False,
            stroke="var(--line-strong)",
            height=22,
            min_tick_gap=24,
        ),
        YAxis.create(tick=TICK, tick_formatter=COMPACT, tick_line=False, axis_line=False, width=40, tick_count=4),
        line("reading", "var(--muted)", stroke_dasharray="5 4"),
        line("writing", "var(--accent)"),
        data=SpeedState.points,
        margin={"top": 6, "right": 8, "bottom": 0, "left": 0},
        custom_attrs={"accessibilityLayer": False},
    )


def line(data_key: str, stroke: str, **props: str) -> rx.Component:
    """One line."""
    return Line.create(
        data_key=data_key,
        type_="monotone",
        stroke=stroke,
        stroke_width=2,
        dot=False,
        active_dot=False,
        is_animation_active=False,
        **props,
    )
